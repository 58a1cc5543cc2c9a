/*
 * Resolving a name for somebody in the container, under policy: decides
 * DnsResolve, counts the name against its zone's budget, reports the decision.
 */
#pragma once

#include "proxy/dns-message.h"
#include "proxy/proxy-private.h"

/* May the name be resolved? Reports the query either way. */
bool resolve_decide(struct proxy *p, const struct dns_question *q, const struct process *process,
		    struct span protocol, struct policy_decision *ret);
