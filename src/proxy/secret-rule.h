/*
 * One secret as the daemon hands it to the proxy: its value, the placeholder
 * that the agent has instead, and where the value may go.
 */
#pragma once

#include "base/buf.h"
#include "base/limits.h"

/* A server: over verified TLS, or on clear HTTP where that was asked for by name. */
struct secret_place {
	struct span host; /* a name in normal form, "*.name", or an address as it is printed */
	uint16_t port;
	bool is_clear;
};

struct secret_rule {
	struct span name;
	struct span value, placeholder; /* equally long, of one outline (needles.h) */
	struct span path;		/* and what is below it, in normal form; empty: any */
	struct span header;		/* in lower case; empty: any */
	struct secret_place places[LIMIT_SECRET_PLACES];
	size_t n_places; /* none: only an HttpRewrite policy can use it */
};

/* A message of that many bytes at most. */
#define SECRET_RULE_MAX (2 * LIMIT_SECRET + 16 * 1024)

/* Appends the message. -EMSGSIZE where it would be too long. */
int secret_rule_write(const struct secret_rule *rule, struct buf *out) _must_check_;
/* Everything points into the message. -EBADMSG for damage. */
int secret_rule_read(struct span message, struct secret_rule *ret) _must_check_;
