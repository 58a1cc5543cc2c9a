#include "policy/bounds.h"

#include "policy/entities.h"

static struct bounds unbounded(void)
{
	return (struct bounds){ .is_bounded = false };
}

static struct bounds nowhere(void)
{
	return (struct bounds){ .is_bounded = true };
}

void bounds_done(struct bounds *b)
{
	vec_done(&b->places);
}

static struct bounds within(struct span text, bool is_file)
{
	struct bounds b = nowhere();

	while (text.len > 1 && text.p[text.len - 1] == '/')
		text.len--;
	vec_push(&b.places, (struct bound){ text, is_file });
	return b;
}

/* A pattern that begins with this text holds below the text's last slash. */
static struct bounds within_prefix(struct span text)
{
	while (text.len && text.p[text.len - 1] != '/')
		text.len--;
	return text.len ? within(text, /* is_file = */ false) : unbounded();
}

static struct bounds within_uid(struct cedar_entity_uid uid)
{
	bool is_file = span_eq(uid.type, TYPE_FILE);

	return is_file || span_eq(uid.type, TYPE_DIR) ? within(uid.id, is_file) : nowhere();
}

/* True in a or in b. */
static struct bounds merge(struct bounds a, struct bounds b)
{
	if (a.is_bounded && b.is_bounded)
		for (size_t i = 0; i < b.places.len; i++)
			vec_push(&a.places, b.places.items[i]);
	bounds_done(&b);
	if (a.is_bounded && b.is_bounded)
		return a;
	bounds_done(&a);
	return unbounded();
}

/* True only in both: either bound is enough; where b may err before, only a's is. */
static struct bounds narrow(struct bounds a, struct bounds b, enum bounds_reading reading)
{
	if (a.is_bounded || reading == BOUNDS_OF_EVALUATION) {
		bounds_done(&b);
		return a;
	}
	return b;
}

static bool is_resource(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_VAR && e->var == CEDAR_RESOURCE;
}

static bool is_resource_path(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_ATTRIBUTE && is_resource(e->left) &&
	       span_eq(e->string, SPAN("path"));
}

static struct bounds within_literal(const struct cedar_expr *e)
{
	struct bounds b = nowhere();

	if (e->kind == CEDAR_EXPR_ENTITY)
		return within_uid(e->uid);
	if (e->kind != CEDAR_EXPR_SET)
		return unbounded();
	for (size_t i = 0; i < e->n_items; i++)
		b = merge(b, e->items[i]->kind == CEDAR_EXPR_ENTITY ? within_uid(e->items[i]->uid)
								    : unbounded());
	return b;
}

static struct bounds bounds_of(const struct cedar_expr *e, enum bounds_reading reading)
{
	if (e->kind == CEDAR_EXPR_AND)
		return narrow(bounds_of(e->left, reading), bounds_of(e->right, reading), reading);
	if (e->kind == CEDAR_EXPR_OR)
		return merge(bounds_of(e->left, reading), bounds_of(e->right, reading));
	if ((e->kind == CEDAR_EXPR_IN || e->kind == CEDAR_EXPR_EQ) && is_resource(e->left))
		return within_literal(e->right);
	if (e->kind == CEDAR_EXPR_EQ && is_resource_path(e->left) &&
	    e->right->kind == CEDAR_EXPR_STRING)
		return within(e->right->string, /* is_file = */ true);
	if (e->kind == CEDAR_EXPR_LIKE && is_resource_path(e->left) && e->n_pattern &&
	    !e->pattern[0].is_wildcard)
		return within_prefix(e->pattern[0].literal);
	return unbounded();
}

struct bounds policy_bounds(const struct cedar_policy *p, enum bounds_reading reading)
{
	const struct cedar_scope *s = &p->resource;
	struct bounds b = unbounded();

	if (s->n_uids)
		b = within_uid(s->uids[0]);
	else if (s->op == CEDAR_SCOPE_IS && !span_eq(s->type_name, TYPE_FILE))
		b = nowhere();
	for (size_t i = 0; !b.is_bounded && i < p->n_conditions; i++) {
		if (i > 0 && reading == BOUNDS_OF_EVALUATION)
			break;
		if (!p->conditions[i].is_unless)
			b = bounds_of(p->conditions[i].body, reading);
	}
	return b;
}
