/*
 * Policies as parts that can be compared: which actions, which places, and
 * what must hold besides. From these follows whether one policy says
 * everything that another says.
 */
#pragma once

#include "base/vec.h"
#include "cedar/cedar.h"

struct place {
	enum cedar_scope_op op;	     /* EQ, IN: uid; IS: type */
	struct cedar_entity_uid uid; /* IS: of the type alone */
};

typedef VEC(struct place) places;

struct shape {
	const struct cedar_policy *policy;
	uint32_t actions;      /* bit per enum policy_action, those that can be about the places */
	struct span principal; /* text of the scope, empty: any; in the arena */
	places places;	       /* in one of these; none: anywhere */
	VEC(struct span) conditions; /* texts of what must hold besides, as written; in the arena */
	struct span contradiction;   /* one of those that can never hold in the places, or empty */
};

/* The policy must be rewritten. False: out of memory. */
bool shape_make(const struct cedar_policy *p, struct arena *arena, struct shape *ret);
void shape_done(struct shape *s);

/*
 * Does a apply wherever b does? For forbids also: does a deny wherever b errs?
 * False where that cannot be told. The effects are not compared.
 */
bool shape_covers(const struct shape *a, const struct shape *b);

/* Appends a key under which a place is found: its type and id. */
void place_key(const struct place *p, struct buf *out);
/* Calls fn with the key of each place that could hold this one: itself first, then what is above.
 */
void place_each_above(const struct place *p, void (*fn)(struct span key, void *ctx), void *ctx);
