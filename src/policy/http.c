#include "policy/http.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/text.h"

bool policy_is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_token_char(s.p[i]))
			return false;
	return s.len > 0;
}

static bool is_lower_case(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return false;
	return true;
}

/* No blank or control character, and none of `others`. */
static bool has_only_visible(struct span s, const char *others)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= 0x20 || c == 0x7f || strchr(others, c))
			return false;
	}
	return true;
}

/* The byte that the path begins with, encoded or not. Returns how many it takes. */
static size_t first_byte(struct span path, char *ret)
{
	int high = path.len >= 3 && path.p[0] == '%' ? ascii_hex_value(path.p[1]) : -1;
	int low = high >= 0 ? ascii_hex_value(path.p[2]) : -1;

	*ret = low >= 0 ? (char)(high << 4 | low) : path.p[0];
	return low >= 0 ? 3 : 1;
}

/*
 * Is there a component that some server takes for "." or ".."? Many decode
 * before they look, take a backslash for a slash, or what follows a semicolon
 * for no part of the name.
 */
static bool has_dot_component(struct span path)
{
	size_t n_dots = 0, n_others = 0;
	char c = 0;

	while (path.len) {
		path = span_from(path, first_byte(path, &c));
		if (c == '/' || c == '\\' || c == ';') {
			if (!n_others && (n_dots == 1 || n_dots == 2))
				return true;
			n_dots = n_others = 0;
		} else if (c == '.') {
			n_dots++;
		} else {
			n_others++;
		}
	}
	return !n_others && (n_dots == 1 || n_dots == 2);
}

static bool path_is_sound(struct span path)
{
	if (span_eq(path, SPAN("*")))
		return true;
	return path.len && path.p[0] == '/' && has_only_visible(path, "?#") &&
	       !has_dot_component(path);
}

static bool headers_are_sound(const struct policy_http *http)
{
	for (size_t i = 0; i < http->n_headers; i++)
		if (!policy_is_token(http->headers[i].name) ||
		    !is_lower_case(http->headers[i].name))
			return false;
	return true;
}

bool http_is_sound(const struct policy_http *http)
{
	return policy_is_token(http->method) &&
	       (span_eq(http->scheme, SPAN("http")) || span_eq(http->scheme, SPAN("https"))) &&
	       path_is_sound(http->path) && has_only_visible(http->query, "#") &&
	       headers_are_sound(http);
}

/* ---- Headers --------------------------------------------------------------------- */

/* By name; those of one name stay in their order, which the array they stand in has. */
static int by_name(const void *a, const void *b)
{
	const struct policy_header *const *x = a, *const *y = b;
	int c = span_cmp((*x)->name, (*y)->name);

	return c ? c : (*x > *y) - (*x < *y);
}

/* RFC 9113 §8.2.3: a cookie may come in pieces, which only "; " puts together again. */
static struct span separator_of(struct span name)
{
	return span_eq(name, SPAN("cookie")) ? SPAN("; ") : SPAN(", ");
}

static const struct cedar_value *joined_value(const struct policy_header *const *fields, size_t n,
					      struct arena *arena)
{
	struct span separator = separator_of(fields[0]->name), bytes = fields[0]->value, text;
	size_t len = bytes.len, at = 0;
	char *joined;

	if (n > 1) {
		for (size_t i = 1; i < n; i++)
			len += separator.len + fields[i]->value.len;
		joined = arena_alloc_array(arena, len + 1, 1);
		if (!joined)
			return NULL;
		for (size_t i = 0; i < n; i++) {
			struct span value = fields[i]->value;

			if (i)
				memcpy(joined + at, separator.p, separator.len);
			at += i ? separator.len : 0;
			if (value.len)
				memcpy(joined + at, value.p, value.len);
			at += value.len;
		}
		bytes = span_make(joined, len);
	}
	return text_in_arena(bytes, arena, &text) ? cedar_value_string(arena, text) : NULL;
}

const struct cedar_value *http_headers_value(const struct policy_http *http, struct arena *arena)
{
	size_t n = http->n_headers, n_entries = 0;
	const struct policy_header **fields = arena_alloc_array(arena, n + 1, sizeof(*fields));
	struct cedar_record_entry *entries = arena_alloc_array(arena, n + 1, sizeof(*entries));

	if (!fields || !entries)
		return NULL;
	for (size_t i = 0; i < n; i++)
		fields[i] = &http->headers[i];
	qsort(fields, n, sizeof(struct policy_header *), by_name);
	for (size_t first = 0, end; first < n; first = end) {
		struct cedar_record_entry *entry = &entries[n_entries++];

		end = first + 1;
		while (end < n && span_eq(fields[end]->name, fields[first]->name))
			end++;
		entry->key = fields[first]->name;
		entry->value = joined_value(&fields[first], end - first, arena);
		if (!entry->value)
			return NULL;
	}
	return cedar_value_record(arena, entries, n_entries);
}
