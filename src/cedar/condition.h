/* A policy as the one condition that it stands for: scope and all conditions, joined by &&. */
#pragma once

#include "cedar/cedar.h"

/* principal && (action && (resource && (c1 && c2 ...))); NULL when the arena is exhausted. */
struct cedar_expr *condition_of(const struct cedar_policy *p, struct arena *arena);
