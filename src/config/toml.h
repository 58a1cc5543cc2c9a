/*
 * Reads TOML 1.0 (https://toml.io/en/v1.0.0) into a tree in an arena. Strict:
 * what the document forbids is an error, with line and column. Every value
 * knows where it stands, so that who uses it can complain in the same way.
 * No recursion beyond TOML_MAX_DEPTH, no time beyond the length of the text.
 */
#pragma once

#include "base/arena.h"

/* Arrays and inline tables in each other, and parts of one dotted key. */
#define TOML_MAX_DEPTH 64

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_DATETIME, /* of any of the four kinds; text is what was written, checked */
	TOML_ARRAY,
	TOML_TABLE,
};

/* How a table came into being: what may still be put into it. */
enum toml_origin {
	TOML_IMPLICIT, /* a header named something in it */
	TOML_HEADER,
	TOML_DOTTED,	/* by a dotted key */
	TOML_INLINE,	/* complete; also of arrays that are values */
	TOML_OF_TABLES, /* an array made by [[headers]] */
};

struct toml {
	enum toml_type type;
	enum toml_origin origin;
	struct span text; /* STRING: decoded; DATETIME, INTEGER, FLOAT: as written */
	int64_t integer;
	double real;
	bool is_true;
	struct span key;	   /* of a member of a table, decoded */
	struct toml *first, *last; /* ARRAY and TABLE: items in their order */
	struct toml *next;	   /* in the same array or table */
	size_t n_items;
	size_t line, column; /* of the value, from 1; columns are Unicode scalars */
	size_t key_line, key_column;
	/* Bytes of the text, for who changes it: of the value; of a table with a header, the
	 * header. */
	size_t begin, end;
	size_t key_begin; /* of the key before `=`, all its parts */
	/* Of a table with a header, and of the document: where the lines of its own end. */
	size_t own_end;
};

struct toml_error {
	size_t line, column;
	char message[160];
};

/* Everything lives in the arena. -EBADMSG with *error filled, or -ENOMEM (filled as well). */
int toml_parse(struct arena *a, struct span text, struct toml **ret,
	       struct toml_error *error) _must_check_;

/* The member, or NULL; also NULL where table is NULL or none. */
const struct toml *toml_get(const struct toml *table, const char *key);
const struct toml *toml_get_span(const struct toml *table, struct span key);
/* "string", "array", ... */
const char *toml_type_name(enum toml_type type);
