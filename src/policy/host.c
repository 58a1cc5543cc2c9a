#include "policy/host.h"

#include <arpa/inet.h>
#include <errno.h>

/* IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) is IPv4 by another name. */
static bool address_unmap(struct policy_address *a)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (!a->is_v6 || memcmp(a->bytes, mapped, sizeof(mapped)) != 0)
		return false;
	memmove(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
	a->is_v6 = false;
	return true;
}

bool policy_address_parse(struct span text, struct policy_address *ret)
{
	struct policy_address a = { 0 };
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, 0, text.len))
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = 0;
	if (inet_pton(AF_INET, copy, a.bytes) != 1) {
		if (inet_pton(AF_INET6, copy, a.bytes) != 1)
			return false;
		a.is_v6 = true;
		(void)address_unmap(&a);
	}
	*ret = a;
	return true;
}

int policy_address_print(const struct policy_address *a, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->bytes, text, sizeof(text)))
		return -EINVAL;
	return buf_append_str(out, text);
}

static bool number_parse(struct span s, unsigned int max, unsigned int *ret)
{
	unsigned int n = 0;

	if (s.len == 0 || s.len > 5)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		n = n * 10 + (unsigned int)(s.p[i] - '0');
	}
	if (n > max)
		return false;
	*ret = n;
	return true;
}

/* Splits "name:port", "[v6]:port", "[v6]" and bare forms; an address of many colons has no port. */
static bool split_port(struct span id, struct span *ret_name, uint16_t *ret_port)
{
	const char *colon = id.len ? memchr(id.p, ':', id.len) : NULL;
	unsigned int port = 0;
	struct span rest = { 0 };

	*ret_name = id;
	*ret_port = 0;
	if (id.len && id.p[0] == '[') {
		const char *end = memchr(id.p, ']', id.len);

		if (!end)
			return false;
		*ret_name = span_make(id.p + 1, (size_t)(end - id.p - 1));
		rest = span_from(id, (size_t)(end - id.p + 1));
		if (rest.len == 0)
			return true;
		if (rest.p[0] != ':')
			return false;
	} else if (colon && !memchr(colon + 1, ':', id.len - (size_t)(colon + 1 - id.p))) {
		ret_name->len = (size_t)(colon - id.p);
		rest = span_from(id, ret_name->len);
	} else {
		return true;
	}
	if (!number_parse(span_from(rest, 1), UINT16_MAX, &port) || port == 0)
		return false;
	*ret_port = (uint16_t)port;
	return true;
}

bool host_id_parse(struct span id, struct host_id *ret)
{
	struct host_id h = { 0 };

	if (!split_port(id, &h.name, &h.port))
		return false;
	if (span_eq(h.name, SPAN("*")) || span_starts_with(h.name, SPAN("*."))) {
		h.is_wildcard = true;
		h.name = span_from(h.name, h.name.len == 1 ? 1 : 2);
	} else {
		h.has_address = policy_address_parse(h.name, &h.address);
	}
	*ret = h;
	return h.is_wildcard || h.name.len > 0;
}

/* Numbers in forms that inet_aton(3) takes for addresses ("127.1", "0x7f000001") are no names. */
static bool looks_numeric(struct span name)
{
	size_t at = name.len;

	while (at > 0 && name.p[at - 1] != '.')
		at--;
	name = span_from(name, at);
	if (name.len > 1 && name.p[0] == '0' && name.p[1] == 'x')
		return true;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
	return true;
}

/* The letter as names have it, or 0 for what none has. */
static const char name_chars[256] = {
	['-'] = '-', ['.'] = '.', ['_'] = '_', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3',
	['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a',
	['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
	['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
	['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
	['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',
	['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
	['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q',
	['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
	['Y'] = 'y', ['Z'] = 'z',
};

int host_name_copy(struct span name, char *out)
{
	bool is_bad = false, was_dot = true;

	if (name.len > 1 && name.p[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len > HOST_NAME_MAX_LEN)
		return -EINVAL;
	for (size_t i = 0; i < name.len; i++) {
		char c = name_chars[(unsigned char)name.p[i]];
		bool is_dot = c == '.';

		is_bad |= (c == 0) | (is_dot & was_dot);
		out[i] = c;
		was_dot = is_dot;
	}
	if (is_bad || was_dot || looks_numeric(span_make(out, name.len)))
		return -EINVAL;
	return (int)name.len;
}

int host_name_normalise(struct span name, struct buf *out)
{
	char copy[HOST_NAME_MAX_LEN];
	int len = host_name_copy(name, copy);

	return len < 0 ? len : buf_append(out, copy, (size_t)len);
}

static int append_port(bool has_brackets, uint16_t port, struct buf *out)
{
	if (port == 0)
		return 0;
	(void)buf_append_span(out, has_brackets ? SPAN("]:") : SPAN(":"));
	return buf_append_number(out, port);
}

static int append_address(const struct policy_address *a, uint16_t port, struct buf *out)
{
	bool has_brackets = a->is_v6 && port;
	int r = has_brackets ? buf_append_char(out, '[') : 0;

	if (r >= 0)
		r = policy_address_print(a, out);
	return r < 0 ? r : append_port(has_brackets, port, out);
}

int host_id_normalise(struct span id, struct buf *out)
{
	struct host_id h;
	int r = 0;

	if (!host_id_parse(id, &h))
		return -EINVAL;
	if (h.has_address)
		return append_address(&h.address, h.port, out);
	if (h.is_wildcard)
		r = buf_append_str(out, h.name.len ? "*." : "*");
	if (r >= 0 && h.name.len)
		r = host_name_normalise(h.name, out);
	return r < 0 ? r : append_port(false, h.port, out);
}

int host_id_make(struct span host, const struct policy_address *address, uint16_t port,
		 struct buf *out)
{
	struct policy_address a;
	int r;

	if (host.len == 0)
		return address ? append_address(address, port, out) : -EINVAL;
	if (policy_address_parse(host, &a))
		return append_address(&a, port, out);
	r = host_name_normalise(host, out);
	return r < 0 ? r : append_port(false, port, out);
}

bool ip_range_parse(struct span text, struct ip_range *ret)
{
	const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;
	struct span address = slash ? span_make(text.p, (size_t)(slash - text.p)) : text;
	bool has_colon = text.len && memchr(address.p, ':', address.len);
	unsigned int width = has_colon ? 128 : 32;
	struct ip_range r = { .prefix = width };

	if (!policy_address_parse(address, &r.address))
		return false;
	if (slash && !number_parse(span_from(text, address.len + 1), width, &r.prefix))
		return false;
	if (has_colon && !r.address.is_v6) {
		if (r.prefix < 96)
			return false;
		r.prefix -= 96;
	}
	*ret = r;
	return true;
}

int ip_range_print(const struct ip_range *r, struct buf *out)
{
	int n = policy_address_print(&r->address, out);

	return n < 0 ? n : buf_printf(out, "/%u", r->prefix);
}

static bool same_prefix(const unsigned char *a, const unsigned char *b, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;
	unsigned int mask = (0xff00u >> rest) & 0xffu;

	return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool ip_range_holds(const struct ip_range *r, const struct policy_address *a)
{
	static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (r->address.is_v6 == a->is_v6)
		return same_prefix(r->address.bytes, a->bytes, r->prefix);
	return a->is_v6 && memcmp(a->bytes, nat64, sizeof(nat64)) == 0 &&
	       same_prefix(r->address.bytes, a->bytes + 12, r->prefix);
}

static bool address_eq(const struct policy_address *a, const struct policy_address *b)
{
	return a->is_v6 == b->is_v6 && memcmp(a->bytes, b->bytes, a->is_v6 ? 16 : 4) == 0;
}

/* Is name below suffix, label by label? */
static bool name_is_below(struct span name, struct span suffix)
{
	return name.len > suffix.len + 1 && span_ends_with(name, suffix) &&
	       name.p[name.len - suffix.len - 1] == '.';
}

bool host_name_matches(const struct host_id *child, const struct host_id *parent)
{
	if (parent->is_wildcard && parent->name.len == 0)
		return true;
	if (child->has_address || parent->has_address)
		return false;
	if (parent->is_wildcard)
		return name_is_below(child->name, parent->name);
	return !child->is_wildcard && span_eq(child->name, parent->name);
}

bool host_in_zone(const struct host_id *child, struct span zone)
{
	if (child->has_address)
		return false;
	return span_eq(child->name, zone) || name_is_below(child->name, zone);
}

bool host_is_in(const struct host_id *child, const struct policy_address *resolved,
		const struct host_id *parent)
{
	if (parent->port && parent->port != child->port)
		return false;
	if (host_name_matches(child, parent))
		return true;
	if (!parent->has_address)
		return false;
	return (child->has_address && address_eq(&child->address, &parent->address)) ||
	       (resolved && address_eq(resolved, &parent->address));
}
