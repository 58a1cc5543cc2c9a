/*
 * Three-valued reading of a policy for DnsResolve, where port, address and
 * protocol of the connection that will follow are not known: what could the
 * policy answer, for any value of those? An outcome that is listed may happen;
 * one that is not listed cannot.
 */
#pragma once

#include "policy/request.h"

enum outcome {
	CAN_BE_TRUE = 1,
	CAN_BE_FALSE = 2,
	CAN_ERR = 4,
};

/* A set of enum outcome bits, never empty. The rule's action scope is taken to match. */
unsigned int rule_outcomes(const struct rule *rule, const struct question *q, struct arena *arena);
