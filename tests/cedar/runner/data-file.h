/*
 * The files of conformance data: plain or .xz, JSON lines, tar archives, and
 * folders; the last two look alike from here.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"

/* The whole content; of a name that ends in .xz, decompressed by xz(1). */
int data_file_read(const char *path, struct buf *out, struct err *err) _must_check_;

/* The next line of the rest, without its end; false at the end of the text. Empty lines are left
 * out. */
bool data_next_line(struct span *rest, struct span *ret_line);

/* Files by their names relative to one root. */
struct data_tree {
	struct map files; /* name -> struct buf *, owned */
	char **names;	  /* sorted */
	size_t n_names;
	size_t cap_names;
};

/* The .json, .cedar, .cedarschema, .snap files below a folder, or of a (compressed) tar archive. */
int data_tree_read(const char *path, struct data_tree *ret, struct err *err) _must_check_;
void data_tree_done(struct data_tree *t);
/* Empty with p == NULL where there is no such file. */
struct span data_tree_get(const struct data_tree *t, struct span name);
