/*
 * HttpRewrite: a permit that nobody asks about, but that tells the proxy to set
 * a header in requests to a host. What it sets is read from its two comparisons.
 */
#pragma once

#include "cedar/cedar.h"
#include "policy/policy.h"

struct instruction {
	struct span host;	       /* a name, "*.name" or an address */
	uint16_t port;		       /* 0: any */
	struct span header, value;     /* as written */
	struct cedar_expr *value_expr; /* the literal */
};

/* Is the policy about HttpRewrite and nothing else? */
bool instruction_is(const struct cedar_policy *p);
/* Does its scope name HttpRewrite at all? */
bool instruction_is_named(const struct cedar_policy *p);
/* Reads a policy that policy_rewrite has been at. NULL, or what is missing, for a person. */
const char *instruction_read(const struct cedar_policy *p, struct instruction *ret);
/* Does the value hold anything but ${secret:NAME}s? Such text is shown nowhere. */
bool instruction_has_literal(const struct instruction *i);
