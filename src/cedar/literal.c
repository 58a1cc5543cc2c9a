#include "cedar/literal.h"

#include <errno.h>

#include "base/utf8.h"

/* What one step over raw text yields. */
struct step {
	size_t len;	 /* raw bytes consumed */
	uint32_t scalar; /* the character they mean */
	bool is_star;	 /* written as \* */
};

/* \xHH, at most 7F. s begins at the backslash; on error *len is how much to blame. */
static int step_hex(struct span s, struct step *st)
{
	int high = s.len > 2 ? ascii_hex_value(s.p[2]) : -1;
	int low = s.len > 3 ? ascii_hex_value(s.p[3]) : -1;

	st->len = MIN(s.len, (size_t)4);
	if (high < 0 || low < 0 || high > 7)
		return -EINVAL;
	st->scalar = (uint32_t)(high * 16 + low);
	return 0;
}

/* \u{1 to 6 hex digits}, underscores allowed after the first. */
static int step_unicode(struct span s, struct step *st)
{
	uint32_t scalar = 0;
	size_t n_digits = 0;
	char utf8[4];
	size_t i;

	for (i = 3; i < s.len && s.p[i] != '}'; i++) {
		int v = ascii_hex_value(s.p[i]);

		if (s.p[i] == '_' && n_digits > 0)
			continue;
		if (v < 0 || ++n_digits > 6)
			break;
		scalar = scalar * 16 + (uint32_t)v;
	}
	st->len = MIN(s.len, i + 1);
	if (s.len < 4 || s.p[2] != '{' || i >= s.len || s.p[i] != '}' || n_digits == 0)
		return -EINVAL;
	if (utf8_encode(scalar, utf8) == 0)
		return -EINVAL;
	st->scalar = scalar;
	return 0;
}

static int step_escape(struct span s, bool is_pattern, struct step *st)
{
	static const char from[] = "\"\\'nrt0";
	static const char to[] = "\"\\'\n\r\t\0";
	const char *found;

	st->len = MIN(s.len, (size_t)2);
	if (s.len < 2)
		return -EINVAL;
	if (s.p[1] == 'x')
		return step_hex(s, st);
	if (s.p[1] == 'u')
		return step_unicode(s, st);
	if (s.p[1] == '*' && is_pattern) {
		st->scalar = '*';
		st->is_star = true;
		return 0;
	}
	found = s.p[1] ? strchr(from, s.p[1]) : NULL;
	if (!found)
		return -EINVAL;
	st->scalar = (unsigned char)to[found - from];
	return 0;
}

/* A bare carriage return is refused as the reference does: line ends would change a literal. */
static int next_step(struct span s, bool is_pattern, struct step *st)
{
	*st = (struct step){ 0 };
	if (s.p[0] == '\\')
		return step_escape(s, is_pattern, st);
	st->len = utf8_decode(s, &st->scalar);
	if (st->len == 0 || st->scalar == '\r') {
		st->len = 1;
		return -EINVAL;
	}
	return 0;
}

static int blame(struct cedar_range *bad, struct span raw, size_t at, size_t len)
{
	uint32_t scalar;

	/* Do not end inside a character. */
	while (at + len < raw.len && ((unsigned char)raw.p[at + len] & 0xc0) == 0x80 &&
	       utf8_decode(span_from(raw, at + len), &scalar) == 0)
		len++;
	*bad = (struct cedar_range){ at, at + len };
	return -EINVAL;
}

/* Does every byte mean itself? The text as a whole is known to be UTF-8. */
static bool is_plain(struct span raw)
{
	for (size_t i = 0; i < raw.len; i++)
		if (raw.p[i] == '\\' || raw.p[i] == '\r')
			return false;
	return true;
}

int literal_unescape(struct span raw, struct arena *arena, struct span *ret,
		     struct cedar_range *bad)
{
	size_t len = 0;
	struct step st;
	char *out;

	if (is_plain(raw)) {
		*ret = raw;
		return 0;
	}
	out = arena_alloc(arena, raw.len + 1);
	if (!out)
		return -ENOMEM;
	/* No escape is shorter than what it means, so the copy cannot outgrow raw. */
	for (size_t at = 0; at < raw.len; at += st.len) {
		char utf8[4];
		size_t n;

		if (next_step(span_from(raw, at), /* is_pattern = */ false, &st) < 0)
			return blame(bad, raw, at, st.len);
		n = utf8_encode(st.scalar, utf8);
		memcpy(out + len, utf8, n);
		len += n;
	}
	*ret = (struct span){ out, len };
	return 0;
}

struct pattern_builder {
	struct cedar_pattern_piece *pieces;
	size_t n;
	char *text; /* of all literals, one after the other */
	size_t len;
};

static void pattern_add(struct pattern_builder *b, const struct step *st)
{
	struct cedar_pattern_piece *last = b->n ? &b->pieces[b->n - 1] : NULL;
	char utf8[4];
	size_t n;

	if (st->scalar == '*' && !st->is_star) {
		b->pieces[b->n++].is_wildcard = true;
		return;
	}
	if (!last || last->is_wildcard) {
		last = &b->pieces[b->n++];
		last->literal.p = b->text + b->len;
	}
	n = utf8_encode(st->scalar, utf8);
	memcpy(b->text + b->len, utf8, n);
	b->len += n;
	last->literal.len += n;
}

/* An upper bound of the pieces: each wildcard and the literals around it. */
static size_t count_pieces(struct span raw)
{
	size_t n = 1;

	for (size_t i = 0; i < raw.len; i++)
		if (raw.p[i] == '*' || raw.p[i] == '\\')
			n += 2;
	return n;
}

int literal_pattern(struct span raw, struct arena *arena, struct cedar_pattern_piece **ret,
		    size_t *ret_n, struct cedar_range *bad)
{
	struct pattern_builder b = {
		.pieces = arena_alloc_array(arena, count_pieces(raw), sizeof(*b.pieces)),
		.text = arena_alloc(arena, raw.len + 1),
	};
	struct step st;

	if (!b.pieces || !b.text)
		return -ENOMEM;
	for (size_t at = 0; at < raw.len; at += st.len) {
		if (next_step(span_from(raw, at), /* is_pattern = */ true, &st) < 0)
			return blame(bad, raw, at, st.len);
		pattern_add(&b, &st);
	}
	*ret = b.pieces;
	*ret_n = b.n;
	return 0;
}
