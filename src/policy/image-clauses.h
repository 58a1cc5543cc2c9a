/*
 * The clauses of an image being made: the products of all policies' formulas,
 * equal ones once, each with the policies that it decides for.
 */
#pragma once

#include "policy/image-compile.h"

struct clause {
	struct image_clause head;
	const uint32_t *literals; /* as in the image, but with the compiler's atoms */
	VEC(uint32_t) ranks;
	uint32_t watch; /* the atom that leads here; 0: looked at in any case */
};

struct clauses {
	struct arena arena;
	VEC(struct clause) items;
	struct map by_key; /* values are numbers plus one */
};

/* The policies' order among reasons: leash's own first. ranks: number to rank. */
void ranks_of(const struct policy *p, uint32_t *ranks);

/* What became of one policy. */
struct clause_outcome {
	bool can_apply; /* in some request it is satisfied, or a forbid errs */
	bool asks;
	const struct cedar_expr *blame; /* of asks */
	bool is_scope_to_blame;
	const struct cedar_expr
		*dead;		  /* where it cannot apply, what can never hold; NULL: its scope */
	uint32_t needs_host_name; /* bit per action */
};

/* Adds the clauses of one policy under all actions. False: out of memory. */
bool clauses_add(struct clauses *set, struct compiler *c, const struct rule *rule, uint32_t rank,
		 struct clause_outcome *ret) _must_check_;
/* Chooses for each clause the rarest of its atoms to watch. */
void clauses_choose_watches(struct clauses *set, const struct atoms *atoms);
void clauses_done(struct clauses *set);
