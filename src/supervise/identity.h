/*
 * Whose power a call is done with. Where the container has one user the supervisor is that user
 * and nothing changes. Where it has many, a worker becomes the caller before it does anything for
 * him: a task's ids, groups and capabilities are changed by nobody but itself (credentials(7)),
 * and while its call is held it can't.
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "base/attributes.h"

struct worker;

#define IDENTITY_MAX_GROUPS ((size_t)256) /* who has more is refused everything */

struct identity {
	uid_t uid; /* those that the kernel checks files by */
	gid_t gid;
	uint64_t effective; /* capabilities */
	size_t n_groups;
	gid_t groups[IDENTITY_MAX_GROUPS];
};

/* The text of /proc/<tid>/status. 0, or a negative errno for what is not all there. */
int identity_read(const char *status, struct identity *ret) _must_check_;
/* Becomes the caller of the current call. 0 or negative errno: the call must not be done. */
int identity_take(struct worker *w) _must_check_;
/* The number of the mount that a descriptor was opened on. 0 or negative errno. */
int identity_mount_of(int fd, uint64_t *ret) _must_check_;
/*
 * May a file of that place get these mode bits? Not to run as its owner or group, where the owner
 * may be the machine's root and the file is seen outside.
 */
bool identity_allows_mode(const struct worker *w, int fd, const struct stat *st, mode_t mode);
/* The bits of its type and mode that a new file may get, wherever it is. */
mode_t identity_new_mode(const struct worker *w);
