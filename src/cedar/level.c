#include "cedar/level.h"

#include "base/limits.h"

struct level {
	struct typecheck *check;
	size_t max;
	size_t depth;
};

/* The names of the attributes that are read from a record to reach an entity, the last first. */
struct path {
	struct span name;
	const struct path *next;
};

static void check(struct level *l, const struct cedar_expr *e);
static size_t depth_of(struct level *l, const struct cedar_expr *e, const struct path *path);

static bool is_entity(const struct level *l, const struct cedar_expr *e)
{
	const struct cedar_type *type = typing_get(l->check->table, e);

	return type && type_is_entity(type);
}

static bool was_typed(const struct level *l, const struct cedar_expr *e)
{
	return typing_get(l->check->table, e);
}

static void report(struct level *l, struct cedar_range range, size_t needed)
{
	struct findings *f = l->check->findings;

	if (!finding_is_new(f, "level_exceeded", range, NULL, NULL))
		return;
	finding_add(f, CEDAR_ERROR, "level_exceeded", range, "raise the level, or use other data",
		    "this reads entities %zu step%s away, but only %zu %s allowed", needed,
		    needed == 1 ? "" : "s", l->max, l->max == 1 ? "is" : "are");
}

static void report_literal(struct level *l, struct cedar_range range)
{
	if (finding_is_new(l->check->findings, "literal_dereference", range, NULL, NULL))
		finding_add(l->check->findings, CEDAR_ERROR, "literal_dereference", range,
			    "start from principal, action, resource or context",
			    "an entity that is written out cannot be read: no level would load it");
}

static size_t depth_of_branch(struct level *l, const struct cedar_expr *e, const struct path *path)
{
	return was_typed(l, e) ? depth_of(l, e, path) : 0;
}

static size_t depth_in_record(struct level *l, const struct cedar_expr *e, const struct path *path)
{
	size_t depth = 0;

	for (size_t i = 0; i < e->n_items; i++) {
		if (path && span_eq(e->names[i], path->name))
			depth = depth_of(l, e->items[i], path->next);
		else
			check(l, e->items[i]);
	}
	return depth;
}

/* How many steps from the request's own entities e (with the path read from it) is. */
static size_t depth_of(struct level *l, const struct cedar_expr *e, const struct path *path)
{
	struct path longer = { e->string, path };
	size_t depth = 0;

	if (l->depth > LIMIT_CEDAR_DEPTH)
		return 0;
	l->depth++;
	if (e->kind == CEDAR_EXPR_ATTRIBUTE) {
		depth = is_entity(l, e->left) ? depth_of(l, e->left, NULL) + 1
					      : depth_of(l, e->left, &longer);
	} else if (e->kind == CEDAR_EXPR_CALL && span_eq_str(e->string, "getTag")) {
		check(l, e->items[1]);
		depth = depth_of(l, e->items[0], NULL) + 1;
	} else if (e->kind == CEDAR_EXPR_IF) {
		check(l, e->left);
		depth = MAX(depth_of_branch(l, e->right, path), depth_of_branch(l, e->third, path));
	} else if (e->kind == CEDAR_EXPR_RECORD) {
		depth = depth_in_record(l, e, path);
	} else if (e->kind == CEDAR_EXPR_ENTITY && !cedar_uid_eq(e->uid, l->check->action->uid)) {
		report_literal(l, e->range);
	}
	l->depth--;
	return depth;
}

/* e reads the entity that `from` is. */
static void check_read(struct level *l, const struct cedar_expr *e, const struct cedar_expr *from)
{
	size_t needed = depth_of(l, from, NULL) + 1;

	if (needed > l->max)
		report(l, e->range, needed);
}

/* e has a.b.c: each entity on the way is read. */
static void check_has(struct level *l, const struct cedar_expr *e)
{
	const struct cedar_type *type = typing_get(l->check->table, e->left);
	size_t needed = 0;
	bool is_read = false;

	if (!type || !is_entity(l, e->left))
		check(l, e->left);
	if (type && type_is_entity(type))
		needed = depth_of(l, e->left, NULL);
	for (size_t i = 0; type && i < e->n_names; i++) {
		bool is_required, may_exist;

		if (type_is_entity(type)) {
			needed++;
			is_read = true;
		}
		type_find_attribute(l->check->types, type, e->names[i], &type, &is_required,
				    &may_exist);
		if (type && !type_is_entity(type) && type->kind != CEDAR_TYPE_RECORD)
			break;
	}
	if (is_read && needed > l->max)
		report(l, e->range, needed);
}

static bool is_tag_call(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_CALL &&
	       (span_eq_str(e->string, "hasTag") || span_eq_str(e->string, "getTag"));
}

static void check_parts(struct level *l, const struct cedar_expr *e)
{
	if (e->left)
		check(l, e->left);
	if (e->right)
		check(l, e->right);
	if (e->third)
		check(l, e->third);
	for (size_t i = 0; i < e->n_items; i++)
		check(l, e->items[i]);
}

/* Parts without a type are never evaluated. */
static void check(struct level *l, const struct cedar_expr *e)
{
	if (!was_typed(l, e) || l->depth > LIMIT_CEDAR_DEPTH)
		return;
	l->depth++;
	if (e->kind == CEDAR_EXPR_IN || (e->kind == CEDAR_EXPR_IS && e->right)) {
		if (was_typed(l, e->right)) {
			check_read(l, e, e->left);
			check(l, e->right);
		} else {
			check(l, e->left);
		}
	} else if (is_tag_call(e)) {
		check_read(l, e, e->items[0]);
		check(l, e->items[1]);
	} else if (e->kind == CEDAR_EXPR_ATTRIBUTE && is_entity(l, e->left)) {
		check_read(l, e, e->left);
	} else if (e->kind == CEDAR_EXPR_HAS) {
		check_has(l, e);
	} else {
		check_parts(l, e);
	}
	l->depth--;
}

void level_check_policy(struct typecheck *t, const struct cedar_policy *p, size_t max)
{
	struct level l = { .check = t, .max = max };

	for (size_t i = 0; i < p->n_conditions; i++)
		check(&l, p->conditions[i].body);
}

void level_check_scope(struct typecheck *t, const struct cedar_policy *p, size_t max)
{
	const struct cedar_scope *scopes[] = { &p->principal, &p->action, &p->resource };
	struct level l = { .check = t, .max = max };

	for (size_t i = 0; max == 0 && i < ARRAY_SIZE(scopes); i++)
		if (scopes[i]->op == CEDAR_SCOPE_IN || scopes[i]->op == CEDAR_SCOPE_IS_IN)
			report(&l, scopes[i]->range, 1);
}
