/* ==, in, is, and the comparisons by order. */
#include "cedar/typecheck.h"

const struct cedar_entity_uid *typecheck_uid(const struct typecheck *t, const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_VAR && e->var == CEDAR_ACTION)
		return &t->action->uid;
	return e->kind == CEDAR_EXPR_ENTITY ? &e->uid : NULL;
}

/* ---- == ---------------------------------------------------------------------- */

/* The reference reads `&&` and `||` of two literals as a literal; nothing else of that kind. */
static bool is_boolean_literal(const struct cedar_expr *e, bool *ret)
{
	bool left, right;

	if (e->kind == CEDAR_EXPR_BOOL) {
		*ret = e->boolean;
		return true;
	}
	if ((e->kind != CEDAR_EXPR_AND && e->kind != CEDAR_EXPR_OR) ||
	    !is_boolean_literal(e->left, &left) || !is_boolean_literal(e->right, &right))
		return false;
	*ret = e->kind == CEDAR_EXPR_AND ? left && right : left || right;
	return true;
}

static bool is_literal(const struct typecheck *t, const struct cedar_expr *e)
{
	bool value;

	return e->kind == CEDAR_EXPR_LONG || e->kind == CEDAR_EXPR_STRING || typecheck_uid(t, e) ||
	       is_boolean_literal(e, &value);
}

static bool is_same_literal(const struct typecheck *t, const struct cedar_expr *a,
			    const struct cedar_expr *b)
{
	const struct cedar_entity_uid *x = typecheck_uid(t, a), *y = typecheck_uid(t, b);
	bool of_a, of_b;

	if (x || y)
		return x && y && cedar_uid_eq(*x, *y);
	if (is_boolean_literal(a, &of_a) && is_boolean_literal(b, &of_b))
		return of_a == of_b;
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEDAR_EXPR_LONG)
		return a->integer == b->integer;
	return a->kind == CEDAR_EXPR_STRING && span_eq(a->string, b->string);
}

static bool is_among(struct span name, const struct span *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(name, names[i]))
			return true;
	return false;
}

/* Entities of different types are never equal. */
static bool is_disjoint(const struct cedar_type *a, const struct cedar_type *b)
{
	const struct span *x, *y;
	size_t n_x, n_y;

	if (!type_is_entity(a) || !type_is_entity(b) || a == b)
		return false;
	n_x = type_entity_names(a, &x);
	n_y = type_entity_names(b, &y);
	if (n_x == 0 || n_y == 0)
		return false;
	for (size_t i = 0; i < n_x; i++)
		if (is_among(x[i], y, n_y))
			return false;
	return true;
}

struct typed typecheck_equality(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed l = typecheck_value(t, e->left), r = typecheck_value(t, e->right);
	bool is_ok = l.is_ok && r.is_ok;

	if (is_literal(t, e->left) && is_literal(t, e->right))
		return typed_basic(t,
				   is_same_literal(t, e->left, e->right) ? CEDAR_TYPE_TRUE
									 : CEDAR_TYPE_FALSE,
				   is_ok);
	if (!l.type || !r.type)
		return typed_basic(t, CEDAR_TYPE_BOOL, false);
	if (is_disjoint(l.type, r.type))
		return typed_basic(t, CEDAR_TYPE_FALSE, is_ok);
	if (t->types->mode == CEDAR_STRICT &&
	    !typecheck_join(t, e, "both sides of `==`", l.type, r.type))
		is_ok = false;
	return typed_basic(t, CEDAR_TYPE_BOOL, is_ok);
}

/* ---- in ----------------------------------------------------------------------- */

static bool is_action_in(const struct cedar_action_type *a, struct cedar_entity_uid uid)
{
	if (cedar_uid_eq(a->uid, uid))
		return true;
	for (size_t i = 0; i < a->n_ancestors; i++)
		if (cedar_uid_eq(a->ancestors[i]->uid, uid))
			return true;
	return false;
}

/* Whether an action is in those that e names literally; false where e says it otherwise. */
static bool decide_action_in(const struct typecheck *t, const struct cedar_action_type *a,
			     const struct cedar_expr *e, bool *ret_is_in)
{
	const struct cedar_entity_uid *uid = typecheck_uid(t, e);

	*ret_is_in = uid && is_action_in(a, *uid);
	if (uid)
		return true;
	if (e->kind != CEDAR_EXPR_SET)
		return false;
	for (size_t i = 0; i < e->n_items; i++) {
		uid = typecheck_uid(t, e->items[i]);
		if (!uid)
			return false;
		*ret_is_in = *ret_is_in || is_action_in(a, *uid);
	}
	return true;
}

static bool is_action_name(const struct types *t, struct span name)
{
	return !cedar_schema_entity(t->schema, name);
}

/* Is any action of type a in one of type b? */
static bool may_action_be_in(const struct types *t, struct span a, struct span b)
{
	for (size_t i = 0; i < t->schema->n_actions; i++) {
		const struct cedar_action_type *action = t->schema->actions[i];

		for (size_t j = 0; span_eq(action->uid.type, a) && j < action->n_ancestors; j++)
			if (span_eq(action->ancestors[j]->uid.type, b))
				return true;
	}
	return false;
}

static bool may_name_be_in(const struct types *t, struct span a, struct span b)
{
	const struct cedar_entity_type *x, *y;

	if (span_eq(a, b))
		return true;
	if (is_action_name(t, a))
		return is_action_name(t, b) && may_action_be_in(t, a, b);
	x = cedar_schema_entity(t->schema, a);
	y = cedar_schema_entity(t->schema, b);
	return x && y && cedar_entity_type_is_in(x, y);
}

bool typecheck_may_be_in(const struct types *t, const struct cedar_type *a,
			 const struct cedar_type *b)
{
	const struct span *x, *y;
	size_t n_x, n_y;

	if (a == b)
		return true;
	if (a->entity && b->entity)
		return cedar_entity_type_is_in(a->entity, b->entity);
	n_x = type_entity_names(a, &x);
	n_y = type_entity_names(b, &y);
	if (n_x == 0 || n_y == 0)
		return true;
	for (size_t i = 0; i < n_x; i++)
		for (size_t j = 0; j < n_y; j++)
			if (may_name_be_in(t, x[i], y[j]))
				return true;
	return false;
}

/* `in`, with the left side already checked. */
static struct typed check_in(struct typecheck *t, const struct cedar_expr *left, struct typed l,
			     const struct cedar_expr *right)
{
	struct typed r = typecheck_entity(t, right, TYPECHECK_OR_ENTITIES);
	const struct cedar_entity_uid *uid = typecheck_uid(t, left);
	const struct cedar_action_type *action = NULL;
	const struct cedar_type *into = r.type;
	bool is_in;

	if (!l.is_ok || !r.is_ok)
		return typed_basic(t, CEDAR_TYPE_BOOL, false);
	if (uid)
		action = cedar_schema_action(t->types->schema, *uid);
	if (action && decide_action_in(t, action, right, &is_in))
		return typed_basic(t, is_in ? CEDAR_TYPE_TRUE : CEDAR_TYPE_FALSE, true);
	if (into->kind == CEDAR_TYPE_SET)
		into = into->element;
	if (!into || l.type->kind == CEDAR_TYPE_NEVER)
		return typed_basic(t, CEDAR_TYPE_BOOL, true);
	if (into->kind == CEDAR_TYPE_NEVER)
		return typed_basic(t, CEDAR_TYPE_FALSE, true);
	return typed_basic(
		t, typecheck_may_be_in(t->types, l.type, into) ? CEDAR_TYPE_BOOL : CEDAR_TYPE_FALSE,
		true);
}

struct typed typecheck_in(struct typecheck *t, const struct cedar_expr *e)
{
	return check_in(t, e->left, typecheck_entity(t, e->left, TYPECHECK_ENTITY), e->right);
}

/* ---- is ----------------------------------------------------------------------- */

static enum cedar_type_kind is_of(const struct cedar_type *type, struct span name)
{
	const struct span *names;
	size_t n = type_entity_names(type, &names);

	if (n == 1)
		return span_eq(names[0], name) ? CEDAR_TYPE_TRUE : CEDAR_TYPE_FALSE;
	return n == 0 || is_among(name, names, n) ? CEDAR_TYPE_BOOL : CEDAR_TYPE_FALSE;
}

/* is T [in E], which is (is T) && (in E) */
struct typed typecheck_is(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed x = typecheck_entity(t, e->left, TYPECHECK_ENTITY), in;
	enum cedar_type_kind is = CEDAR_TYPE_BOOL;

	if (x.type && type_is_entity(x.type))
		is = is_of(x.type, e->type_name);
	if (!e->right || is == CEDAR_TYPE_FALSE)
		return typed_basic(t, is, x.is_ok);
	in = check_in(t, e->left, x, e->right);
	if (is == CEDAR_TYPE_TRUE || in.type->kind == CEDAR_TYPE_FALSE)
		return (struct typed){ in.type, in.is_ok && x.is_ok };
	return typed_basic(t, CEDAR_TYPE_BOOL, in.is_ok && x.is_ok);
}

/* ---- < <= > >= ------------------------------------------------------------------ */

static bool is_instant(const struct cedar_type *type)
{
	return type->kind == CEDAR_TYPE_DATETIME || type->kind == CEDAR_TYPE_DURATION;
}

static _cold_ void report_order(struct typecheck *t, const struct cedar_expr *e,
				const struct cedar_type *type)
{
	char text[TYPE_TEXT_MAX];

	if (finding_is_new(t->findings, "unexpected_type", e->range, type, NULL))
		finding_add(t->findings, CEDAR_ERROR, "unexpected_type", e->range,
			    type->kind == CEDAR_TYPE_DECIMAL ? "use `.lessThan(...)` and its like"
							     : NULL,
			    "only Long, datetime and duration have an order, but this is %s",
			    type_text(type, text));
}

static bool has_order(struct typecheck *t, const struct cedar_expr *e,
		      const struct cedar_type *type)
{
	if (is_instant(type) || type->kind == CEDAR_TYPE_LONG || type->kind == CEDAR_TYPE_NEVER)
		return true;
	report_order(t, e, type);
	return false;
}

/* Both must be of one type; where one is a Long, the other is at fault. */
struct typed typecheck_compare(struct typecheck *t, const struct cedar_expr *e)
{
	struct typed l = typecheck_value(t, e->left), r = typecheck_value(t, e->right);
	enum cedar_type_kind kind = CEDAR_TYPE_LONG;
	bool is_ordered;

	if (!l.type || !r.type)
		return typed_basic(t, CEDAR_TYPE_BOOL, false);
	is_ordered = has_order(t, e->left, l.type);
	is_ordered = has_order(t, e->right, r.type) && is_ordered;
	if (!is_ordered)
		return typed_basic(t, CEDAR_TYPE_BOOL, false);
	if (is_instant(l.type) && is_instant(r.type))
		kind = l.type->kind;
	l = typecheck_expect(t, e->left, l, kind);
	r = typecheck_expect(t, e->right, r, kind);
	return typed_basic(t, CEDAR_TYPE_BOOL, l.is_ok && r.is_ok);
}
