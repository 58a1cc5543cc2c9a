/*
 * What the container may use of the machine: a cgroup of its own where the
 * caller may make one, resource limits of the process otherwise.
 */
#pragma once

#include "sandbox/sandbox.h"

/*
 * Makes a cgroup below the nearest one that is the caller's to divide, with
 * the limits. Whatever cannot be had is added to *not_applied, bit by bit;
 * without a cgroup cg stays as it was.
 */
void limits_make_cgroup(const struct sandbox_limits *l, struct sandbox_cgroup *cg,
			uint64_t *not_applied);
/* The kernel let nobody be born there: removes the cgroup and says what is not to be had now. */
void limits_do_without_cgroup(const struct sandbox_limits *l, struct sandbox_cgroup *cg,
			      uint64_t *not_applied);
void limits_remove_cgroup(struct sandbox_cgroup *cg);
/* In the command's process: limits that it and its children inherit. */
int limits_apply(const struct sandbox_limits *l, struct err *err) _must_check_;
