/* in, has, access to attributes and tags: what the source knows, and what is left where it does
 * not. */
#include <errno.h>

#include "cedar/node.h"
#include "cedar/partial.h"
#include "cedar/value-private.h"

/* ---- in -------------------------------------------------------------------------- */

/* Is child in parent? false where that is not known. Actions are the schema's. */
static bool ask_in(const struct partial *p, struct cedar_entity_uid child,
		   struct cedar_entity_uid parent, bool *ret)
{
	const struct cedar_action_type *action = cedar_schema_action(p->schema, child);

	*ret = cedar_uid_eq(child, parent);
	if (*ret)
		return true;
	if (action) {
		for (size_t i = 0; i < action->n_ancestors; i++)
			*ret = *ret || cedar_uid_eq(action->ancestors[i]->uid, parent);
		return true;
	}
	return p->source->is_in && p->source->is_in(p->source->ctx, child, parent, ret);
}

/* In any of a set: true as soon as one is known to be, false when all are known not to be. */
static bool ask_in_set(const struct partial *p, struct cedar_entity_uid child,
		       const struct cedar_value *set, bool *ret)
{
	bool is_known = true;

	*ret = false;
	for (size_t i = 0; i < set->set.len && !*ret; i++)
		is_known = ask_in(p, child, set->set.items[i]->uid, ret) && is_known;
	return *ret || is_known;
}

static bool is_set_of_entities(const struct cedar_value *v)
{
	if (v->kind != CEDAR_SET)
		return false;
	for (size_t i = 0; i < v->set.len; i++)
		if (v->set.items[i]->kind != CEDAR_ENTITY)
			return false;
	return true;
}

struct outcome partial_in(struct partial *p, const struct cedar_expr *e, struct outcome left,
			  struct outcome right)
{
	bool is_in, is_known;

	if (left.kind == OUTCOME_OPEN || right.kind == OUTCOME_OPEN)
		return partial_open(p, e, CEDAR_EXPR_IN, &left, &right);
	if (left.value->kind != CEDAR_ENTITY ||
	    (right.value->kind != CEDAR_ENTITY && !is_set_of_entities(right.value)))
		return partial_error();
	is_known = right.value->kind == CEDAR_ENTITY
			   ? ask_in(p, left.value->uid, right.value->uid, &is_in)
			   : ask_in_set(p, left.value->uid, right.value, &is_in);
	return is_known ? partial_bool(p, is_in) : partial_open(p, e, CEDAR_EXPR_IN, &left, &right);
}

/* ---- Attributes ------------------------------------------------------------------- */

/*
 * The record in which the attributes of a value are; NULL for none. Returns false where it is not
 * known.
 */
static bool attributes_of(const struct partial *p, const struct cedar_value *v,
			  const struct cedar_value **ret)
{
	*ret = v->kind == CEDAR_RECORD ? v : NULL;
	if (v->kind != CEDAR_ENTITY)
		return true;
	if (cedar_schema_action(p->schema, v->uid)) /* actions have none */
		return true;
	return p->source->attributes && p->source->attributes(p->source->ctx, v->uid, ret);
}

struct outcome partial_attribute(struct partial *p, const struct cedar_expr *e)
{
	struct outcome x = partial_eval(p, e->left);
	const struct cedar_value *record, *found;

	if (x.kind == OUTCOME_ERROR)
		return x;
	if (x.kind == OUTCOME_OPEN || !attributes_of(p, x.value, &record))
		return partial_open(p, e, CEDAR_EXPR_ATTRIBUTE, &x, NULL);
	found = record ? value_find(record, e->string) : NULL;
	if (!found || found->kind == CEDAR_UNKNOWN)
		return partial_error();
	return partial_value(found);
}

/* x has name, for something that was evaluated. */
static struct outcome has_one(struct partial *p, const struct cedar_expr *e, struct outcome x,
			      struct span name)
{
	const struct cedar_value *record;
	struct outcome o;
	struct cedar_expr *has;

	if (x.kind == OUTCOME_ERROR)
		return x;
	if (x.kind == OUTCOME_VALUE && attributes_of(p, x.value, &record))
		return partial_bool(p, record && value_find(record, name));
	o = partial_open(p, e, CEDAR_EXPR_HAS, &x, NULL);
	has = o.kind == OUTCOME_OPEN
		      ? node_new(p->arena, CEDAR_EXPR_HAS, e->range, o.expr->left, NULL)
		      : NULL;
	if (has)
		has->names = arena_alloc_array(p->arena, 1, sizeof(*has->names));
	if (!has || !has->names)
		return partial_fail(p, -ENOMEM);
	has->names[0] = name;
	has->n_names = 1;
	o.expr = has;
	return o;
}

/* x.name, likewise. */
static struct outcome get_one(struct partial *p, const struct cedar_expr *e, struct outcome x,
			      struct span name)
{
	const struct cedar_value *record, *found;
	struct cedar_expr *get;

	if (x.kind == OUTCOME_ERROR)
		return x;
	if (x.kind == OUTCOME_VALUE && attributes_of(p, x.value, &record)) {
		found = record ? value_find(record, name) : NULL;
		return found && found->kind != CEDAR_UNKNOWN ? partial_value(found)
							     : partial_error();
	}
	get = node_new(p->arena, CEDAR_EXPR_ATTRIBUTE, e->range, partial_expr(p, &x, e->range),
		       NULL);
	if (!get)
		return partial_fail(p, -ENOMEM);
	get->string = name;
	return partial_expr_left(p, get, true, x.size + 1);
}

/* The type of x.name; NULL where it never exists. */
static const struct cedar_type *type_of_attribute(struct partial *p, const struct cedar_type *of,
						  struct span name)
{
	const struct cedar_type *type = NULL;
	bool is_required, may_exist;

	if (of && (type_is_entity(of) || of->kind == CEDAR_TYPE_RECORD))
		type_find_attribute(p->universe, of, name, &type, &is_required, &may_exist);
	return type;
}

/* e has a.b is (e has a) && (e.a has b), as the reference sees it. */
struct outcome partial_has(struct partial *p, const struct cedar_expr *e)
{
	const struct cedar_type *type = typing_get(p->types, e->left);
	struct outcome x = partial_eval(p, e->left);
	struct outcome all = has_one(p, e, x, e->names[0]);

	for (size_t i = 1; i < e->n_names; i++) {
		type = type_of_attribute(p, type, e->names[i - 1]);
		if (all.kind == OUTCOME_ERROR || !type ||
		    (all.kind == OUTCOME_VALUE && !all.value->boolean))
			return all;
		x = get_one(p, e, x, e->names[i - 1]);
		all = partial_and(p, e, all, has_one(p, e, x, e->names[i]));
	}
	return all;
}

/* ---- Tags --------------------------------------------------------------------------- */

static struct outcome open_tag(struct partial *p, const struct cedar_expr *e,
			       const struct outcome *x, const struct outcome *key)
{
	struct cedar_expr **items = arena_alloc_array(p->arena, 2, sizeof(*items));
	const struct cedar_expr *parts[] = { partial_expr(p, x, e->range),
					     partial_expr(p, key, e->range) };
	bool can_err = span_eq(e->string, SPAN("getTag"));
	struct cedar_expr *made = NULL;

	for (size_t i = 0; items && i < ARRAY_SIZE(parts); i++) {
		if (!parts[i])
			return partial_fail(p, -ENOMEM);
		items[i] = (struct cedar_expr *)(uintptr_t)parts[i];
	}
	if (items)
		made = node_with_items(p->arena, e, items);
	if (!made)
		return partial_fail(p, -ENOMEM);
	can_err = can_err || (x->kind == OUTCOME_OPEN && x->can_err) ||
		  (key->kind == OUTCOME_OPEN && key->can_err);
	return partial_expr_left(p, made, can_err, x->size + key->size + 1);
}

struct outcome partial_tag(struct partial *p, const struct cedar_expr *e)
{
	struct outcome x = partial_eval(p, e->items[0]), key = partial_eval(p, e->items[1]);
	const struct cedar_value *tags = NULL, *found;

	if (x.kind == OUTCOME_ERROR || key.kind == OUTCOME_ERROR)
		return partial_error();
	if (x.kind == OUTCOME_OPEN || key.kind == OUTCOME_OPEN || x.value->kind != CEDAR_ENTITY ||
	    key.value->kind != CEDAR_STRING)
		return open_tag(p, e, &x, &key);
	if (!cedar_schema_action(p->schema, x.value->uid) &&
	    !(p->source->tags && p->source->tags(p->source->ctx, x.value->uid, &tags)))
		return open_tag(p, e, &x, &key);
	found = tags ? value_find(tags, key.value->string) : NULL;
	if (span_eq(e->string, SPAN("hasTag")))
		return partial_bool(p, found);
	return found && found->kind != CEDAR_UNKNOWN ? partial_value(found) : partial_error();
}
