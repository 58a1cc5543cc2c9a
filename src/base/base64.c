#include "base/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct span bytes, char *out)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = MIN(bytes.len - i, (size_t)3);
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? (unsigned char)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*out++ = k <= n ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
	}
}

int base64_append(struct span bytes, size_t line_len, struct buf *out)
{
	size_t a_line = line_len ? line_len / 4 * 3 : bytes.len;

	while (bytes.len) {
		struct span line = span_make(bytes.p, MIN(bytes.len, a_line));
		char *to = buf_reserve(out, BASE64_LEN(line.len) + 1);

		if (!to)
			return -EMSGSIZE;
		base64_encode(line, to);
		buf_grow(out, BASE64_LEN(line.len));
		if (line_len && buf_append_char(out, '\n') < 0)
			return -EMSGSIZE;
		bytes = span_from(bytes, line.len);
	}
	return 0;
}

enum {
	BLANK = 65,
	PADDING = 66,
};

/*
 * What each character stands for, plus one; 0 for those that stand for nothing. A
 * table, because lists of certificates are long.
 */
/* clang-format off */
static const unsigned char values[256] = {
	['\t'] = BLANK, ['\n'] = BLANK, ['\r'] = BLANK, [' '] = BLANK, ['='] = PADDING,
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* Four characters without blanks and padding, as most are. */
static bool decode_four(const unsigned char *p, unsigned char *to)
{
	/* What stands for nothing becomes larger than any digit. */
	uint32_t a = values[p[0]] - 1U, b = values[p[1]] - 1U;
	uint32_t c = values[p[2]] - 1U, d = values[p[3]] - 1U;
	uint32_t v = a << 18 | b << 12 | c << 6 | d;

	if ((a | b | c | d) > 63)
		return false;
	to[0] = (unsigned char)(v >> 16);
	to[1] = (unsigned char)(v >> 8);
	to[2] = (unsigned char)v;
	return true;
}

int base64_decode_lines(struct span text, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)text.p;
	unsigned char *to = (unsigned char *)buf_reserve(out, text.len / 4 * 3 + 3);
	uint32_t v = 0;
	size_t n = 0, padding = 0, len = 0, i = 0;

	if (!to)
		return -EMSGSIZE;
	while (i < text.len) {
		uint32_t digit;

		if (n % 4 == 0 && !padding && text.len - i >= 4 && decode_four(p + i, to + len)) {
			i += 4;
			len += 3;
			continue;
		}
		digit = values[p[i++]];
		if (digit == BLANK)
			continue;
		if (digit == 0 || (digit == PADDING && n % 4 < 2) || (padding && digit != PADDING))
			return -EINVAL;
		padding += digit == PADDING;
		v = v << 6 | (digit == PADDING ? 0 : digit - 1);
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

bool base64_is_letter(char c)
{
	unsigned char v = values[(unsigned char)c];

	return v != 0 && v < BLANK;
}

static struct span without_padding(struct span text)
{
	if (text.len % 4 == 0)
		for (int i = 0; i < 2 && text.len && text.p[text.len - 1] == '='; i++)
			text.len--;
	return text;
}

int base64_decode(struct span text, char *out)
{
	uint32_t bits = 0;
	int n = 0;

	text = without_padding(text);
	if (text.len % 4 == 1 || text.len > INT32_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++) {
		if (!base64_is_letter(text.p[i]))
			return -EBADMSG;
		bits = bits << 6 | (values[(unsigned char)text.p[i]] - 1U);
		if (i % 4)
			out[n++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	return n;
}
