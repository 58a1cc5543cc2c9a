/*
 * Paths as text: absolute, without "." and "..", component-wise comparison.
 * What a path *is* the kernel decides (see supervise/); these functions only
 * handle names that are already resolved, or text a user wrote.
 */
#pragma once

#include "base/buf.h"

/* Is path the directory dir itself or something below it, component by component? */
bool path_is_within(struct span path, struct span dir);
/* Is path below dir, not dir itself? A final slash of either does not matter. */
bool path_is_below(struct span path, struct span dir);
/* Appends base + "/" + name as an absolute path without ".", "..", "//" (text only, no look-up). */
int path_normalise(struct span base, struct span name, struct buf *out);
/* A newly allocated "dir/name"; one slash between them. */
char *path_join(const char *dir, const char *name) _must_check_;
/* The part after the last slash. */
struct span path_base_name(struct span path);
/* What stands before that part, with its slash; empty where nothing does. */
struct span path_directory(struct span path);

/*
 * The canonical name of a path of which the last parts may not exist yet: the
 * longest existing prefix resolved by the kernel, the rest appended. Newly
 * allocated, or NULL (errno).
 */
char *path_resolve(const char *path) _must_check_;
