/*
 * What a parsed policy set is made of. It owns everything in one arena and
 * changes only where its owner links or removes policies.
 */
#pragma once

#include "cedar/cedar.h"

struct cedar_policy_set {
	struct arena arena;
	struct cedar_policy **policies; /* in source order */
	size_t len;
	size_t cap; /* of policies; 0 where the parser made the list */
};

/* Puts a policy, which lives in the set's arena, at the end. -ENOMEM. */
int policy_set_add(struct cedar_policy_set *set, struct cedar_policy *policy) _must_check_;
/* Takes it out; the others move up. */
void policy_set_drop(struct cedar_policy_set *set, const struct cedar_policy *policy);

static inline void cleanup_policy_set(struct cedar_policy_set **set)
{
	cedar_policy_set_free(*set);
}
