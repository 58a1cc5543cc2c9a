/*
 * What a program that has just been executed consists of: besides the program
 * itself the interpreter that its ELF header names (PT_INTERP), which runs in
 * its place. A dynamic loader is a library like others; anything else is a
 * program and decided as one. To be asked at the exec stop, when nothing else
 * is mapped yet.
 */
#pragma once

#include "supervise/decide.h"

#define IMAGE_LOADERS 4

/*
 * Loaders that were looked at before, for one worker. Their descriptors keep
 * the inodes from being given to other files, and none of them can be changed
 * in the container.
 */
struct image_loaders {
	struct image_file {
		dev_t dev;
		ino_t ino;
		bool is_c_library; /* see program.h */
	} files[IMAGE_LOADERS];
	int fds[IMAGE_LOADERS];
	size_t n;
};

/*
 * False when an interpreter is denied, or cannot be seen: then *ret_denied is
 * its path (in w->name2), if there is one, and *v the verdict. *ret_begins_in_loader: it begins
 * in a loader that was looked at before and opens a library before the program's own code runs.
 */
bool image_is_permitted(struct worker *w, int dir_fd, const struct stat *image, struct verdict *v,
			struct span *ret_denied, bool *ret_begins_in_loader) _must_check_;
void image_loaders_done(struct image_loaders *l);
