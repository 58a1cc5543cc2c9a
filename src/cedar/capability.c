#include "cedar/capability.h"

#include "base/alloc.h"
#include "base/map.h"
#include "cedar/expr-equal.h"

enum place_kind {
	PLACE_EXPR,
	PLACE_ATTRIBUTE,
	PLACE_TAG,
};

struct place {
	enum place_kind kind;
	uint32_t of; /* ATTRIBUTE, TAG */
	uint64_t hash;
	struct span name;	       /* ATTRIBUTE */
	const struct cedar_expr *expr; /* EXPR; TAG: the key */
};

/* A table larger than this is not worth clearing for the next policy. */
#define SLOTS_KEPT 1024

void capabilities_init(struct capabilities *c, size_t *steps)
{
	*c = (struct capabilities){ .steps = steps };
}

void capabilities_done(struct capabilities *c)
{
	xfree(c->places);
	xfree(c->slots);
	xfree(c->known);
	xfree(c->trail);
	*c = (struct capabilities){ 0 };
}

void capabilities_reset(struct capabilities *c)
{
	if (c->n_slots > SLOTS_KEPT) {
		xfree(c->slots);
		c->slots = NULL;
		c->n_slots = 0;
	} else if (c->n_places) {
		memset(c->slots, 0, c->n_slots * sizeof(*c->slots));
	}
	c->n_places = 0;
	c->trail_len = 0;
}

static bool is_same_place(const struct capabilities *c, const struct place *a,
			  const struct place *b)
{
	if (a->hash != b->hash || a->kind != b->kind || a->of != b->of)
		return false;
	if (a->kind == PLACE_ATTRIBUTE)
		return span_eq(a->name, b->name);
	return expr_equal(a->expr, b->expr, c->steps);
}

static void grow_slots(struct capabilities *c)
{
	size_t n = c->n_slots ? c->n_slots * 2 : 64;
	uint32_t *slots = xnew_array(uint32_t, n);

	for (size_t i = 0; i < c->n_places; i++) {
		size_t at = (size_t)c->places[i].hash & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	xfree(c->slots);
	c->slots = slots;
	c->n_slots = n;
}

static void grow_places(struct capabilities *c)
{
	size_t cap = c->places_cap ? c->places_cap * 2 : 32;

	c->places = xrealloc_array(c->places, cap, sizeof(*c->places));
	c->known = xrealloc_array(c->known, cap, sizeof(*c->known));
	c->places_cap = cap;
}

static uint32_t number_of(struct capabilities *c, const struct place *wanted)
{
	size_t at;

	if ((c->n_places + 1) * 2 > c->n_slots)
		grow_slots(c);
	at = (size_t)wanted->hash & (c->n_slots - 1);
	for (; c->slots[at]; at = (at + 1) & (c->n_slots - 1))
		if (is_same_place(c, &c->places[c->slots[at] - 1], wanted))
			return c->slots[at] - 1;
	if (c->n_places == c->places_cap)
		grow_places(c);
	c->places[c->n_places] = *wanted;
	c->known[c->n_places] = 0;
	c->n_places++;
	c->slots[at] = (uint32_t)c->n_places;
	return (uint32_t)c->n_places - 1;
}

uint32_t place_attribute(struct capabilities *c, uint32_t of, struct span name)
{
	struct place wanted = { .kind = PLACE_ATTRIBUTE, .of = of, .name = name };

	wanted.hash = (hash_bytes(name.p, name.len) ^ of) * 0x9e3779b97f4a7c15ULL;
	wanted.hash ^= wanted.hash >> 32;
	return number_of(c, &wanted);
}

uint32_t place_tag(struct capabilities *c, uint32_t of, const struct cedar_expr *key)
{
	struct place wanted = { .kind = PLACE_TAG, .of = of, .expr = key };

	wanted.hash = (expr_hash(key) ^ of ^ 0x5bd1e995) * 0x9e3779b97f4a7c15ULL;
	wanted.hash ^= wanted.hash >> 32;
	return number_of(c, &wanted);
}

uint32_t place_of(struct capabilities *c, const struct cedar_expr *e)
{
	struct place wanted = { .kind = PLACE_EXPR, .expr = e };

	(*c->steps)++;
	if (e->kind == CEDAR_EXPR_ATTRIBUTE)
		return place_attribute(c, place_of(c, e->left), e->string);
	wanted.hash = expr_hash(e);
	return number_of(c, &wanted);
}

void capability_learn(struct capabilities *c, uint32_t place)
{
	if (c->trail_len == c->trail_cap) {
		c->trail_cap = c->trail_cap ? c->trail_cap * 2 : 64;
		c->trail = xrealloc_array(c->trail, c->trail_cap, sizeof(*c->trail));
	}
	c->trail[c->trail_len++] = place;
	c->known[place]++;
}

void capabilities_forget(struct capabilities *c, size_t mark)
{
	while (c->trail_len > mark)
		c->known[c->trail[--c->trail_len]]--;
}

struct capability_list capabilities_take(struct capabilities *c, size_t mark)
{
	struct capability_list list = { .len = c->trail_len - mark };

	if (list.len) {
		list.items = xnew_array(uint32_t, list.len);
		memcpy(list.items, c->trail + mark, list.len * sizeof(*list.items));
	}
	*c->steps += list.len;
	capabilities_forget(c, mark);
	return list;
}

/* The marks of `known` serve as the set: what of the list is on the trail since the mark stays. */
void capabilities_meet(struct capabilities *c, size_t mark, struct capability_list *list)
{
	struct capability_list here = capabilities_take(c, mark);
	size_t kept = 0;

	for (size_t i = 0; i < here.len; i++)
		c->known[here.items[i]] |= 1U << 31;
	for (size_t i = 0; i < list->len; i++)
		if (c->known[list->items[i]] & 1U << 31) {
			c->known[list->items[i]] &= ~(1U << 31);
			list->items[kept++] = list->items[i];
		}
	for (size_t i = 0; i < here.len; i++)
		c->known[here.items[i]] &= ~(1U << 31);
	for (size_t i = 0; i < kept; i++)
		capability_learn(c, list->items[i]);
	capability_list_done(&here);
	capability_list_done(list);
}

void capability_list_done(struct capability_list *list)
{
	xfree(list->items);
	*list = (struct capability_list){ 0 };
}
