/*
 * Process 1 of the container. It prepares everything, starts the command's
 * process, gives up its privileges, and from then on only waits: for children
 * to end, for signals to pass on, for the caller to go away. When it ends the
 * kernel kills whatever is left in the container.
 */
#pragma once

#include "sandbox/sandbox.h"

struct init {
	const struct sandbox_options *options;
	int control_fd; /* to the caller of sandbox_start */
	int gate_fd;	/* for the command's process */
	uid_t uid;	/* of the caller; a new user namespace cannot tell */
	gid_t gid;
};

/* The whole life of the process; does not return. */
_noreturn_ void init_main(const struct init *i);

/* In a new user namespace, made by the user with these ids: gives them the same numbers inside. */
int init_map_ids(uid_t uid, gid_t gid, struct err *err) _must_check_;
