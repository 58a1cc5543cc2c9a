/*
 * Capabilities: what `has` and hasTag have shown to be there. `e has a` lets
 * what is evaluated only when it held read `e.a`, if e is written alike.
 *
 * Places (an attribute or a tag of a place or of an expression) get numbers,
 * per policy. Those that are known to be there are on a trail: a check leaves
 * what it learnt at its end, and the caller keeps it or drops it. So `&&` costs
 * nothing, however many capabilities there are.
 */
#pragma once

#include "cedar/cedar.h"

struct place;

struct capabilities {
	struct place *places; /* by number */
	size_t n_places, places_cap;
	uint32_t *slots; /* place numbers + 1, by content */
	size_t n_slots;
	uint32_t *known; /* by place: how often it is on the trail */
	uint32_t *trail;
	size_t trail_len, trail_cap;
	size_t *steps; /* the validator's budget of work */
};

void capabilities_init(struct capabilities *c, size_t *steps);
void capabilities_done(struct capabilities *c);
/* For the next policy. */
void capabilities_reset(struct capabilities *c);

/* The place of an expression itself. */
uint32_t place_of(struct capabilities *c, const struct cedar_expr *e);
uint32_t place_attribute(struct capabilities *c, uint32_t of, struct span name);
/* The tag whose key the expression gives. */
uint32_t place_tag(struct capabilities *c, uint32_t of, const struct cedar_expr *key);

static inline bool capability_is_known(const struct capabilities *c, uint32_t place)
{
	return c->known[place] > 0;
}

void capability_learn(struct capabilities *c, uint32_t place);

static inline size_t capabilities_mark(const struct capabilities *c)
{
	return c->trail_len;
}

/* Forgets what was learnt since the mark. */
void capabilities_forget(struct capabilities *c, size_t mark);
/* Takes what was learnt since the mark off the trail: a list of its own, to be given to _meet. */
struct capability_list {
	uint32_t *items;
	size_t len;
};
struct capability_list capabilities_take(struct capabilities *c, size_t mark);
/* Keeps of what was learnt since the mark only what the list has too; frees the list. */
void capabilities_meet(struct capabilities *c, size_t mark, struct capability_list *list);
void capability_list_done(struct capability_list *list);
