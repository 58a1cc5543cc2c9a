#include "base/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_append(struct span bytes, size_t line_len, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t column = 0;
	int r = 0;

	for (size_t i = 0; i < bytes.len && r == 0; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (n > 2 ? p[i + 2] : 0);
		char four[4] = { alphabet[v >> 18], alphabet[v >> 12 & 63],
				 n > 1 ? alphabet[v >> 6 & 63] : '=',
				 n > 2 ? alphabet[v & 63] : '=' };

		r = buf_append(out, four, sizeof(four));
		column += sizeof(four);
		if (r == 0 && line_len && (column >= line_len || i + 3 >= bytes.len)) {
			r = buf_append_char(out, '\n');
			column = 0;
		}
	}
	return r;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct span text, struct buf *out)
{
	unsigned char *to = (unsigned char *)buf_reserve(out, text.len / 4 * 3 + 3);
	uint32_t v = 0;
	size_t n = 0, padding = 0, len = 0;

	if (!to)
		return -EMSGSIZE;
	for (size_t i = 0; i < text.len; i++) {
		int digit;

		if (is_blank(text.p[i]))
			continue;
		digit = text.p[i] == '=' && n % 4 >= 2 ? 0 : value_of(text.p[i]);
		if (digit < 0 || (padding && text.p[i] != '='))
			return -EINVAL;
		padding += text.p[i] == '=';
		v = v << 6 | (uint32_t)digit;
		if (++n % 4)
			continue;
		to[len++] = (unsigned char)(v >> 16);
		to[len++] = (unsigned char)(v >> 8);
		to[len++] = (unsigned char)v;
	}
	/* The bits that are no byte's must be zero: one text for one run of bytes. */
	if (n % 4 || (padding == 1 && to[len - 1]) ||
	    (padding == 2 && (to[len - 1] || to[len - 2])))
		return -EINVAL;
	buf_grow(out, len - padding);
	return 0;
}
