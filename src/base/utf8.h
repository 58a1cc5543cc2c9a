/*
 * UTF-8 (RFC 3629): one strict decoder for the whole program.
 */
#pragma once

#include "base/span.h"

/* The length (1-4) of the well-formed sequence at the start of s, or 0. *ret is its scalar. */
size_t utf8_decode_any(struct span s, uint32_t *ret);

/* The same; ASCII, which most text is, without a call. */
static inline size_t utf8_decode(struct span s, uint32_t *ret)
{
	if (s.len && (unsigned char)s.p[0] < 0x80) {
		*ret = (unsigned char)s.p[0];
		return 1;
	}
	return utf8_decode_any(s, ret);
}

bool utf8_is_valid(struct span s);

/* Text that comes in pieces, of which one may end within a character. Zeroed before the first. */
struct utf8_check {
	char tail[4]; /* of a character that has begun */
	size_t n_tail;
};

/* False as soon as no byte that may follow could make it well-formed. */
bool utf8_check_feed(struct utf8_check *c, struct span s) _must_check_;
/* May the text end here? */
static inline bool utf8_check_is_whole(const struct utf8_check *c)
{
	return c->n_tail == 0;
}

/* Encodes a scalar value into out; returns the length, or 0 for a surrogate or > 0x10ffff. */
size_t utf8_encode(uint32_t scalar, char out[4]);
/*
 * Would the character act on a terminal or hide in a text instead of being
 * seen: C0 and C1 controls, DEL, bidirectional controls (Unicode TR 9), line
 * separators, zero-width characters? They are shown escaped wherever a name
 * that somebody else chose is shown.
 */
bool utf8_is_hidden(uint32_t scalar);
