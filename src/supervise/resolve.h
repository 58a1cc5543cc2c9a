/*
 * From a path that the agent gave to the object it means, as a descriptor.
 *
 * The kernel does the walking (openat2) where it can; where a path leads
 * through /proc/self, a descriptor's magic link or the like, which would mean
 * the supervisor and not the caller, the path is walked here component by
 * component, with the caller's numbers put in place of "self".
 */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "base/attributes.h"

struct worker;

enum resolve_want {
	RESOLVE_OBJECT,	     /* the object, following a final symlink */
	RESOLVE_LINK,	     /* the object, not following a final symlink */
	RESOLVE_CREATE,	     /* as RESOLVE_OBJECT, or where it would be created */
	RESOLVE_CREATE_LINK, /* as RESOLVE_LINK, or where it would be created */
	RESOLVE_PARENT,	     /* the directory and the last component; the object is not looked up */
};

struct place {
	int fd;		/* O_PATH of the object, or -1 where there is none or it was not wanted */
	struct stat st; /* of fd */
	int parent_fd;	/* O_PATH of the directory, or -1 where not wanted */
	char name[NAME_MAX + 2]; /* the last component, with a final slash if the path had one */
	bool has_slash;		 /* the path ended in a slash: only a directory will do */
	bool is_special;	 /* name is ".", ".." or "/": no call can make or remove that */
};

#define PLACE_INIT                                                                                 \
	{                                                                                          \
		.fd = -1, .parent_fd = -1                                                          \
	}

/*
 * base_fd: where a relative path starts (ignored for absolute ones); how: the
 * RESOLVE_* bits of openat2(2) that the caller asked for. 0 or the errno that
 * the call is to fail with.
 */
int resolve(struct worker *w, int base_fd, const char *path, enum resolve_want want, uint64_t how,
	    struct place *ret) _must_check_;
void place_done(struct place *p);

#define _cleanup_place_ _cleanup_(place_done)
