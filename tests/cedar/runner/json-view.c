#include "json-view.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/vec.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* Behind the closing quote of the string whose opening quote is at `at`. */
static const char *skip_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '\\')
			at++;
		else if (*at == '"')
			return at + 1;
	}
	return end;
}

/* Behind the object or array that begins at `at`. */
static const char *skip_nested(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at + 1;
		at++;
	}
	return end;
}

static const char *skip_value(const char *at, const char *end)
{
	if (at == end)
		return end;
	if (*at == '"')
		return skip_string(at, end);
	if (*at == '{' || *at == '[')
		return skip_nested(at, end);
	while (at < end && !is_blank(*at) && *at != ',' && *at != '}' && *at != ']')
		at++;
	return at;
}

struct json_view json_view_of(struct span text)
{
	const char *end = text.p + text.len;
	const char *at = skip_blanks(text.p, end);

	return (struct json_view){ { at, (size_t)(skip_value(at, end) - at) } };
}

struct json_walk json_walk(struct json_view v)
{
	if (v.raw.len < 2 || (v.raw.p[0] != '{' && v.raw.p[0] != '['))
		return (struct json_walk){ 0 };
	return (struct json_walk){ v.raw.p + 1, v.raw.p + v.raw.len - 1, v.raw.p[0] == '{' };
}

bool json_walk_next(struct json_walk *w, struct span *ret_key, struct json_view *ret)
{
	struct span key = { "", 0 };
	const char *begin;

	w->at = skip_blanks(w->at, w->end);
	if (w->at < w->end && *w->at == ',')
		w->at = skip_blanks(w->at + 1, w->end);
	if (w->at >= w->end)
		return false;
	if (w->is_object) {
		begin = w->at;
		w->at = skip_value(begin, w->end);
		key = (struct span){ begin + 1, (size_t)(w->at - begin) - 2 };
		w->at = skip_blanks(w->at, w->end);
		if (*begin != '"' || w->at == w->end || *w->at != ':')
			return false;
		w->at = skip_blanks(w->at + 1, w->end);
	}
	begin = w->at;
	w->at = skip_value(begin, w->end);
	if (ret_key)
		*ret_key = key;
	*ret = (struct json_view){ { begin, (size_t)(w->at - begin) } };
	return w->at > begin;
}

struct json_view json_view_get(struct json_view object, const char *name)
{
	struct json_walk w = json_walk(object);
	struct json_view v;
	struct span key;

	while (w.is_object && json_walk_next(&w, &key, &v))
		if (span_eq_str(key, name))
			return v;
	return (struct json_view){ 0 };
}

size_t json_view_len(struct json_view v)
{
	struct json_walk w = json_walk(v);
	size_t n = 0;

	while (json_walk_next(&w, NULL, &v))
		n++;
	return n;
}

static uint32_t hex4(const char *at, const char *end)
{
	uint32_t n = 0;

	for (int i = 0; i < 4 && at + i < end; i++) {
		char c = at[i];

		n = n << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n;
}

/* Decodes the escape behind the backslash at `at`; returns what is behind it. */
static const char *unescape_one(const char *at, const char *end, char *out, size_t *len)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	uint32_t scalar;
	const char *found;

	if (at == end)
		return end;
	if (*at != 'u') {
		found = strchr(from, *at);
		out[(*len)++] = found && *found ? to[found - from] : *at;
		return at + 1;
	}
	scalar = hex4(at + 1, end);
	at = end - at > 5 ? at + 5 : end;
	if (scalar >> 10 == 0x36 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
		scalar = 0x10000 + ((scalar & 0x3ff) << 10) + (hex4(at + 2, end) & 0x3ff);
		at += 6;
	}
	*len += utf8_encode(scalar, out + *len);
	return at;
}

struct span json_view_unescape(struct span raw, struct arena *arena)
{
	const char *end = raw.p + raw.len;
	const char *next = raw.len ? memchr(raw.p, '\\', raw.len) : NULL;
	size_t len = 0;
	char *out;

	if (!next)
		return raw;
	/* No escape is shorter than what it stands for. */
	out = arena_alloc(arena, raw.len + 1);
	if (!out)
		abort();
	for (const char *at = raw.p; at < end;) {
		size_t run;

		next = memchr(at, '\\', (size_t)(end - at));
		run = (size_t)((next ? next : end) - at);
		memcpy(out + len, at, run);
		len += run;
		at += run;
		if (next)
			at = unescape_one(at + 1, end, out, &len);
	}
	return (struct span){ out, len };
}

struct span json_view_string(struct json_view v, struct arena *arena)
{
	if (!json_view_is_string(v) || v.raw.len < 2)
		return (struct span){ "", 0 };
	return json_view_unescape((struct span){ v.raw.p + 1, v.raw.len - 2 }, arena);
}

bool json_view_is(struct json_view v, const char *literal)
{
	return span_eq_str(v.raw, literal);
}

struct member {
	struct span key;
	struct json_view value;
};

static int cmp_members(const void *a, const void *b)
{
	return span_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

struct member_list {
	struct member *items;
	size_t len, cap;
};

/* The members in the order of their keys; items in their own. */
static struct member_list members(struct json_view v, struct arena *arena)
{
	struct json_walk w = json_walk(v);
	struct member_list list = { 0 };
	struct member m;

	while (json_walk_next(&w, &m.key, &m.value)) {
		m.key = json_view_unescape(m.key, arena);
		vec_push(&list, m);
	}
	if (list.len && v.raw.p[0] == '{')
		qsort(list.items, list.len, sizeof(*list.items), cmp_members);
	return list;
}

bool json_view_eq(struct json_view a, struct json_view b, struct arena *scratch)
{
	struct member_list of_a, of_b;
	bool is_same;

	if (a.raw.len == 0 || b.raw.len == 0 || span_eq(a.raw, b.raw))
		return a.raw.len == b.raw.len;
	if (a.raw.p[0] == '"' && b.raw.p[0] == '"')
		return span_eq(json_view_string(a, scratch), json_view_string(b, scratch));
	if (a.raw.p[0] != b.raw.p[0] || (a.raw.p[0] != '{' && a.raw.p[0] != '['))
		return false;
	of_a = members(a, scratch);
	of_b = members(b, scratch);
	is_same = of_a.len == of_b.len;
	for (size_t i = 0; is_same && i < of_a.len; i++)
		is_same = span_eq(of_a.items[i].key, of_b.items[i].key) &&
			  json_view_eq(of_a.items[i].value, of_b.items[i].value, scratch);
	vec_done(&of_a);
	vec_done(&of_b);
	return is_same;
}
