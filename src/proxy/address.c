#include "proxy/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

bool address_eq(const struct policy_address *a, const struct policy_address *b)
{
	return a->is_v6 == b->is_v6 && memcmp(a->bytes, b->bytes, a->is_v6 ? 16 : 4) == 0;
}

struct policy_address address_v4(const void *four_bytes)
{
	struct policy_address a = { 0 };

	memcpy(a.bytes, four_bytes, 4);
	return a;
}

struct policy_address address_v6(const void *sixteen_bytes)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct policy_address a = { .is_v6 = true };

	if (memcmp(sixteen_bytes, mapped, sizeof(mapped)) == 0)
		return address_v4((const unsigned char *)sixteen_bytes + 12);
	memcpy(a.bytes, sixteen_bytes, 16);
	return a;
}

int address_parse(struct span text, struct policy_address *ret)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, 0, text.len))
		return -EINVAL;
	memcpy(copy, text.p, text.len);
	copy[text.len] = 0;
	if (inet_pton(AF_INET, copy, bytes) == 1)
		*ret = address_v4(bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		*ret = address_v6(bytes);
	else
		return -EINVAL;
	return 0;
}

struct span address_format(const struct policy_address *a, char text[ADDRESS_TEXT_MAX])
{
	if (!inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->bytes, text, ADDRESS_TEXT_MAX))
		text[0] = 0;
	return span_of(text);
}

int endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret)
{
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;

		*ret = (struct endpoint){ address_v4(&v4->sin_addr), ntohs(v4->sin_port) };
		return 0;
	}
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;

		*ret = (struct endpoint){ address_v6(&v6->sin6_addr), ntohs(v6->sin6_port) };
		return 0;
	}
	return -EAFNOSUPPORT;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (e->address.is_v6) {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(e->port);
		memcpy(&v6->sin6_addr, e->address.bytes, 16);
		return sizeof(*v6);
	}
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	v4->sin_family = AF_INET;
	v4->sin_port = htons(e->port);
	memcpy(&v4->sin_addr, e->address.bytes, 4);
	return sizeof(*v4);
}

bool address_is_loopback(const struct policy_address *a)
{
	static const unsigned char one[16] = { [15] = 1 };

	return a->is_v6 ? memcmp(a->bytes, one, 16) == 0 : a->bytes[0] == 127;
}

bool address_is_link_local(const struct policy_address *a)
{
	if (!a->is_v6)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80) ||
	       memcmp(a->bytes, "\xfd\x00\x0e\xc2", 4) == 0;
}

bool address_is_private(const struct policy_address *a)
{
	const unsigned char *b = a->bytes;

	if (address_is_link_local(a))
		return true;
	if (a->is_v6)
		return (b[0] & 0xfe) == 0xfc;
	return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
	       (b[0] == 100 && (b[1] & 0xc0) == 64);
}

bool address_is_undiallable(const struct policy_address *a)
{
	static const unsigned char zero[16];

	if (a->is_v6)
		return a->bytes[0] == 0xff || memcmp(a->bytes, zero, 16) == 0;
	return a->bytes[0] == 0 || (a->bytes[0] & 0xf0) == 0xe0 ||
	       memcmp(a->bytes, "\xff\xff\xff\xff", 4) == 0;
}

bool address_embedded_v4(const struct policy_address *a, struct policy_address *ret)
{
	static const struct {
		unsigned char prefix[12];
		size_t len, at;
	} forms[] = {
		{ { 0x00, 0x64, 0xff, 0x9b }, 12, 12 },		    /* NAT64, well known */
		{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 12, 12 }, /* NAT64, local */
		{ { 0x20, 0x02 }, 2, 2 },			    /* 6to4 */
		{ { [8] = 0xff, [9] = 0xff }, 12, 12 },		    /* translated, RFC 2765 */
		{ { 0 }, 12, 12 }, /* compatible, RFC 4291 §2.5.5.1 */
	};

	if (!a->is_v6 || address_is_loopback(a) || address_is_undiallable(a))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (memcmp(a->bytes, forms[i].prefix, forms[i].len) == 0) {
			*ret = address_v4(a->bytes + forms[i].at);
			return true;
		}
	}
	return false;
}
