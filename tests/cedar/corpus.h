/*
 * Reading the conformance data: xz-compressed JSON lines and tar archives.
 * The folder comes from the first argument or LEASH_CEDAR_CORPUS; a test that
 * does not find it exits 77.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* Exits 77 with a reason when the folder is not there. */
const char *corpus_folder(int argc, char **argv);
/* The whole decompressed file; exits with a message on any error. */
void corpus_read(const char *folder, const char *name, struct buf *out);
typedef void (*corpus_line_fn)(json_t *line, void *ctx);
/* Calls fn for each line, parsed. */
void corpus_each_line(const char *folder, const char *name, corpus_line_fn fn, void *ctx);
/* Calls fn for each regular file of a tar archive. */
void corpus_each_member(struct span archive,
			void (*fn)(struct span name, struct span data, void *ctx), void *ctx);
json_t *corpus_parse_json(struct span text);
struct span corpus_string(const json_t *s);

struct tally {
	size_t passed, failed, skipped;
};

/* Counts, and prints what failed. Returns ok. */
bool tally_check(struct tally *t, bool ok, const char *fmt, ...) _printf_(3, 4);
/* Prints the last line and returns the exit code. */
int tally_end(const struct tally *t);
