#include "policy/text.h"

#include <errno.h>

#include "base/utf8.h"

#define ESCAPE_BASE UINT32_C(0x10ff00)

static int append_escape(unsigned char byte, struct buf *out)
{
	char encoded[4];
	size_t len = utf8_encode(ESCAPE_BASE + byte, encoded);

	return buf_append(out, encoded, len);
}

/* The length of the well-formed sequence that stands for itself at the start of s, or 0. */
static size_t plain_sequence(struct span s)
{
	uint32_t scalar;
	size_t len;

	if ((unsigned char)s.p[0] < 0x80)
		return 1;
	len = utf8_decode(s, &scalar);
	return len && scalar >= ESCAPE_BASE ? 0 : len;
}

bool text_is_plain(struct span bytes)
{
	while (bytes.len) {
		size_t len = plain_sequence(bytes);

		if (len == 0)
			return false;
		bytes = span_from(bytes, len);
	}
	return true;
}

int text_from_bytes(struct span bytes, struct buf *out)
{
	while (bytes.len) {
		size_t len = plain_sequence(bytes);
		int r = len ? buf_append(out, bytes.p, len)
			    : append_escape((unsigned char)bytes.p[0], out);

		if (r < 0)
			return r;
		bytes = span_from(bytes, len ? len : 1);
	}
	return 0;
}

bool text_in_arena(struct span bytes, struct arena *arena, struct span *ret)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	char *copy;

	if (text_is_plain(bytes)) {
		*ret = bytes;
		return true;
	}
	(void)text_from_bytes(bytes, &out);
	copy = arena_dup(arena, buf_span(&out));
	if (!copy)
		return false;
	*ret = span_make(copy, out.len);
	return true;
}

int text_to_bytes(struct span text, struct buf *out)
{
	while (text.len) {
		uint32_t scalar = 0;
		size_t len = utf8_decode(text, &scalar);
		int r;

		if (len && scalar >= ESCAPE_BASE + 0x80)
			r = buf_append_char(out, (char)(scalar - ESCAPE_BASE));
		else
			r = buf_append(out, text.p, len ? len : 1);
		if (r < 0)
			return r;
		text = span_from(text, len ? len : 1);
	}
	return 0;
}

static int append_literal_char(char c, struct buf *out)
{
	if (c == '"' || c == '\\')
		return buf_printf(out, "\\%c", c);
	if ((unsigned char)c < 0x20 || c == 0x7f)
		return buf_printf(out, "\\u{%x}", (unsigned)(unsigned char)c);
	return buf_append_char(out, c);
}

int text_append_literal(struct span bytes, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	int r = buf_append_char(out, '"');

	(void)text_from_bytes(bytes, &text);
	for (size_t i = 0; r >= 0 && i < text.len; i++)
		r = append_literal_char(text.data[i], out);
	return r < 0 ? r : buf_append_char(out, '"');
}
