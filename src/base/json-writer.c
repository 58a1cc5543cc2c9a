#include "base/json-writer.h"

#include "base/utf8.h"

static void before_value(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->has_items)
		(void)buf_append_char(w->out, ',');
	w->has_items = true;
}

static void open_level(struct json_writer *w, char bracket)
{
	before_value(w);
	(void)buf_append_char(w->out, bracket);
	w->has_items = false;
}

/* What was just closed is an item of what is around it. */
static void close_level(struct json_writer *w, char bracket)
{
	(void)buf_append_char(w->out, bracket);
	w->has_items = true;
}

void json_begin_object(struct json_writer *w)
{
	open_level(w, '{');
}

void json_end_object(struct json_writer *w)
{
	close_level(w, '}');
}

void json_begin_array(struct json_writer *w)
{
	open_level(w, '[');
}

void json_end_array(struct json_writer *w)
{
	close_level(w, ']');
}

static void escape_ascii(struct buf *out, char c)
{
	switch (c) {
	case '"':
		(void)buf_append_str(out, "\\\"");
		break;
	case '\\':
		(void)buf_append_str(out, "\\\\");
		break;
	case '\n':
		(void)buf_append_str(out, "\\n");
		break;
	case '\r':
		(void)buf_append_str(out, "\\r");
		break;
	case '\t':
		(void)buf_append_str(out, "\\t");
		break;
	default:
		if ((unsigned char)c < 0x20 || c == 0x7f)
			(void)buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
		else
			(void)buf_append_char(out, c);
	}
}

/* Nothing in a log may act on the terminal that shows it; beyond U+FFFF a surrogate pair. */
static void escape_hidden(struct buf *out, uint32_t scalar)
{
	if (scalar > 0xffff)
		(void)buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((scalar - 0x10000) >> 10),
				 0xdc00 + ((scalar - 0x10000) & 0x3ff));
	else
		(void)buf_printf(out, "\\u%04x", scalar);
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* The high bit of each byte of x that is 0; in bytes above one that is 0 it may be set wrongly. */
static uint64_t zero_bytes(uint64_t x)
{
	return (x - EACH_BYTE) & ~x & EACH_BYTE << 7;
}

/* Does one of eight characters need an escape? For some that need none it says so, too. */
static bool may_need_escape(uint64_t eight)
{
	uint64_t is_not_ascii = eight & EACH_BYTE << 7;
	uint64_t is_control = (eight - EACH_BYTE * 0x20) & ~eight & EACH_BYTE << 7;

	return is_not_ascii | is_control | zero_bytes(eight ^ EACH_BYTE * '"') |
	       zero_bytes(eight ^ EACH_BYTE * '\\') | zero_bytes(eight ^ EACH_BYTE * 0x7f);
}

/* Characters that need no escape, so that most strings are one append. */
static size_t plain_prefix(struct span s)
{
	size_t n = 0;
	uint64_t eight;

	for (; n + sizeof(eight) <= s.len; n += sizeof(eight)) {
		memcpy(&eight, s.p + n, sizeof(eight));
		if (may_need_escape(eight))
			break;
	}
	while (n < s.len && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

/* A character, the text, and what comes after it, in one step: most of a record is made so. */
static void append_between(struct buf *out, char before, struct span s, const char *after)
{
	size_t n_after = strlen(after);
	char *to = buf_reserve(out, s.len + 1 + n_after);

	if (!to)
		return;
	*to++ = before;
	if (s.len)
		memcpy(to, s.p, s.len);
	memcpy(to + s.len, after, n_after);
	buf_grow(out, s.len + 1 + n_after);
}

static void write_quoted(struct buf *out, struct span s)
{
	if (plain_prefix(s) == s.len) {
		append_between(out, '"', s, "\"");
		return;
	}
	(void)buf_append_char(out, '"');
	while (s.len) {
		uint32_t scalar;
		size_t n = plain_prefix(s);

		if (n) {
			(void)buf_append(out, s.p, n);
			s = span_from(s, n);
			continue;
		}
		n = utf8_decode(s, &scalar);
		if (n == 1)
			escape_ascii(out, s.p[0]);
		else if (n == 0)
			(void)buf_printf(out, "\\udc%02x", (unsigned)(unsigned char)s.p[0]);
		else if (utf8_is_hidden(scalar))
			escape_hidden(out, scalar);
		else
			(void)buf_append(out, s.p, n);
		s = span_from(s, n ? n : 1);
	}
	(void)buf_append_char(out, '"');
}

void json_key(struct json_writer *w, const char *key)
{
	before_value(w);
	append_between(w->out, '"', span_of(key), "\":");
	w->after_key = true;
}

void json_key_span(struct json_writer *w, struct span key)
{
	before_value(w);
	write_quoted(w->out, key);
	(void)buf_append_char(w->out, ':');
	w->after_key = true;
}

void json_string(struct json_writer *w, struct span s)
{
	before_value(w);
	write_quoted(w->out, s);
}

void json_int(struct json_writer *w, int64_t n)
{
	before_value(w);
	if (n < 0)
		(void)buf_append_char(w->out, '-');
	(void)buf_append_number(w->out, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void json_uint(struct json_writer *w, uint64_t n)
{
	before_value(w);
	(void)buf_append_number(w->out, n);
}

void json_bool(struct json_writer *w, bool b)
{
	before_value(w);
	(void)buf_append_str(w->out, b ? "true" : "false");
}

void json_null(struct json_writer *w)
{
	before_value(w);
	(void)buf_append_str(w->out, "null");
}

void json_key_string(struct json_writer *w, const char *key, struct span s)
{
	json_key(w, key);
	json_string(w, s);
}

void json_key_string_opt(struct json_writer *w, const char *key, struct span s)
{
	if (s.len)
		json_key_string(w, key, s);
}

void json_key_plain(struct json_writer *w, const char *key, struct span s)
{
	json_key(w, key);
	before_value(w);
	append_between(w->out, '"', s, "\"");
}

void json_key_int(struct json_writer *w, const char *key, int64_t n)
{
	json_key(w, key);
	json_int(w, n);
}

void json_key_uint(struct json_writer *w, const char *key, uint64_t n)
{
	json_key(w, key);
	json_uint(w, n);
}

void json_key_bool(struct json_writer *w, const char *key, bool b)
{
	json_key(w, key);
	json_bool(w, b);
}
