/*
 * What runs inside the container before and beside the command: pid 1, and
 * the command's process up to its execve. Messages between them and the
 * parent are in sandbox-messages.h.
 */
#pragma once

#include "sandbox/sandbox.h"

/* Who the caller is outside: inside nobody knows before the ids are mapped. */
struct init_ids {
	uid_t uid;
	gid_t gid;
};

/* In the new namespaces, as pid 1. control_fd talks with the parent, gate_fd becomes the command's. */
_noreturn_ void init_main(const struct sandbox_options *o, struct init_ids ids, int control_fd, int gate_fd);
/* In the command's process; pty_fd is the slave or -1. */
_noreturn_ void command_main(const struct sandbox_options *o, int gate_fd, int pty_fd);
