#include "cedar/policy-set.h"

#include <errno.h>

#include "base/alloc.h"

void cedar_policy_set_free(struct cedar_policy_set *set)
{
	if (!set)
		return;
	arena_done(&set->arena);
	xfree(set);
}

size_t cedar_policy_set_len(const struct cedar_policy_set *set)
{
	return set->len;
}

struct cedar_policy *cedar_policy_set_at(const struct cedar_policy_set *set, size_t i)
{
	return set->policies[i];
}

struct arena *cedar_policy_set_arena(struct cedar_policy_set *set)
{
	return &set->arena;
}

int policy_set_add(struct cedar_policy_set *set, struct cedar_policy *policy)
{
	if (set->len >= set->cap) {
		size_t cap = MAX((size_t)8, set->len * 2);
		struct cedar_policy **grown =
			arena_alloc_array(&set->arena, cap, sizeof(struct cedar_policy *));

		if (!grown)
			return -ENOMEM;
		for (size_t i = 0; i < set->len; i++)
			grown[i] = set->policies[i];
		set->policies = grown;
		set->cap = cap;
	}
	policy->index = set->len;
	set->policies[set->len++] = policy;
	return 0;
}

void policy_set_drop(struct cedar_policy_set *set, const struct cedar_policy *policy)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->len; i++) {
		if (set->policies[i] == policy)
			continue;
		set->policies[kept] = set->policies[i];
		set->policies[kept]->index = kept;
		kept++;
	}
	set->len = kept;
}
