/*
 * Writes JSON into a buffer, compact, keys in the order of the calls. Commas
 * are put by the writer; nesting is at most 32 deep. Strings that are not
 * UTF-8 are written with each bad byte as \udcXX (a lone low surrogate), so
 * that no two different byte strings look alike; control, bidirectional and
 * zero-width characters are escaped, so that text is safe to show.
 */
#pragma once

#include "base/buf.h"

struct json_writer {
	struct buf *out;
	unsigned depth;
	uint32_t has_items; /* bit per depth: a comma is due */
	bool after_key;
};

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
/* The key is a literal that needs no escape. */
void json_key(struct json_writer *w, const char *key);
void json_string(struct json_writer *w, struct span s);
void json_int(struct json_writer *w, int64_t n);
void json_uint(struct json_writer *w, uint64_t n);
void json_bool(struct json_writer *w, bool b);

/* A key with its value. The _opt form leaves empty strings out. */
void json_key_string(struct json_writer *w, const char *key, struct span s);
void json_key_string_opt(struct json_writer *w, const char *key, struct span s);
void json_key_int(struct json_writer *w, const char *key, int64_t n);
void json_key_uint(struct json_writer *w, const char *key, uint64_t n);
void json_key_bool(struct json_writer *w, const char *key, bool b);
