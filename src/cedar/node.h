/* Making expressions other than by parsing. All return NULL when the arena is exhausted. */
#pragma once

#include "cedar/cedar.h"

/* Takes the place of `at`; the depth is that of the children and one. left and right may be NULL. */
struct cedar_expr *node_new(struct arena *a, enum cedar_expr_kind kind, struct cedar_range at,
			    const struct cedar_expr *left, const struct cedar_expr *right);
struct cedar_expr *node_bool(struct arena *a, bool b, struct cedar_range at);
struct cedar_expr *node_entity(struct arena *a, struct cedar_entity_uid uid, struct cedar_range at);
struct cedar_expr *node_var(struct arena *a, enum cedar_var var, struct cedar_range at);
/* A copy of e with other items (as many as e has). */
struct cedar_expr *node_with_items(struct arena *a, const struct cedar_expr *e,
				   struct cedar_expr **items);
/* A value written out: literals, sets, records, calls of constructors. */
struct cedar_expr *node_value(struct arena *a, const struct cedar_value *v, struct cedar_range at);
/* What fails whenever it is evaluated. */
struct cedar_expr *node_error(struct arena *a, struct cedar_range at);
