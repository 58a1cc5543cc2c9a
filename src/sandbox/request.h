/*
 * What is asked of a container by who need not know how it is made: what is
 * mounted, who the command is, and what it may use. Plain data, on any system.
 */
#pragma once

#include <sys/types.h>

#include "base/attributes.h"

struct sandbox_mount {
	const char *source, *target; /* absolute; source on the host, target in the container */
	bool is_read_only;
};

/*
 * Who the command is, in a container where every id that the caller's user namespace has keeps
 * its number. The caller needs CAP_SETUID, CAP_SETGID and CAP_SETFCAP there. As uid 0 the command
 * may change owners and become others; to be more than root of the files that the container sees
 * nobody can.
 */
struct sandbox_user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
};

struct sandbox_limits {
	uint64_t memory_bytes; /* 0: none */
	uint32_t max_pids;     /* 0: a generous default */
	uint32_t cpu_percent;  /* 100 is one CPU; 0: none */
};
