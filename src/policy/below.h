/*
 * Symbolic links and names that do not exist yet: a link named ".claude" gives
 * whatever it points to the name ".claude/settings.json" without anybody ever
 * creating that. So no link may take a name below which a forbid names
 * something.
 */
#pragma once

#include "policy/policy-private.h"

/* The first forbid on writing that names something below the path, or NULL. */
const struct rule *policy_rule_below(const struct policy *p, struct span path);
