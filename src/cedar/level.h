/*
 * Levels (RFC 76): how many steps from entity to entity a policy takes at most,
 * so that a caller knows what to load before it asks. A step is `.`, `has`,
 * `in`, hasTag or getTag on an entity; the way begins at a request variable or
 * the action. To be called after the conditions were typed.
 */
#pragma once

#include "cedar/typecheck.h"

void level_check_policy(struct typecheck *t, const struct cedar_policy *p, size_t max);
void level_check_scope(struct typecheck *t, const struct cedar_policy *p, size_t max);
