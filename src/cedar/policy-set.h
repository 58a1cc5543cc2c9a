/*
 * What a parsed policy set is made of. It owns everything in one arena and
 * does not change once it is built.
 */
#pragma once

#include "cedar/cedar.h"

struct cedar_policy_set {
	struct arena arena;
	struct cedar_policy **policies; /* in source order */
	size_t len;
};

static inline void cleanup_policy_set(struct cedar_policy_set **set)
{
	cedar_policy_set_free(*set);
}
