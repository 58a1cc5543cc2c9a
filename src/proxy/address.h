/*
 * Addresses: one form for each (an IPv4-mapped address is IPv4), conversion
 * from and to the kernel's structures and text, and the kinds of address that
 * matter to decisions.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "policy/policy.h"

struct endpoint {
	struct policy_address address;
	uint16_t port; /* host order */
};

/* Text of any endpoint, with brackets and port. */
#define ADDRESS_TEXT_MAX 64

bool address_eq(const struct policy_address *a, const struct policy_address *b);
struct policy_address address_v4(const void *four_bytes);
/* IPv4-mapped (::ffff:a.b.c.d) becomes IPv4. */
struct policy_address address_v6(const void *sixteen_bytes);
/* Strict dotted quad or RFC 4291 text, without scope, brackets or port. -EINVAL otherwise. */
int address_parse(struct span text, struct policy_address *ret) _must_check_;
/* Appends nothing: writes NUL-terminated text and returns it. */
struct span address_format(const struct policy_address *a, char text[ADDRESS_TEXT_MAX]);

int endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret) _must_check_;
socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ret);

bool address_is_loopback(const struct policy_address *a);
/* 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291 §2.5.6), and AWS's fd00:ec2::/32: cloud metadata. */
bool address_is_link_local(const struct policy_address *a);
/* RFC 1918, RFC 6598 (100.64.0.0/10), RFC 4193 (fc00::/7), and link-local: of networks of one's
 * own. */
bool address_is_private(const struct policy_address *a);
/* 0.0.0.0/8, ::, multicast, broadcast: nothing that one could connect to. */
bool address_is_undiallable(const struct policy_address *a);
/*
 * An IPv4 address that an IPv6 one stands for: NAT64 (RFC 6052, 64:ff9b::/96 and
 * 64:ff9b:1::/96), 6to4 (RFC 3056), IPv4-compatible and -translated. A gateway
 * would lead there, so rules about that address must hold as well.
 */
bool address_embedded_v4(const struct policy_address *a, struct policy_address *ret);
/* Does the address belong to this machine? True also when that cannot be found out. */
bool address_is_local(const struct policy_address *a);
