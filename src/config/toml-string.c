/* The four kinds of strings. */
#include "base/ascii.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "config/toml-private.h"

/* A string that is being read. */
struct reading {
	struct toml_reader *r;
	size_t begin;
	char quote;
	bool is_multi_line;
	struct buf out;
};

/* \uXXXX and \UXXXXXXXX; the place is behind the letter. */
static int read_scalar_value(struct reading *s, size_t n_digits)
{
	struct toml_reader *r = s->r;
	uint32_t scalar = 0;
	char bytes[4];
	size_t len;

	for (size_t i = 0; i < n_digits; i++) {
		int digit = ascii_hex_value((char)toml_peek(r, i));

		if (digit < 0)
			return toml_fail_at(r, r->at + i, "expected %zu hexadecimal digits",
					    n_digits);
		scalar = scalar << 4 | (uint32_t)digit;
	}
	if (scalar > 0x10ffff || (scalar >= 0xd800 && scalar <= 0xdfff))
		return toml_fail_at(r, r->at, "%.*s is no Unicode character", (int)n_digits,
				    r->text.p + r->at);
	r->at += n_digits;
	len = utf8_encode(scalar, bytes);
	return buf_append(&s->out, bytes, len);
}

/* A backslash at the end of a line takes all white space after it away. */
static int skip_to_text(struct reading *s, size_t backslash)
{
	struct toml_reader *r = s->r;

	toml_skip_blanks(r);
	if (!toml_take_newline(r))
		return toml_fail_at(r, backslash, "unknown escape");
	do
		toml_skip_blanks(r);
	while (toml_take_newline(r));
	return 0;
}

static int read_escape(struct reading *s)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	struct toml_reader *r = s->r;
	size_t backslash = r->at++;
	int c = toml_peek(r, 0);
	const char *known = c > 0 ? strchr(from, c) : NULL;

	if (known) {
		r->at++;
		return buf_append_char(&s->out, to[known - from]);
	}
	if (c == 'u' || c == 'U') {
		r->at++;
		return read_scalar_value(s, c == 'u' ? 4 : 8);
	}
	if (s->is_multi_line && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
		return skip_to_text(s, backslash);
	return toml_fail_at(r, backslash, "unknown escape");
}

/* Two quotes may stand before the three that end the string. */
static bool at_end(struct reading *s)
{
	struct toml_reader *r = s->r;
	size_t n = 0;

	if (!s->is_multi_line) {
		r->at++;
		return true;
	}
	while (n < 5 && toml_peek(r, n) == s->quote)
		n++;
	for (size_t i = 0; i < (n < 3 ? n : n - 3); i++)
		(void)buf_append_char(&s->out, s->quote);
	r->at += n;
	return n >= 3;
}

static int read_plain(struct reading *s)
{
	struct toml_reader *r = s->r;
	size_t begin = r->at;
	int c;

	while ((c = toml_peek(r, 0)) >= 0 && c != s->quote && (c != '\\' || s->quote == '\'') &&
	       (c >= 0x20 || c == '\t') && c != 0x7f)
		r->at++;
	return buf_append(&s->out, r->text.p + begin, r->at - begin);
}

static int read_body(struct reading *s)
{
	struct toml_reader *r = s->r;

	for (;;) {
		int code = read_plain(s);
		int c = toml_peek(r, 0);

		if (code < 0)
			return code;
		if (c < 0)
			return toml_fail_at(r, s->begin, "the string does not end");
		if (c == s->quote) {
			if (at_end(s))
				return 0;
		} else if (c == '\\') {
			code = read_escape(s);
		} else if (s->is_multi_line && toml_take_newline(r)) {
			code = buf_append_char(&s->out, '\n');
		} else if (c == '\n' || c == '\r') {
			return toml_fail_at(r, s->begin, "the string does not end in its line");
		} else {
			return toml_fail_at(r, r->at,
					    "the control character U+%04X must be escaped",
					    (unsigned int)c);
		}
		if (code < 0)
			return code;
	}
}

int toml_read_string(struct toml_reader *r, bool is_key, struct span *ret)
{
	struct reading s = {
		.r = r, .begin = r->at, .quote = r->text.p[r->at], .out = BUF_INIT(0)
	};
	const char three[] = { s.quote, s.quote, s.quote };
	const char *copy;
	int code;

	s.is_multi_line = toml_looking_at(r, three, 3);
	if (s.is_multi_line && is_key)
		return toml_fail_at(r, r->at, "a key cannot be a string of several lines");
	r->at += s.is_multi_line ? 3 : 1;
	if (s.is_multi_line)
		(void)toml_take_newline(r);
	code = read_body(&s);
	copy = code < 0 ? NULL : arena_dup(r->arena, buf_span(&s.out));
	*ret = span_make(copy, copy ? s.out.len : 0);
	buf_done(&s.out);
	if (code == -EMSGSIZE || (code >= 0 && !copy))
		return toml_out_of_memory(r);
	return code;
}
