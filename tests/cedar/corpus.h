/*
 * Reading the conformance data: xz-compressed JSON lines and tar archives.
 * The folder comes from the first argument or LEASH_CEDAR_CORPUS; a test that
 * does not find it exits 77.
 */
#pragma once

#include <jansson.h>

#include "corpus-read.h"

typedef void (*corpus_line_fn)(json_t *line, void *ctx);
/* Calls fn for each line, parsed. */
void corpus_each_line(const char *folder, const char *name, corpus_line_fn fn, void *ctx);
/* Calls fn for each regular file of a tar archive. */
void corpus_each_member(struct span archive,
			void (*fn)(struct span name, struct span data, void *ctx), void *ctx);
json_t *corpus_parse_json(struct span text);
struct span corpus_string(const json_t *s);
