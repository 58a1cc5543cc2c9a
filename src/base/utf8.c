#include "base/utf8.h"

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_decode_any(struct span s, uint32_t *ret)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s.p;
	uint32_t scalar;
	size_t n;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < n)
		return 0;
	scalar = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (!is_continuation(p[i]))
			return 0;
		scalar = scalar << 6 | (p[i] & 0x3fu);
	}
	if (scalar < least[n] || scalar > 0x10ffff || (scalar >= 0xd800 && scalar <= 0xdfff))
		return 0;
	*ret = scalar;
	return n;
}

bool utf8_is_valid(struct span s)
{
	while (s.len) {
		uint32_t scalar;
		size_t n = utf8_decode(s, &scalar);

		if (n == 0)
			return false;
		s = span_from(s, n);
	}
	return true;
}

/* How many bytes at the beginning are ASCII; eight at a time. */
static size_t count_ascii(struct span s)
{
	size_t n = 0;
	uint64_t eight;

	for (; n + sizeof(eight) <= s.len; n += sizeof(eight)) {
		memcpy(&eight, s.p + n, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (n < s.len && (unsigned char)s.p[n] < 0x80)
		n++;
	return n;
}

/*
 * Could the bytes, fewer than a character has, be the beginning of one? What may
 * stand in its second place is a range that has one end in common with all
 * continuation bytes, so one of these two completes it if anything does.
 */
static bool may_begin_character(struct span s)
{
	static const unsigned char ends[] = { 0x80, 0xbf };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		char whole[4];
		uint32_t scalar;

		memset(whole, ends[i], sizeof(whole));
		memcpy(whole, s.p, s.len);
		if (utf8_decode_any(span_make(whole, sizeof(whole)), &scalar) > s.len)
			return true;
	}
	return false;
}

static bool keep_tail(struct utf8_check *c, struct span s)
{
	if (s.len >= sizeof(c->tail) || !may_begin_character(s))
		return false;
	memmove(c->tail, s.p, s.len);
	c->n_tail = s.len;
	return true;
}

/* Goes on with the character that the piece before ended in. */
static bool complete_tail(struct utf8_check *c, struct span *s)
{
	while (c->n_tail && s->len) {
		struct span whole = { c->tail, c->n_tail + 1 };
		uint32_t scalar;

		c->tail[c->n_tail] = s->p[0];
		*s = span_from(*s, 1);
		c->n_tail = 0;
		if (utf8_decode(whole, &scalar) == 0 && !keep_tail(c, whole))
			return false;
	}
	return true;
}

bool utf8_check_feed(struct utf8_check *c, struct span s)
{
	if (!complete_tail(c, &s))
		return false;
	while (s.len) {
		uint32_t scalar;
		size_t n = count_ascii(s);

		s = span_from(s, n);
		if (!s.len)
			break;
		n = utf8_decode(s, &scalar);
		if (n == 0)
			return keep_tail(c, s);
		s = span_from(s, n);
	}
	return true;
}

size_t utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool utf8_is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe007f);
}
