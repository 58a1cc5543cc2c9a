/*
 * Between the files of the TOML reader: the text with the place in it, and
 * what each reads.
 */
#pragma once

#include <errno.h>

#include "base/map.h"
#include "config/toml.h"

struct toml_reader {
	struct arena *arena;
	struct span text;
	size_t at;
	size_t line_begin, line; /* of the line that `at` is in */
	struct toml_error *error;
	struct map members; /* table and key to the member */
	size_t depth;
};

/* Fills the error for the place and returns -EBADMSG. */
int toml_fail_at(struct toml_reader *r, size_t at, const char *fmt, ...) _printf_(3, 4);
int toml_out_of_memory(struct toml_reader *r);
/* Sets line and column of a place in the present line. */
void toml_place(const struct toml_reader *r, size_t at, size_t *ret_line, size_t *ret_column);

/* The byte at the place, or -1 at the end. */
static inline int toml_peek(const struct toml_reader *r, size_t ahead)
{
	return r->at + ahead < r->text.len ? (unsigned char)r->text.p[r->at + ahead] : -1;
}

static inline bool toml_looking_at(const struct toml_reader *r, const char *s, size_t len)
{
	return r->text.len - r->at >= len && memcmp(r->text.p + r->at, s, len) == 0;
}

void toml_skip_blanks(struct toml_reader *r);
/* A newline, LF or CRLF. */
bool toml_take_newline(struct toml_reader *r);
/* A comment, if there is one. */
int toml_skip_comment(struct toml_reader *r);

struct toml_key {
	struct span parts[TOML_MAX_DEPTH];
	size_t at[TOML_MAX_DEPTH];
	size_t n, line, column;
};

/* a."b c".d */
int toml_read_key(struct toml_reader *r, struct toml_key *ret);
bool toml_is_bare(int c);

/* toml-string.c: any of the four kinds; is_key: not those of several lines. */
int toml_read_string(struct toml_reader *r, bool is_key, struct span *ret);
/* toml-scalar.c: numbers, dates, booleans. */
int toml_read_scalar(struct toml_reader *r, struct toml *ret);
