/*
 * What the evaluator's files share: operands of a wanted kind, results, and
 * the operators that live in a file of their own.
 */
#pragma once

#include "cedar/evaluate.h"

/* How the reference names the entity kind in type errors. */
#define ENTITY_WANTED "(entity of type `any_entity_type`)"

/* Evaluates and insists on a kind. */
int evaluate_kind(struct evaluation *ev, const struct cedar_expr *e, enum cedar_value_kind kind,
		  struct cedar_value *ret) _must_check_;

/* What was found in the data; an error where it is unknown. */
int evaluation_give(struct evaluation *ev, const struct cedar_expr *e,
		    const struct cedar_value *found, struct cedar_value *ret);

int eval_in(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret);
int eval_is(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret);
int eval_has(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret);
int eval_attribute(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret);

static inline int give_bool(struct cedar_value *ret, bool b)
{
	*ret = (struct cedar_value){ .kind = CEDAR_BOOL, .boolean = b };
	return 0;
}

/* Long, decimal, datetime or duration. */
static inline int give_integer(struct cedar_value *ret, enum cedar_value_kind kind, int64_t n)
{
	*ret = (struct cedar_value){ .kind = kind, .integer = n };
	return 0;
}

static inline int give_entity(struct cedar_value *ret, struct cedar_entity_uid uid)
{
	*ret = (struct cedar_value){ .kind = CEDAR_ENTITY, .uid = uid };
	return 0;
}
