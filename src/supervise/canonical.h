/*
 * What an object is called: the canonical path of a descriptor, as the
 * container sees it. Never taken from a string that the agent gave.
 */
#pragma once

#include <sys/stat.h>

#include "base/span.h"

struct supervisor;

struct canonical {
	struct span path; /* absolute, in the caller's buffer; empty for a nameless object */
	bool is_nameless; /* pipe, socket, memfd, anonymous inode: not part of the tree */
	bool is_deleted;  /* path is the last name it had */
};

/*
 * Writes the name of the object behind fd (its stat given) into out. Must be
 * called by a worker, whose working directory is the supervisor's own
 * descriptors. -ENAMETOOLONG beyond PATH_MAX: nothing can be decided then.
 */
int canonical_of(const struct supervisor *s, int fd, const struct stat *st, char *out, size_t size,
		 struct canonical *ret) _must_check_;
/* Appends "/name" to the directory's path in out. */
int canonical_append(struct span *path, char *out, size_t size, struct span name) _must_check_;
