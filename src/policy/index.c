#include "policy/bounds.h"
#include "policy/policy-private.h"

struct rule_numbers {
	size_t number;
	struct rule_numbers *next;
};

static bool add_place(struct rule_index *index, struct span place, size_t number,
		      struct arena *arena)
{
	struct rule_numbers *first = map_get(&index->places, place);
	struct rule_numbers *n;

	if (first && first->number == number)
		return true;
	n = arena_new(arena, struct rule_numbers);
	if (!n)
		return false;
	*n = (struct rule_numbers){ number, first };
	(void)map_put(&index->places, place, n);
	return true;
}

static bool add_rule(struct rule_index *index, const struct rule *rule, struct arena *arena)
{
	struct bounds b = policy_bounds(rule->cedar, BOUNDS_OF_EVALUATION);
	bool is_added = true;

	if (!b.is_bounded)
		index->unbounded[rule->number / 64] |= UINT64_C(1) << rule->number % 64;
	for (size_t i = 0; is_added && i < b.places.len; i++)
		is_added = add_place(index, b.places.items[i].text, rule->number, arena);
	bounds_done(&b);
	return is_added;
}

bool rule_index_make(struct rule_index *index, const struct policy *p, struct arena *arena)
{
	index->n_words = p->n_rules / 64 + 1;
	index->unbounded = arena_alloc_array(arena, index->n_words, sizeof(*index->unbounded));
	for (size_t i = 0; i < p->n_rules; i++)
		if (!index->unbounded || !add_rule(index, &p->rules[i], arena))
			return false;
	return index->unbounded;
}

void rule_index_done(struct rule_index *index)
{
	map_done(&index->places, NULL);
}

static void add_bits(const struct rule_index *index, struct span place, uint64_t *bits)
{
	for (const struct rule_numbers *n = map_get(&index->places, place); n; n = n->next)
		bits[n->number / 64] |= UINT64_C(1) << n->number % 64;
}

const uint64_t *rule_index_find(const struct rule_index *index, struct span path,
				struct arena *arena)
{
	uint64_t *bits = arena_alloc_array(arena, index->n_words, sizeof(*bits));

	if (!bits)
		return NULL;
	memcpy(bits, index->unbounded, index->n_words * sizeof(*bits));
	for (size_t i = 1; i < path.len; i++)
		if (path.p[i] == '/')
			add_bits(index, span_make(path.p, i), bits);
	if (path.len && path.p[0] == '/')
		add_bits(index, SPAN("/"), bits);
	add_bits(index, path, bits);
	return bits;
}
