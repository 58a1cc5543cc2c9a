#include "http/basic.h"

#include <errno.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void basic_encode(struct span bytes, char *out)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = MIN(bytes.len - i, (size_t)3);
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? (unsigned char)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*out++ = k <= n ? letters[bits >> (18 - 6 * k) & 63] : '=';
	}
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

bool basic_is_letter(char c)
{
	return value_of(c) >= 0;
}

static struct span without_padding(struct span text)
{
	if (text.len % 4 == 0)
		for (int i = 0; i < 2 && text.len && text.p[text.len - 1] == '='; i++)
			text.len--;
	return text;
}

int basic_decode(struct span text, char *out)
{
	uint32_t bits = 0;
	int n = 0;

	text = without_padding(text);
	if (text.len % 4 == 1 || text.len > INT32_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++) {
		int v = value_of(text.p[i]);

		if (v < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)v;
		if (i % 4)
			out[n++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	return n;
}
