#include "cedar/condition.h"

#include "cedar/node.h"

static struct cedar_expr *uid_list(const struct cedar_scope *s, struct arena *a)
{
	struct cedar_expr *set = node_new(a, CEDAR_EXPR_SET, s->range, NULL, NULL);

	if (!set)
		return NULL;
	set->items = arena_alloc_array(a, s->n_uids, sizeof(struct cedar_expr *));
	set->n_items = s->n_uids;
	set->depth = 2;
	for (size_t i = 0; i < s->n_uids; i++) {
		if (!set->items)
			return NULL;
		set->items[i] = node_entity(a, s->uids[i], s->range);
		if (!set->items[i])
			return NULL;
	}
	return set;
}

static struct cedar_expr *scope_value(const struct cedar_scope *s, enum cedar_var var,
				      struct arena *a)
{
	struct cedar_expr *slot;

	if (s->is_list)
		return uid_list(s, a);
	if (s->n_uids)
		return node_entity(a, s->uids[0], s->range);
	slot = node_new(a, CEDAR_EXPR_SLOT, s->range, NULL, NULL);
	if (slot)
		slot->var = var;
	return slot;
}

static struct cedar_expr *scope_condition(const struct cedar_scope *s, enum cedar_var var,
					  struct arena *a)
{
	struct cedar_expr *left = node_var(a, var, s->range), *right = NULL, *e;
	enum cedar_expr_kind kind = s->op == CEDAR_SCOPE_EQ   ? CEDAR_EXPR_EQ
				    : s->op == CEDAR_SCOPE_IN ? CEDAR_EXPR_IN
							      : CEDAR_EXPR_IS;

	if (s->op == CEDAR_SCOPE_ANY)
		return node_bool(a, true, s->range);
	if (s->op != CEDAR_SCOPE_IS) {
		right = scope_value(s, var, a);
		if (!right)
			return NULL;
	}
	if (!left)
		return NULL;
	e = node_new(a, kind, s->range, left, right);
	if (e && kind == CEDAR_EXPR_IS)
		e->type_name = s->type_name;
	return e;
}

static const struct cedar_expr *body_of(const struct cedar_condition *c, struct arena *a)
{
	return c->is_unless ? node_new(a, CEDAR_EXPR_NOT, c->range, c->body, NULL) : c->body;
}

/* c1 && (c2 && ...); true where there is none. */
static const struct cedar_expr *conditions_of(const struct cedar_policy *p, struct arena *a)
{
	const struct cedar_expr *all = NULL;

	for (size_t i = p->n_conditions; i-- > 0;) {
		const struct cedar_expr *one = body_of(&p->conditions[i], a);

		if (one && all)
			one = node_new(a, CEDAR_EXPR_AND, p->conditions[i].range, one, all);
		if (!one)
			return NULL;
		all = one;
	}
	return all ? all : node_bool(a, true, p->range);
}

struct cedar_expr *condition_of(const struct cedar_policy *p, struct arena *a)
{
	const struct cedar_scope *scopes[] = { &p->principal, &p->action, &p->resource };
	const struct cedar_expr *all = conditions_of(p, a);
	struct cedar_expr *e = NULL;

	for (size_t i = ARRAY_SIZE(scopes); i-- > 0;) {
		struct cedar_expr *scope = scope_condition(scopes[i], (enum cedar_var)i, a);

		e = scope && all ? node_new(a, CEDAR_EXPR_AND, p->range, scope, all) : NULL;
		all = e;
	}
	return e;
}
