/*
 * ip: IPv4 dotted quad or IPv6 groups, with an optional /prefix. Stricter than
 * inet_pton: no IPv4 inside IPv6, no zone, no leading zeros in quads.
 */
#include "cedar/ipaddr.h"

#include <errno.h>

/* Eight groups of four digits, seven colons, and "/128". */
#define TEXT_MAX 43

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal number of at most max_len digits without leading zeros. */
static int parse_number(struct span s, size_t max_len, unsigned int max, unsigned char *ret)
{
	unsigned int n = 0;

	if (s.len == 0 || s.len > max_len || (s.len > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.p[i]))
			return -EINVAL;
		n = n * 10 + (unsigned int)(s.p[i] - '0');
	}
	if (n > max)
		return -EINVAL;
	*ret = (unsigned char)n;
	return 0;
}

static int parse_v4(struct span s, unsigned char *bytes)
{
	for (size_t i = 0; i < 4; i++) {
		const char *dot = s.len ? memchr(s.p, '.', s.len) : NULL;
		size_t len = i < 3 && dot ? (size_t)(dot - s.p) : s.len;

		if ((i < 3) != (dot != NULL))
			return -EINVAL;
		if (parse_number((struct span){ s.p, len }, 3, 255, &bytes[i]) < 0)
			return -EINVAL;
		s = span_from(s, len + 1);
	}
	return 0;
}

/* group {":" group}, at most max groups; s must be used up. */
static int parse_groups(struct span s, size_t max, unsigned char *bytes, size_t *ret_n)
{
	size_t n = 0;

	*ret_n = 0;
	if (s.len == 0)
		return 0;
	for (size_t at = 0; at <= s.len; at++) {
		unsigned int group = 0;
		size_t begin = at;

		for (; at < s.len && s.p[at] != ':'; at++) {
			int v = ascii_hex_value(s.p[at]);

			if (v < 0 || at - begin >= 4)
				return -EINVAL;
			group = group * 16 + (unsigned int)v;
		}
		if (at == begin || n == max)
			return -EINVAL;
		bytes[2 * n] = (unsigned char)(group >> 8);
		bytes[2 * n + 1] = (unsigned char)group;
		n++;
	}
	*ret_n = n;
	return 0;
}

static int parse_v6(struct span s, unsigned char *bytes)
{
	const char *gap = s.len > 1 ? memmem(s.p, s.len, "::", 2) : NULL;
	unsigned char tail[16] = { 0 };
	size_t n_head, n_tail;
	struct span head = s;

	if (!gap)
		return parse_groups(s, 8, bytes, &n_head) < 0 || n_head != 8 ? -EINVAL : 0;
	head.len = (size_t)(gap - s.p);
	/* "::" stands for at least one group. */
	if (parse_groups(head, 7, bytes, &n_head) < 0)
		return -EINVAL;
	if (parse_groups(span_from(s, head.len + 2), 7 - n_head, tail, &n_tail) < 0)
		return -EINVAL;
	memset(bytes + 2 * n_head, 0, 16 - 2 * n_head);
	memcpy(bytes + 16 - 2 * n_tail, tail, 2 * n_tail);
	return 0;
}

int cedar_ipaddr_parse(struct span text, struct cedar_ipaddr *ret)
{
	const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;
	struct span address = { text.p, slash ? (size_t)(slash - text.p) : text.len };
	struct cedar_ipaddr ip = { 0 };
	unsigned char bits;
	int r;

	if (text.len == 0 || text.len > TEXT_MAX)
		return -EINVAL;
	ip.is_v6 = address.len && memchr(address.p, ':', address.len);
	r = ip.is_v6 ? parse_v6(address, ip.bytes) : parse_v4(address, ip.bytes);
	if (r < 0)
		return r;
	bits = ip.is_v6 ? 128 : 32;
	ip.prefix = bits;
	if (slash &&
	    parse_number(span_from(text, address.len + 1), ip.is_v6 ? 3 : 2, bits, &ip.prefix) < 0)
		return -EINVAL;
	*ret = ip;
	return 0;
}

static bool share_prefix(const unsigned char *a, const unsigned char *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

bool ipaddr_is_in_range(const struct cedar_ipaddr *a, const struct cedar_ipaddr *b)
{
	return a->is_v6 == b->is_v6 && a->prefix >= b->prefix &&
	       share_prefix(a->bytes, b->bytes, b->prefix);
}

bool ipaddr_is_loopback(const struct cedar_ipaddr *a)
{
	static const struct cedar_ipaddr v4 = { .bytes = { 127 }, .prefix = 8 };
	static const struct cedar_ipaddr v6 = { .bytes[15] = 1, .prefix = 128, .is_v6 = true };

	return ipaddr_is_in_range(a, a->is_v6 ? &v6 : &v4);
}

bool ipaddr_is_multicast(const struct cedar_ipaddr *a)
{
	static const struct cedar_ipaddr v4 = { .bytes = { 224 }, .prefix = 4 };
	static const struct cedar_ipaddr v6 = { .bytes = { 0xff }, .prefix = 8, .is_v6 = true };

	return ipaddr_is_in_range(a, a->is_v6 ? &v6 : &v4);
}
