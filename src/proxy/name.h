/*
 * The one canonical form of a host name, used for decisions, for resolving and
 * in the log: lower case, no trailing dot, labels of letters, digits, hyphen
 * and underscore, at most 253 bytes; international names in ASCII (IDNA 2008).
 * Whatever has no such form is no name. Text that software could take for a
 * number-and-dots address ("127.1", "0x7f.1") is no name either.
 */
#pragma once

#include "proxy/address.h"

#define NAME_MAX_LEN 253 /* RFC 1035 §2.3.4, without the root's dot */

struct name {
	char text[NAME_MAX_LEN + 1]; /* NUL-terminated; empty where no name is known */
	size_t len;
};

static inline struct span name_span(const struct name *n)
{
	return (struct span){ n->text, n->len };
}

/* -EINVAL for what is not a name. */
int name_parse(struct span text, struct name *ret) _must_check_;

/* Who a client says it talks to: a name or an address, and perhaps a port. */
struct authority {
	bool is_address;
	struct policy_address address;
	struct name name;
	uint16_t port; /* 0: not said */
};

/* "host", "host:port", "[v6]", "[v6]:port" (RFC 9110 §7.2); userinfo and empty parts are errors. */
int authority_parse(struct span text, struct authority *ret) _must_check_;
