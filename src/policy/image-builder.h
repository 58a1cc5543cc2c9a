/*
 * An image being made: what its builder's files share.
 */
#pragma once

#include "policy/image-tables.h"

struct builder {
	const struct policy *policy;
	struct compiler compiler;
	struct clauses clauses;
	struct tables tables;
	entry_list *entries;	 /* per test: where it leads */
	uint32_t *atom_numbers;	 /* in the image; 0: has no bit of its own */
	uint32_t *check_numbers; /* per atom that is a check */
	uint32_t *clause_offsets;
	uint32_t *n_watchers, *sole_watcher; /* per atom */
	bool *is_literal;      /* per atom: in a clause other than as what is watched */
	bool *needs_automaton; /* per test */
	struct map pieces;     /* how many patterns have such a piece */
};

/* Is the atom nothing but the way to one clause, found at most once per request? Then it needs no
 * bit. */
bool builder_leads_to_clause(const struct builder *b, uint32_t atom);
/* Puts every test that is needed into the tables. */
void builder_place_tests(struct builder *b);
