/*
 * Writes JSON into a buffer, compact, keys in the order of the calls. Commas
 * are put by the writer. Strings that are not
 * UTF-8 are written with each bad byte as \udcXX (a lone low surrogate), so
 * that no two different byte strings look alike; control, bidirectional and
 * zero-width characters are escaped, so that text is safe to show.
 */
#pragma once

#include "base/buf.h"

struct json_writer {
	struct buf *out;
	bool has_items; /* of the innermost open value: a comma is due before the next */
	bool after_key;
};

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
/* The key is a literal that needs no escape. */
void json_key(struct json_writer *w, const char *key);
/* Any key. */
void json_key_span(struct json_writer *w, struct span key);
void json_string(struct json_writer *w, struct span s);
void json_int(struct json_writer *w, int64_t n);
void json_uint(struct json_writer *w, uint64_t n);
void json_bool(struct json_writer *w, bool b);
void json_null(struct json_writer *w);

/* A key with its value. The _opt form leaves empty strings out. */
void json_key_string(struct json_writer *w, const char *key, struct span s);
void json_key_string_opt(struct json_writer *w, const char *key, struct span s);
/* Of text that surely needs no escape: a time, a hash. */
void json_key_plain(struct json_writer *w, const char *key, struct span s);
void json_key_int(struct json_writer *w, const char *key, int64_t n);
void json_key_uint(struct json_writer *w, const char *key, uint64_t n);
void json_key_bool(struct json_writer *w, const char *key, bool b);
