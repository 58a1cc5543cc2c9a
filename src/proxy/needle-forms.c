#include "proxy/needle-forms.h"

#include "base/ascii.h"

/* The value in one form, made at to; returns how many bytes it is. */
typedef size_t (*encode_fn)(struct span text, char *to);

static size_t put_lower(struct span text, char *to)
{
	for (size_t i = 0; i < text.len; i++)
		to[i] = ascii_lower(text.p[i]);
	return text.len;
}

static size_t put_hex(struct span text, const char *digits, char *to)
{
	for (size_t i = 0; i < text.len; i++) {
		to[2 * i] = digits[(unsigned char)text.p[i] >> 4];
		to[2 * i + 1] = digits[text.p[i] & 15];
	}
	return 2 * text.len;
}

static size_t put_small_hex(struct span text, char *to)
{
	return put_hex(text, "0123456789abcdef", to);
}

static size_t put_capital_hex(struct span text, char *to)
{
	return put_hex(text, "0123456789ABCDEF", to);
}

/* Value and replacement, encoded into room, which is moved on; no needle where nothing changes. */
static int add_encoded(struct needles *to, const struct needle *plain, encode_fn encode,
		       enum needle_letters letters, char **room)
{
	struct needle one = { .letters = letters, .owner = plain->owner };

	one.text = span_make(*room, encode(plain->text, *room));
	*room += one.text.len;
	if (span_eq(one.text, plain->text))
		return 0;
	one.replacement = *room;
	*room += encode(span_make(plain->replacement, plain->text.len), *room);
	return needles_add(to, &one);
}

/*
 * Somewhere in base64 a text begins at one of three places of a group of three
 * bytes. What of its letters depends on nothing but the text is looked for.
 */
struct alignment {
	size_t n_before; /* bytes of the group that come before the text */
	size_t first;	 /* letter that is the text's alone */
};

static const struct alignment alignments[] = { { 0, 0 }, { 1, 2 }, { 2, 3 } };

static struct span put_base64(struct span text, const struct alignment *a, char *scratch, char **to)
{
	size_t len = a->n_before + text.len;
	struct span made;

	memset(scratch, 0, a->n_before);
	memcpy(scratch + a->n_before, text.p, text.len);
	base64_encode(span_make(scratch, len), *to);
	made = span_make(*to + a->first, len * 8 / 6 - a->first);
	*to += BASE64_LEN(len);
	return made;
}

/* RFC 4648 §5: two letters are others. */
static struct span put_base64url(struct span base64, char **to)
{
	char *out = *to;

	for (size_t i = 0; i < base64.len; i++)
		out[i] = base64.p[i] == '+' ? '-' : base64.p[i] == '/' ? '_' : base64.p[i];
	*to += base64.len;
	return span_make(out, base64.len);
}

static int add_base64(struct needles *to, const struct needle *plain, const struct alignment *a,
		      char *scratch, char **room)
{
	struct span instead = span_make(plain->replacement, plain->text.len);
	struct needle one = { .letters = NEEDLE_BASE64, .owner = plain->owner };
	struct needle url = { .letters = NEEDLE_BASE64URL, .owner = plain->owner };
	struct span made;
	int r;

	one.text = put_base64(plain->text, a, scratch, room);
	made = put_base64(instead, a, scratch, room);
	one.replacement = made.p;
	r = needles_add(to, &one);
	url.text = put_base64url(one.text, room);
	url.replacement = put_base64url(made, room).p;
	if (r == 0 && !span_eq(one.text, url.text))
		r = needles_add(to, &url);
	return r;
}

int needle_forms_add(struct needles *to, const struct needle *plain, char *room)
{
	char *scratch = room;
	int r = needles_add(to, plain);

	room += BASE64_LEN(plain->text.len + 2);
	if (r == 0)
		r = add_encoded(to, plain, put_lower, NEEDLE_OUTLINE, &room);
	if (r == 0)
		r = add_encoded(to, plain, put_small_hex, NEEDLE_HEX, &room);
	if (r == 0)
		r = add_encoded(to, plain, put_capital_hex, NEEDLE_HEX, &room);
	for (size_t i = 0; i < ARRAY_SIZE(alignments) && r == 0; i++)
		r = add_base64(to, plain, &alignments[i], scratch, &room);
	return r;
}
