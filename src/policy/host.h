/*
 * Host ids: names, wildcards, addresses and ports, and which of them contains
 * which. Ids are compared in their normal form: lower case, no final dot,
 * addresses as inet_ntop(3) writes them, IPv4-mapped IPv6 as IPv4.
 */
#pragma once

#include "base/buf.h"
#include "policy/policy.h"

struct host_id {
	struct span name; /* without port, brackets and "*."; points into the id */
	uint16_t port;	  /* 0: any */
	bool is_wildcard; /* "*" (empty name) or "*.name" */
	bool has_address; /* the name is an address */
	struct policy_address address;
};

struct ip_range {
	struct policy_address address;
	unsigned int prefix;
};

/* Reads an id in normal form, or one that only lacks it. False where it is none. */
bool host_id_parse(struct span id, struct host_id *ret);
/* Appends the normal form of a host id a person wrote. -EINVAL where it is none. */
int host_id_normalise(struct span id, struct buf *out);
/* Appends the normal form of name or address and port (0: none). -EINVAL where host is no name. */
int host_id_make(struct span host, const struct policy_address *address, uint16_t port,
		 struct buf *out);
/* Lower case without final dot, checked letter by letter. -EINVAL for what cannot be a name. */
int host_name_normalise(struct span name, struct buf *out);
/* RFC 1035 §2.3.4, without the final dot. */
#define HOST_NAME_MAX_LEN 253
/* The same into memory of HOST_NAME_MAX_LEN bytes; its length, or -EINVAL. */
int host_name_copy(struct span name, char *out);
int policy_address_print(const struct policy_address *a, struct buf *out);
bool policy_address_parse(struct span text, struct policy_address *ret);

bool ip_range_parse(struct span text, struct ip_range *ret);
int ip_range_print(const struct ip_range *r, struct buf *out);
/* Also true for the NAT64 form (RFC 6052, 64:ff9b::/96) of an address in an IPv4 range. */
bool ip_range_holds(const struct ip_range *r, const struct policy_address *a);

/* Does the name, ports aside, fall under the parent's name or wildcard? */
bool host_name_matches(const struct host_id *child, const struct host_id *parent);
bool host_in_zone(const struct host_id *child, struct span zone);
/* Is child the parent or below it? resolved: the address behind a name, or NULL. */
bool host_is_in(const struct host_id *child, const struct policy_address *resolved,
		const struct host_id *parent);
