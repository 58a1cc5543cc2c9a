/*
 * A run of bytes that somebody else owns. Not NUL-terminated.
 */
#pragma once

#include <string.h>

#include "base/ascii.h"
#include "base/attributes.h"

struct span {
	const char *p;
	size_t len;
};

#define SPAN(literal) ((struct span){ ("" literal), sizeof(literal) - 1 })
/* printf("%.*s", SPAN_ARG(s)); only for spans shorter than INT_MAX. */
#define SPAN_ARG(s) ((int)(s).len), ((s).p)

static inline struct span span_of(const char *s)
{
	return (struct span){ s, s ? strlen(s) : 0 };
}

static inline struct span span_make(const void *p, size_t len)
{
	return (struct span){ p, len };
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool span_eq_str(struct span a, const char *s)
{
	/* Most differ in their first byte: no need to find the end. */
	return (!s || (a.len ? a.p[0] == s[0] : !s[0])) && span_eq(a, span_of(s));
}

/* Letters of ASCII count the same in either case. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

/* Without the blanks and tabs around it. */
static inline struct span span_trim(struct span s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct span){ s.p + 1, s.len - 1 };
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

static inline bool span_starts_with(struct span s, struct span prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

static inline bool span_ends_with(struct span s, struct span suffix)
{
	return s.len >= suffix.len &&
	       (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

/* Order by bytes, then by length; for qsort and sorted tables. */
static inline int span_cmp(struct span a, struct span b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline struct span span_from(struct span s, size_t offset)
{
	return offset >= s.len ? (struct span){ s.p + s.len, 0 } :
				 (struct span){ s.p + offset, s.len - offset };
}
