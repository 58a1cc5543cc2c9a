/*
 * Are two expressions written alike, up to what Cedar's sugar stands for
 * (a != b is !(a == b), a > b is !(a <= b))? Where they stand does not matter.
 */
#pragma once

#include "cedar/cedar-ast.h"

/* Of the upper levels only: equal expressions hash alike. */
uint64_t expr_hash(const struct cedar_expr *e);
/* Adds the number of nodes that it looked at to *steps. */
bool expr_equal(const struct cedar_expr *a, const struct cedar_expr *b, size_t *steps);
