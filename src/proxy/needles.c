#include "proxy/needles.h"

#include <errno.h>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/secret.h"

#define HASH_BITS 12

static size_t hash(const char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return (word * UINT32_C(0x9e3779b1)) >> (32 - HASH_BITS);
}

static size_t bucket_of(const char *p)
{
	return hash(p) * NEEDLES_BUCKETS >> HASH_BITS;
}

static bool has_bit(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}

static void set_bit(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << (i % 64);
}

static bool is_of_class(char c, char like)
{
	if (like >= 'a' && like <= 'z')
		return c >= 'a' && c <= 'z';
	if (like >= 'A' && like <= 'Z')
		return c >= 'A' && c <= 'Z';
	if (like >= '0' && like <= '9')
		return c >= '0' && c <= '9';
	return c == like;
}

static bool is_one_of(enum needle_letters letters, char c, char like)
{
	switch (letters) {
	case NEEDLE_OUTLINE:
		return is_of_class(c, like);
	case NEEDLE_BASE64:
		return base64_is_letter(c);
	case NEEDLE_BASE64URL:
		return c == '-' || c == '_' || ascii_is_alnum(c);
	case NEEDLE_HEX:
		return ascii_hex_value(c) >= 0;
	}
	return false;
}

/* Does the text, as far as both go, have the needle's outline? */
static bool fits(const struct needle *one, struct span text)
{
	size_t len = MIN(text.len, one->text.len);

	for (size_t i = 0; i < len; i++)
		if (i < NEEDLE_COMMON ? text.p[i] != one->text.p[i]
				      : !is_one_of(one->letters, text.p[i], one->replacement[i]))
			return false;
	return true;
}

static size_t common(const char *a, const char *b, size_t len)
{
	size_t n = 0;

	while (n < len && a[n] == b[n])
		n++;
	return n;
}

int needles_add(struct needles *n, const struct needle *needle)
{
	struct needle one = *needle;
	uint32_t *bucket;

	if (one.text.len <= NEEDLE_COMMON || !fits(&one, one.text) ||
	    memcmp(one.text.p, one.replacement, NEEDLE_COMMON) != 0)
		return -EINVAL;
	one.n_known = common(one.text.p, one.replacement, one.text.len);
	bucket = &n->buckets[bucket_of(one.text.p)];
	one.next = *bucket;
	vec_push(&n->all, one);
	*bucket = (uint32_t)n->all.len;
	set_bit(n->filter, hash(one.text.p));
	set_bit(n->firsts, (unsigned char)one.text.p[0]);
	return 0;
}

void needles_done(struct needles *n)
{
	vec_done(&n->all);
	*n = (struct needles){ 0 };
}

size_t needles_next(const struct needles *n, struct span text, size_t from)
{
	size_t i = from;

	if (!n->all.len)
		return text.len;
	for (; i + NEEDLE_COMMON <= text.len; i++)
		if (has_bit(n->filter, hash(text.p + i)))
			return i;
	for (; i < text.len; i++)
		if (has_bit(n->firsts, (unsigned char)text.p[i]))
			return i;
	return text.len;
}

/* The first of those that begin as the text does, if any does, and the one after it. */
static const struct needle *first_like(const struct needles *n, struct span text)
{
	size_t at = text.len > NEEDLE_COMMON ? n->buckets[bucket_of(text.p)] : 0;

	return at ? &n->all.items[at - 1] : NULL;
}

static const struct needle *next_like(const struct needles *n, const struct needle *one)
{
	return one->next ? &n->all.items[one->next - 1] : NULL;
}

const struct needle *needles_match(const struct needles *n, struct span text)
{
	const struct needle *best = NULL;

	for (const struct needle *one = first_like(n, text); one; one = next_like(n, one))
		if (one->text.len <= text.len && fits(one, text) &&
		    secret_bytes_eq(one->text.p, text.p, one->text.len) &&
		    (!best || one->text.len > best->text.len))
			best = one;
	return best;
}

const struct needle *needles_match_cut(const struct needles *n, struct span text)
{
	const struct needle *best = NULL;

	for (const struct needle *one = first_like(n, text); one; one = next_like(n, one))
		if (text.len < one->text.len && text.len >= one->n_known + NEEDLE_CUT_MIN &&
		    memcmp(one->text.p, text.p, text.len) == 0 &&
		    (!best || one->text.len < best->text.len))
			best = one;
	return best;
}

bool needles_may_begin(const struct needles *n, struct span text)
{
	for (size_t i = 0; i < n->all.len; i++)
		if (n->all.items[i].text.len > text.len && fits(&n->all.items[i], text))
			return true;
	return false;
}

bool needles_has_outline(const struct needles *n, struct span text)
{
	for (size_t i = 0; i < n->all.len; i++)
		if (fits(&n->all.items[i], text))
			return true;
	return false;
}
