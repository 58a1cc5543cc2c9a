/*
 * One policy_request as a Cedar request over an entity graph, in an arena that
 * lives until the decision is made.
 */
#pragma once

#include "policy/entities.h"
#include "policy/policy-private.h"

/* What was asked of the caller about the process; n_bytes of text where is_known. */
struct facts {
	struct span values[POLICY_FACT_MAX];
	bool is_known[POLICY_FACT_MAX];
	bool are_known; /* all that were asked for */
};

/* Fetches the facts that the keys need. A negative errno where one could not be had. */
int facts_fetch(const struct policy_request *r, uint32_t keys, struct facts *ret) _must_check_;
/* The keys among keys that nobody can give for this request, though its action has them. */
uint32_t keys_unavailable(const struct policy_request *r, uint32_t keys);

struct question {
	struct cedar_request cedar;
	struct entity_graph graph;
	struct cedar_entity_source entities;
	bool has_unknowns;     /* DnsResolve: address, port and protocol come later */
	uint32_t unknown_keys; /* the context keys that are then unknown */
};

/*
 * Builds the question. -EINVAL where the request names no object that could be
 * decided on (an empty or non-canonical path, no host), -ENOMEM.
 */
int question_make(struct question *q, const struct policy *p, const struct policy_request *r,
		  uint32_t keys, const struct facts *facts, struct arena *arena) _must_check_;
/* The same question about another action. */
int question_set_action(struct question *q, enum policy_action action);

/* Can policies be asked about its facts? What names the object is looked at when it is asked about.
 */
bool request_is_sound(const struct policy_request *r);
/* The resource's id in text form, for people. Appends to out; -EINVAL as above. */
int request_resource_id(const struct policy_request *r, struct buf *out);
struct span request_resource_type(const struct policy_request *r);
