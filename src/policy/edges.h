/*
 * The edges of what policies name: texts for requests to be asked about.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "policy/compare.h"
#include "policy/policy-private.h"

struct texts {
	VEC(struct span) items; /* each once, in the arena */
	struct map known;
};

struct fact_set {
	struct span values[COMPARE_N_FACTS];
};

/* An address beside what names it, for a request to an address. */
struct edges {
	struct arena arena;
	struct texts paths; /* a final slash where a directory is meant */
	struct texts names, servers, tools;
	VEC(struct policy_address) addresses;
	VEC(uint16_t) ports;
	struct texts facts[COMPARE_N_FACTS]; /* single values */
	VEC(struct fact_set) combinations;   /* what one policy names, together */
};

/* No list of edges grows beyond this. */
#define EDGES_MAX 2000

void edges_init(struct edges *e);
void edges_done(struct edges *e);
/* Adds the edges of what the rule names. */
void edges_add(struct edges *e, const struct rule *rule);
void edges_add_port(struct edges *e, int64_t port);
void texts_add(struct edges *e, struct texts *t, const char *fmt, ...) _printf_(3, 4);
