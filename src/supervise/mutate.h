/*
 * What making and removing names has in common: the directory as a
 * descriptor, its canonical path with the name, and a look at what is there.
 */
#pragma once

#include "supervise/caller.h"
#include "supervise/canonical.h"
#include "supervise/decide.h"

struct target {
	struct place place; /* parent_fd and name */
	struct span path;   /* canonical; in w->name or w->name2 */
	bool exists;
	struct stat st; /* of what exists under the name, a symlink itself */
};

#define TARGET_INIT                                                                                \
	{                                                                                          \
		.place = PLACE_INIT                                                                \
	}

/* Reads the path argument and finds its directory. text: w->path or w->path2. */
int target_find(struct worker *w, int dir_fd, uint64_t address, char *text,
		struct target *ret) _must_check_;
/* With the tree lock held: the canonical path (in w->name, or w->name2 for the second) and what is
 * there. */
int target_look(struct worker *w, struct target *t, char *name) _must_check_;
void target_done(struct target *t);
#define _cleanup_target_ _cleanup_(target_done)
