/*
 * What two policies decide differently, found by asking both about requests at
 * the edges of whatever their texts name: a path and what is beside, above and
 * below it, the first and last address of a range and their neighbours, a port
 * and the ports next to it, a program and another one.
 */
#pragma once

#include "policy/policy.h"

/* Facts about the process (enum policy_fact), and behind them those of a request of HTTP. */
enum {
	COMPARE_METHOD = POLICY_FACT_MAX,
	COMPARE_SCHEME,
	COMPARE_PATH,
	COMPARE_QUERY,
	COMPARE_HEADERS, /* names and values by turns, each with a NUL behind it */
	COMPARE_N_FACTS,
};

/* The facts that a request came with. */
struct compare_facts {
	struct span values[COMPARE_N_FACTS]; /* ancestors and argv with NULs between them */
	bool is_named[COMPARE_N_FACTS]; /* some policy names it; else it is one that none does */
};

struct difference {
	const struct policy_request *request;
	const struct compare_facts *facts;
	const struct policy_decision *before, *after;
};

typedef void (*difference_fn)(const struct difference *d, void *ctx);

struct comparison {
	size_t n_requests, n_differences;
	bool is_cut; /* there were more to ask than COMPARE_MAX_REQUESTS */
};

#define COMPARE_MAX_REQUESTS ((size_t)400000)

/*
 * Calls fn for each difference in verdict; the span of that call is all that it
 * is good for. Requests about the same object with the same facts follow each
 * other. What differs whatever the facts are is said once, without facts. breathe
 * is called every now and then, for who has more to do; NULL: nobody.
 */
void policy_compare(const struct policy *before, const struct policy *after, difference_fn fn,
		    void (*breathe)(void *ctx), void *ctx, struct comparison *ret);
