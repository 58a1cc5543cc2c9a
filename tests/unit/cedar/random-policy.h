/*
 * Random policies, entities and requests from a seed: well-typed mostly, with
 * ill-typed, overflowing and missing things among them. The same small worlds
 * of names everywhere, so that things meet.
 */
#pragma once

#include "cedar/cedar.h"

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);
/* 0 to n - 1 */
size_t random_below(struct random *r, size_t n);
bool random_chance(struct random *r, size_t percent);

/* Appends Cedar text. */
void random_policies(struct random *r, size_t n, struct buf *out);
struct cedar_entity_uid random_uid(struct random *r);
/* A closed store; some of what policies name is not in it, and no File or Dir is. */
struct cedar_entities *random_entities(struct random *r);
/* Everything in the arena. */
struct cedar_request random_request(struct random *r, struct arena *arena);
