/* The operators that ask about entities: in, is, has, and access to attributes. */
#include <errno.h>

#include "cedar/diagnostics.h"
#include "cedar/evaluate-private.h"
#include "cedar/value-private.h"

#define RECORD_WANTED "one of [record, " ENTITY_WANTED "]"

/* All members must be entities, also those after a match. */
static int is_in_set(struct evaluation *ev, const struct cedar_expr *e, struct cedar_entity_uid uid,
		     const struct cedar_value *set, bool *ret)
{
	bool found = false;

	for (size_t i = 0; i < set->set.len; i++)
		if (set->set.items[i]->kind != CEDAR_ENTITY)
			return evaluation_type_error(ev, e, ENTITY_WANTED, set->set.items[i]);
	for (size_t i = 0; !found && i < set->set.len; i++)
		found = source_is_in(ev->entities, uid, set->set.items[i]->uid);
	*ret = found;
	return 0;
}

/* The common `x in [A::"a", B::"b"]`: no set is built. */
static int is_in_literal(struct evaluation *ev, const struct cedar_expr *set,
			 struct cedar_entity_uid uid, bool *ret)
{
	bool found = false;

	for (size_t i = 0; i < set->n_items; i++) {
		struct cedar_value item;
		int r = evaluate_kind(ev, set->items[i], CEDAR_ENTITY, &item);

		if (r < 0)
			return r;
		found = found || source_is_in(ev->entities, uid, item.uid);
	}
	*ret = found;
	return 0;
}

static int is_in(struct evaluation *ev, const struct cedar_expr *right, struct cedar_entity_uid uid,
		 bool *ret)
{
	struct cedar_value v;
	int r;

	if (right->kind == CEDAR_EXPR_SET)
		return is_in_literal(ev, right, uid, ret);
	r = evaluate(ev, right, &v);
	if (r < 0)
		return r;
	if (v.kind == CEDAR_SET)
		return is_in_set(ev, right, uid, &v, ret);
	if (v.kind != CEDAR_ENTITY)
		return evaluation_type_error(ev, right, "one of [set, " ENTITY_WANTED "]", &v);
	*ret = source_is_in(ev->entities, uid, v.uid);
	return 0;
}

int eval_in(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value left;
	bool b;
	int r = evaluate_kind(ev, e->left, CEDAR_ENTITY, &left);

	if (r == 0)
		r = is_in(ev, e->right, left.uid, &b);
	return r < 0 ? r : give_bool(ret, b);
}

int eval_is(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value left;
	bool b;
	int r = evaluate_kind(ev, e->left, CEDAR_ENTITY, &left);

	if (r < 0)
		return r;
	b = span_eq(left.uid.type, e->type_name);
	if (b && e->right)
		r = is_in(ev, e->right, left.uid, &b);
	return r < 0 ? r : give_bool(ret, b);
}

/* The record in which an attribute of v is to be found; NULL for an entity that does not exist. */
static int attributes_of(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *v, const struct cedar_value **ret)
{
	if (v->kind == CEDAR_RECORD)
		*ret = v;
	else if (v->kind == CEDAR_ENTITY)
		*ret = source_attributes(ev->entities, v->uid);
	else
		return evaluation_type_error(ev, e, RECORD_WANTED, v);
	return 0;
}

/* e has a.b.c is e has a && e.a has b && e.a.b has c. */
int eval_has(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value left;
	const struct cedar_value *v = &left;
	int r = evaluate(ev, e->left, &left);

	if (r < 0)
		return r;
	for (size_t i = 0; v && i < e->n_names; i++) {
		const struct cedar_value *record = NULL;

		r = attributes_of(ev, e->left, v, &record);
		if (r < 0)
			return r;
		v = record ? value_find(record, e->names[i]) : NULL;
	}
	return give_bool(ret, v != NULL);
}

static int missing_entity(struct evaluation *ev, const struct cedar_expr *e,
			  struct cedar_entity_uid uid)
{
	return evaluation_fail(ev, e, "missing_entity", "entity `%.*s::\"%.*s\"` does not exist",
			       SPAN_ARG(diagnostic_quote(uid.type)),
			       SPAN_ARG(diagnostic_quote(uid.id)));
}

int evaluation_give(struct evaluation *ev, const struct cedar_expr *e,
		    const struct cedar_value *found, struct cedar_value *ret)
{
	if (found->kind == CEDAR_UNKNOWN)
		return evaluation_fail(ev, e, "unknown", "the value of `%.*s` is unknown",
				       SPAN_ARG(diagnostic_quote(found->string)));
	*ret = *found;
	return 0;
}

int eval_attribute(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct span name = diagnostic_quote(e->string);
	const struct cedar_value *record = NULL;
	const struct cedar_value *found;
	struct cedar_value left;
	int r = evaluate(ev, e->left, &left);

	if (r == 0)
		r = attributes_of(ev, e->left, &left, &record);
	if (r < 0)
		return r;
	if (!record)
		return missing_entity(ev, e, left.uid);
	found = value_find(record, e->string);
	if (found)
		return evaluation_give(ev, e, found, ret);
	if (left.kind == CEDAR_RECORD)
		return evaluation_fail(ev, e, "missing_attribute",
				       "record does not have the attribute `%.*s`", SPAN_ARG(name));
	return evaluation_fail(ev, e, "missing_attribute",
			       "`%.*s::\"%.*s\"` does not have the attribute `%.*s`",
			       SPAN_ARG(diagnostic_quote(left.uid.type)),
			       SPAN_ARG(diagnostic_quote(left.uid.id)), SPAN_ARG(name));
}
