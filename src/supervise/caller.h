/*
 * Bringing a caller's arguments over: its paths and the directories they
 * start from.
 */
#pragma once

#include "supervise/resolve.h"
#include "supervise/worker.h"

/* Copies the path at address into out (LIMIT_PATH + 1 bytes). 0 or the errno the call fails with.
 */
int caller_read_path(struct worker *w, uint64_t address, char *out) _must_check_;
/*
 * The directory that a path starts from: an O_PATH descriptor for a relative
 * one, -1 in *ret for an absolute one. dir_fd is the caller's, or AT_FDCWD.
 */
int caller_open_base(struct worker *w, int dir_fd, const char *path, int *ret) _must_check_;
/*
 * Both of these, then the look-up: the object or place that (dir_fd, address)
 * means. With AT_EMPTY_PATH among at_flags an empty path is the descriptor
 * itself. The path stays in out.
 */
int caller_resolve(struct worker *w, int dir_fd, uint64_t address, unsigned at_flags,
		   enum resolve_want want, char *out, struct place *ret) _must_check_;
