/*
 * Limits on the container: a cgroup of its own where the system delegates one,
 * resource limits of the process otherwise.
 */
#pragma once

#include "sandbox/sandbox.h"

/*
 * Parent side: makes a cgroup below our own and moves init into it. Returns the
 * bits of what could not be applied, as struct sandbox has them; *ret_path is
 * the cgroup's directory to remove at the end, or NULL.
 */
uint64_t limits_apply_cgroup(const struct sandbox_limits *l, pid_t init_pid, char **ret_path);
void limits_remove_cgroup(const char *path);
/* In the command, before exec: no core dumps, a bounded number of processes. */
int limits_apply_process(const struct sandbox_limits *l, struct err *err) _must_check_;
