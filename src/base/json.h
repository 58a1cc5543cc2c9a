/*
 * Reads JSON (RFC 8259) into an arena: our own event logs, session.json, and
 * the documents of the API. Strict: no duplicate keys, no trailing text, UTF-8
 * only, at most JSON_MAX_DEPTH levels. One extension, the counterpart of
 * json-writer.h: \udc80 to \udcff alone stand for the bytes 80 to ff. That is
 * why it is not jansson, which refuses them. Documents of others (policies,
 * schemas, entities) are read with json_parse_with, and without it.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define JSON_MAX_DEPTH 32
#define JSON_MAX_MEMBERS 1024 /* of one object */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json {
	enum json_type type;
	bool is_true;		   /* JSON_BOOL */
	struct span text;	   /* JSON_STRING: decoded bytes; JSON_NUMBER: as written */
	struct span key;	   /* of a member of an object, decoded */
	struct json *first;	   /* JSON_ARRAY and JSON_OBJECT: in their order */
	struct json *next;	   /* the next item of the same array or object */
	size_t begin, end;	   /* the bytes of the text it was read from */
	size_t key_begin, key_end; /* of its key, with quotes */
};

struct json_options {
	size_t max_depth;	/* 0: JSON_MAX_DEPTH */
	size_t max_members;	/* 0: JSON_MAX_MEMBERS */
	bool want_only_unicode; /* a lone surrogate is an error, as RFC 8259 has it */
};

/* Everything lives in the arena, text included. -EBADMSG with the byte offset, or -ENOMEM. */
int json_parse(struct arena *a, struct span text, struct json **ret, struct err *err) _must_check_;

/* The same within other limits; *ret_offset (may be NULL) is the byte at fault after -EBADMSG. */
int json_parse_with(const struct json_options *options, struct arena *a, struct span text,
		    struct json **ret, size_t *ret_offset, struct err *err) _must_check_;

/* The member, or NULL; also NULL where object is NULL or none. */
const struct json *json_get(const struct json *object, const char *key);
/* The member's text, empty unless it is a string. */
struct span json_get_string(const struct json *object, const char *key);
/* Is the value a whole number from 0 to UINT64_MAX? */
bool json_to_uint(const struct json *value, uint64_t *ret);
/* Is the value a whole number of 64 bits, written without point and exponent? */
bool json_to_int(const struct json *value, int64_t *ret);
