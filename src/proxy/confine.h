/*
 * What processes that read bytes of others give up before the first of them:
 * the steps that all such processes of this room have in common.
 */
#pragma once

#include <seccomp.h>

#include "base/err.h"

/* No core file, no reading by other processes of the user, no new privileges, no capabilities. */
int confine_process(struct err *err) _must_check_;
/*
 * No file but those named (NULL-terminated), read-only; no listening, no signals
 * and abstract sockets of others. Kernels without Landlock leave all to the
 * system call filter.
 */
int confine_files(const char *const *readable, struct err *err) _must_check_;

struct confine_calls {
	const int *allowed; /* whatever their arguments; the rest fails with ENOSYS */
	size_t n_allowed;
	/* Calls allowed with some arguments only, or NULL. */
	int (*add_checked)(scmp_filter_ctx ctx);
	/* A binary tree: the calls of a busy loop are found in a few steps. */
	bool is_busy;
};

/* Also allows memory that is not executable, and abort(3). What can only be an attack kills. */
int confine_calls(const struct confine_calls *c, struct err *err) _must_check_;
