/*
 * Decisions already made under one policy, by everything that they can depend
 * on. Bounded: when full it is emptied. A hit does not allocate.
 */
#pragma once

#include "base/map.h"
#include "policy/request.h"

struct decision_cache {
	struct map map; /* key bytes to struct policy_decision */
	struct buf key; /* of the last look-up */
	size_t max;	/* 0: keeps nothing */
};

/* Looks the request up; *ret is written only on a hit. */
bool cache_get(struct decision_cache *c, const struct policy_request *r, const struct facts *facts,
	       struct policy_decision *ret);
/* Keeps the decision about the request that cache_get was asked about last. */
void cache_put(struct decision_cache *c, const struct policy_decision *d);
void cache_clear(struct decision_cache *c);
void cache_done(struct decision_cache *c);
