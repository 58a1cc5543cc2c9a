#include "cedar/policy-set.h"

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
