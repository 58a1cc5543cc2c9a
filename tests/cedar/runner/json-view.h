/*
 * JSON as it lies in the text. A value is the span that holds it; nothing is
 * copied or allocated until a string is asked for. The conformance data is
 * well-formed; what is not ends a walk early instead of being diagnosed.
 */
#pragma once

#include "base/arena.h"

/* A value with the blanks around it cut off; empty where there is none. */
struct json_view {
	struct span raw;
};

struct json_walk {
	const char *at, *end;
	bool is_object;
};

/* The first value of the text. */
struct json_view json_view_of(struct span text);
/* Walks the members of an object or the items of an array; other values have none. */
struct json_walk json_walk(struct json_view v);
/* The next member; ret_key is the undecoded text between its quotes, empty for items. */
bool json_walk_next(struct json_walk *w, struct span *ret_key, struct json_view *ret);
/* The member of that name (which needs no escape), or an empty view. */
struct json_view json_view_get(struct json_view object, const char *key);
size_t json_view_len(struct json_view v);

/* The decoded text: inside the document where nothing is escaped, else in the arena. */
struct span json_view_string(struct json_view v, struct arena *arena);
/* The same for a key, or any text between quotes. */
struct span json_view_unescape(struct span raw, struct arena *arena);

bool json_view_is(struct json_view v, const char *literal);
static inline bool json_view_is_true(struct json_view v)
{
	return json_view_is(v, "true");
}
static inline bool json_view_is_null(struct json_view v)
{
	return v.raw.len == 0 || json_view_is(v, "null");
}
static inline bool json_view_is_string(struct json_view v)
{
	return v.raw.len && v.raw.p[0] == '"';
}

/* The same value: members in any order, strings and keys by what they mean, numbers by their text.
 */
bool json_view_eq(struct json_view a, struct json_view b, struct arena *scratch);
