#include "base/json.h"

#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"

struct parser {
	struct arena *arena;
	struct span text, rest;
	struct err *err;
	struct json_options options;
	size_t bad_offset;
};

static int parse_value(struct parser *p, size_t depth, struct json *ret);

static size_t offset(const struct parser *p)
{
	return p->text.len - p->rest.len;
}

static int bad_at(struct parser *p, size_t at, const char *why)
{
	p->bad_offset = at;
	return err_say(p->err, -EBADMSG, "JSON, byte %zu: %s", at, why);
}

static int bad(struct parser *p, const char *why)
{
	return bad_at(p, offset(p), why);
}

static bool take(struct parser *p, struct span literal)
{
	if (!span_starts_with(p->rest, literal))
		return false;
	p->rest = span_from(p->rest, literal.len);
	return true;
}

static void skip_space(struct parser *p)
{
	while (p->rest.len && memchr(" \t\n\r", p->rest.p[0], 4))
		p->rest = span_from(p->rest, 1);
}

/* Four hexadecimal digits, or -1. */
static int take_hex4(struct parser *p)
{
	int value = 0;

	if (p->rest.len < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		int digit = ascii_hex_value(p->rest.p[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	p->rest = span_from(p->rest, 4);
	return value;
}

/* What follows "\u": a scalar, a surrogate pair, or a byte that was not UTF-8. Returns its length.
 */
static int take_unicode(struct parser *p, char out[4])
{
	int high = take_hex4(p), low;

	if (high < 0)
		return bad(p, "four hexadecimal digits must follow \\u");
	if (high >= 0xdc80 && high <= 0xdcff && !p->options.want_only_unicode) {
		out[0] = (char)(high - 0xdc00);
		return 1;
	}
	if (high >= 0xd800 && high <= 0xdbff) {
		low = take(p, SPAN("\\u")) ? take_hex4(p) : -1;
		if (low < 0xdc00 || low > 0xdfff)
			return bad(p, "half of a surrogate pair");
		return (int)utf8_encode(0x10000 + ((uint32_t)(high - 0xd800) << 10) +
						(uint32_t)(low - 0xdc00),
					out);
	}
	if (high >= 0xdc00 && high <= 0xdfff)
		return bad(p, "half of a surrogate pair");
	return (int)utf8_encode((uint32_t)high, out);
}

static int take_escape(struct parser *p, char out[4])
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (take(p, SPAN("u")))
		return take_unicode(p, out);
	at = p->rest.len && p->rest.p[0] ? strchr(names, p->rest.p[0]) : NULL;
	if (!at)
		return bad(p, "an unknown escape");
	p->rest = span_from(p->rest, 1);
	out[0] = values[at - names];
	return 1;
}

/* The length of the string that starts here in its written form, up to its closing quote. */
static size_t written_len(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] != '"')
		n += s.p[n] == '\\' ? 2 : 1;
	return MIN(n, s.len);
}

/* After the opening quote. The decoded form is never longer than the written one. */
static int parse_string(struct parser *p, struct span *ret)
{
	char *out = arena_alloc(p->arena, written_len(p->rest) + 1);
	size_t len = 0;

	if (!out)
		return err_set(p->err, -ENOMEM, "read JSON");
	while (p->rest.len && p->rest.p[0] != '"') {
		uint32_t scalar;
		int n;

		if (take(p, SPAN("\\"))) {
			n = take_escape(p, out + len);
			if (n < 0)
				return n;
			len += (size_t)n;
			continue;
		}
		n = (int)utf8_decode(p->rest, &scalar);
		if (n == 0 || scalar < 0x20)
			return bad(p, n ? "a control character in a string" : "not UTF-8");
		memcpy(out + len, p->rest.p, (size_t)n);
		len += (size_t)n;
		p->rest = span_from(p->rest, (size_t)n);
	}
	if (!take(p, SPAN("\"")))
		return bad(p, "a string without its end");
	*ret = span_make(out, len);
	return 0;
}

static size_t take_digits(struct parser *p)
{
	size_t n = 0;

	while (n < p->rest.len && p->rest.p[n] >= '0' && p->rest.p[n] <= '9')
		n++;
	p->rest = span_from(p->rest, n);
	return n;
}

static int parse_number(struct parser *p, struct json *ret)
{
	struct span start = p->rest;
	char *copy;

	(void)take(p, SPAN("-"));
	if (!take(p, SPAN("0")) && take_digits(p) == 0)
		return bad(p, "not a value");
	if (take(p, SPAN(".")) && take_digits(p) == 0)
		return bad(p, "digits must follow the point");
	if (take(p, SPAN("e")) || take(p, SPAN("E"))) {
		if (!take(p, SPAN("+")))
			(void)take(p, SPAN("-"));
		if (take_digits(p) == 0)
			return bad(p, "digits must follow the exponent");
	}
	ret->type = JSON_NUMBER;
	ret->text.len = start.len - p->rest.len;
	copy = arena_dup(p->arena, span_make(start.p, ret->text.len));
	if (!copy)
		return err_set(p->err, -ENOMEM, "read JSON");
	ret->text.p = copy;
	return 0;
}

/* The key and colon before a member's value. */
static int parse_key(struct parser *p, struct json *member)
{
	int err;

	member->key_begin = offset(p);
	if (!take(p, SPAN("\"")))
		return bad(p, "a key must come here");
	err = parse_string(p, &member->key);
	if (err < 0)
		return err;
	member->key_end = offset(p);
	skip_space(p);
	return take(p, SPAN(":")) ? 0 : bad(p, "a colon must come here");
}

static int compare_members(const void *a, const void *b)
{
	const struct json *const *x = a;
	const struct json *const *y = b;
	int c = span_cmp((*x)->key, (*y)->key);

	return c ? c : ((*x)->key_begin > (*y)->key_begin) - ((*x)->key_begin < (*y)->key_begin);
}

/* Small objects, which most are, need no sorting. */
#define MEMBERS_COMPARED 16

static int check_keys(struct parser *p, const struct json *object, size_t n)
{
	const struct json *second = NULL;
	const struct json **members;
	size_t i = 0;

	if (n <= MEMBERS_COMPARED) {
		for (const struct json *m = object->first; m; m = m->next)
			for (const struct json *o = object->first; o != m; o = o->next)
				if (!second && span_eq(m->key, o->key))
					second = m;
		return second ? bad_at(p, second->key_begin, "the key is there already") : 0;
	}
	members = arena_alloc_array(p->arena, n, sizeof(*members));
	if (!members)
		return err_set(p->err, -ENOMEM, "read JSON");
	for (const struct json *m = object->first; m; m = m->next)
		members[i++] = m;
	qsort(members, n, sizeof(*members), compare_members);
	for (i = 1; i < n; i++)
		if (span_eq(members[i - 1]->key, members[i]->key))
			return bad_at(p, members[i]->key_begin, "the key is there already");
	return 0;
}

/* After the opening bracket. */
static int parse_items(struct parser *p, size_t depth, struct span close, struct json *ret)
{
	struct json **end = &ret->first;
	size_t n_members = 0;

	if (depth >= p->options.max_depth)
		return bad(p, "nested too deep");
	skip_space(p);
	if (take(p, close))
		return 0;
	for (;;) {
		struct json *item = arena_new(p->arena, struct json);
		int err = 0;

		if (!item)
			return err_set(p->err, -ENOMEM, "read JSON");
		skip_space(p);
		if (ret->type == JSON_OBJECT)
			err = ++n_members > p->options.max_members ? bad(p, "too many keys")
								   : parse_key(p, item);
		if (err == 0)
			err = parse_value(p, depth + 1, item);
		if (err < 0)
			return err;
		*end = item;
		end = &item->next;
		skip_space(p);
		if (take(p, close))
			return ret->type == JSON_OBJECT ? check_keys(p, ret, n_members) : 0;
		if (!take(p, SPAN(",")))
			return bad(p, "a comma or a closing bracket must come here");
	}
}

static int parse_unnamed(struct parser *p, size_t depth, struct json *ret)
{
	if (take(p, SPAN("{"))) {
		ret->type = JSON_OBJECT;
		return parse_items(p, depth, SPAN("}"), ret);
	}
	if (take(p, SPAN("["))) {
		ret->type = JSON_ARRAY;
		return parse_items(p, depth, SPAN("]"), ret);
	}
	if (take(p, SPAN("\""))) {
		ret->type = JSON_STRING;
		return parse_string(p, &ret->text);
	}
	if (take(p, SPAN("null")))
		return 0;
	if (!take(p, SPAN("false"))) {
		if (!take(p, SPAN("true")))
			return parse_number(p, ret);
		ret->is_true = true;
	}
	ret->type = JSON_BOOL;
	return 0;
}

static int parse_value(struct parser *p, size_t depth, struct json *ret)
{
	int err;

	skip_space(p);
	ret->begin = offset(p);
	err = parse_unnamed(p, depth, ret);
	ret->end = offset(p);
	return err;
}

static int parse_document(struct parser *p, struct json **ret)
{
	struct json *value = arena_new(p->arena, struct json);
	int result;

	if (!value)
		return err_set(p->err, -ENOMEM, "read JSON");
	result = parse_value(p, 0, value);
	if (result < 0)
		return result;
	skip_space(p);
	if (p->rest.len)
		return bad(p, "text after the value");
	*ret = value;
	return 0;
}

int json_parse_with(const struct json_options *options, struct arena *a, struct span text,
		    struct json **ret, size_t *ret_offset, struct err *err)
{
	struct parser p = {
		.arena = a, .text = text, .rest = text, .err = err, .options = *options
	};
	int result;

	if (!p.options.max_depth)
		p.options.max_depth = JSON_MAX_DEPTH;
	if (!p.options.max_members)
		p.options.max_members = JSON_MAX_MEMBERS;
	result = parse_document(&p, ret);
	if (ret_offset)
		*ret_offset = p.bad_offset;
	return result;
}

int json_parse(struct arena *a, struct span text, struct json **ret, struct err *err)
{
	const struct json_options defaults = { 0 };

	return json_parse_with(&defaults, a, text, ret, NULL, err);
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *m = object->first; m; m = m->next)
		if (span_eq_str(m->key, key))
			return m;
	return NULL;
}

struct span json_get_string(const struct json *object, const char *key)
{
	const struct json *m = json_get(object, key);

	return m && m->type == JSON_STRING ? m->text : SPAN("");
}

bool json_to_uint(const struct json *value, uint64_t *ret)
{
	uint64_t n = 0;

	if (!value || value->type != JSON_NUMBER)
		return false;
	for (size_t i = 0; i < value->text.len; i++) {
		unsigned digit = (unsigned)(value->text.p[i] - '0');

		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*ret = n;
	return true;
}

bool json_to_int(const struct json *value, int64_t *ret)
{
	bool is_negative = value && value->text.len && value->text.p[0] == '-';
	struct json magnitude;
	uint64_t n;

	if (!value)
		return false;
	magnitude = *value;
	magnitude.text = span_from(value->text, is_negative ? 1 : 0);
	if (!json_to_uint(&magnitude, &n) || n > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
		return false;
	*ret = is_negative ? (int64_t)(0 - n) : (int64_t)n;
	return true;
}
