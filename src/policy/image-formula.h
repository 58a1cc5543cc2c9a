/*
 * Boolean formulas of the compiler: sums of products over atoms, within a
 * budget. The literal MAYBE stands for what tables cannot know; a product that
 * holds it is an upper bound, one without it is exact. So one sum carries both
 * what surely holds and what could, and a sum over budget is widened with MAYBE,
 * never narrowed.
 */
#pragma once

#include "policy/image-atoms.h"

#define LITERAL(atom) ((uint32_t)(atom) << 1)
#define LITERAL_NOT(atom) ((uint32_t)(atom) << 1 | 1)
#define LITERAL_MAYBE LITERAL(IMAGE_ATOM_MAYBE)

struct cube {
	size_t n;
	const uint32_t *literals; /* ascending; none: always true */
};

struct cover {
	struct cube *cubes; /* none: never true */
	size_t n;
};

struct formula {
	struct atoms *atoms;
	struct arena *arena; /* what formulas live in */
	bool is_three_valued; /* rails are what can be, not what is: more than one may hold */
	bool is_out_of_memory;
};

struct cover cover_never(void);
struct cover cover_always(struct formula *f);
struct cover cover_literal(struct formula *f, uint32_t literal);
struct cover cover_or(struct formula *f, struct cover a, struct cover b);
struct cover cover_and(struct formula *f, struct cover a, struct cover b);
struct cover cover_not(struct formula *f, struct cover a);
/* Is each product of a one that b has too, exactly? */
bool cover_implies(struct cover a, struct cover b);
bool cover_is_always(struct cover a);
bool cover_has_maybe(struct cover a);
bool cube_has_maybe(const struct cube *c);
/* Fewer products that mean the same: those that differ in one positive atom become one. */
struct cover cover_compact(struct formula *f, struct cover a);

/*
 * An expression on Cedar's two rails: when it is true, when it is false, and
 * when evaluating it is an error. All three as written by the rules of
 * short-circuiting, so that none needs another's complement.
 */
struct rails {
	struct cover is_true, is_false, is_error;
};

struct rails rails_known(struct formula *f, bool value);
struct rails rails_error(struct formula *f);
struct rails rails_maybe(struct formula *f);
/* True with the atom; an error where the definer (0: none) is not set. */
struct rails rails_atom(struct formula *f, uint32_t atom, uint32_t definer);
struct rails rails_not(struct rails a);
struct rails rails_and(struct formula *f, struct rails a, struct rails b);
struct rails rails_or(struct formula *f, struct rails a, struct rails b);
struct rails rails_if(struct formula *f, struct rails c, struct rails a, struct rails b);
