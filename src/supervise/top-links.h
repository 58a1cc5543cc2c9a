/*
 * The symlinks in the root directory that lead into /usr on most systems (/bin,
 * /lib, ...). Where nobody inside can change that directory they are read once,
 * so that paths through them need not be resolved each time: what such a path
 * means is guessed, and the kernel is then told to follow no link at all.
 */
#pragma once

#include "base/span.h"

#define TOP_LINKS 8
#define TOP_LINK_TEXT 64

struct top_links {
	struct top_link {
		struct span name;	    /* "/lib" */
		char target[TOP_LINK_TEXT]; /* "/usr/lib" */
		size_t target_len;
	} items[TOP_LINKS];
	size_t n;
};

/* Reads them below "/". Finds none where the directory could be changed. */
void top_links_read(struct top_links *l);
/* The path with its first link followed: in out, NUL-terminated, or the path itself. */
struct span top_links_follow(const struct top_links *l, struct span path, char *out, size_t size);
