/*
 * The container's file tree: the host's own, read-only, with what is private
 * or writable mounted over it. Works in the caller's mount namespace, which
 * must be a new one, so nothing here is seen by the host. No directory is
 * ever read: the cost depends on the number of mounts, not of files.
 */
#pragma once

#include "sandbox/sandbox.h"

/*
 * writable: paths that stay writable, each with its NUL, one after the other; not those of o.
 * ret_file_fds: as many as o has files, to write them with.
 */
int mounts_make(const struct sandbox_options *o, struct span writable,
		int ret_file_fds[SANDBOX_MAX_FILES], struct err *err) _must_check_;

/* Is the path one of the directories that the container has for itself, or in one of them? */
bool mounts_is_private(const char *path);
