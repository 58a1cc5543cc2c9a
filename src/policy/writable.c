/*
 * Which directories the permits let be written, read off their literals. A
 * condition bounds a permit by directories where it can only be true inside
 * them; what is not understood bounds nothing. Forbids are not subtracted:
 * this is the outer wall, the exact rules stand in front of it.
 */
#include "policy/entities.h"
#include "policy/policy-private.h"
#include "policy/source.h"
#include "policy/text.h"

typedef VEC(char *) path_list;

struct bounds {
	path_list dirs;
	bool is_bounded;
};

static struct bounds unbounded(void)
{
	return (struct bounds){ .is_bounded = false };
}

static void bounds_done(struct bounds *b)
{
	for (size_t i = 0; i < b->dirs.len; i++)
		xfree(b->dirs.items[i]);
	vec_done(&b->dirs);
}

/* The directory of text up to its last slash: files are made and replaced in it. */
static struct bounds within_parent(struct span text)
{
	struct bounds b = { .is_bounded = true };
	_cleanup_buf_ struct buf path = BUF_INIT(0);

	while (text.len > 1 && text.p[text.len - 1] != '/')
		text.len--;
	if (text.len == 0 || text.p[0] != '/')
		return b;
	if (text.len > 1)
		text.len--;
	(void)text_to_bytes(text, &path);
	vec_push(&b.dirs, buf_take(&path));
	return b;
}

static struct bounds within_uid(struct cedar_entity_uid uid)
{
	if (span_eq(uid.type, TYPE_DIR) || span_eq(uid.type, TYPE_FILE))
		return within_parent(uid.id);
	return (struct bounds){ .is_bounded = true };
}

static void move_all(struct bounds *into, struct bounds *from)
{
	for (size_t i = 0; i < from->dirs.len; i++)
		vec_push(&into->dirs, from->dirs.items[i]);
	vec_done(&from->dirs);
}

/* True in a or in b. */
static struct bounds merge(struct bounds a, struct bounds b)
{
	if (a.is_bounded && b.is_bounded) {
		move_all(&a, &b);
		return a;
	}
	bounds_done(&a);
	bounds_done(&b);
	return unbounded();
}

/* True only in both: either bound is enough. */
static struct bounds narrow(struct bounds a, struct bounds b)
{
	struct bounds *drop = a.is_bounded ? &b : &a;
	struct bounds keep = a.is_bounded ? a : b;

	bounds_done(drop);
	return keep;
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
	struct bounds b = { .is_bounded = true };

	if (e->kind == CEDAR_EXPR_ENTITY)
		return within_uid(e->uid);
	if (e->kind != CEDAR_EXPR_SET)
		return unbounded();
	for (size_t i = 0; i < e->n_items; i++)
		b = merge(b, within_literal(e->items[i]));
	return b;
}

static struct bounds bounds_of(const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_AND)
		return narrow(bounds_of(e->left), bounds_of(e->right));
	if (e->kind == CEDAR_EXPR_OR)
		return merge(bounds_of(e->left), bounds_of(e->right));
	if ((e->kind == CEDAR_EXPR_IN || e->kind == CEDAR_EXPR_EQ) && is_resource(e->left))
		return within_literal(e->right);
	if (e->kind == CEDAR_EXPR_EQ && is_resource_path(e->left) &&
	    e->right->kind == CEDAR_EXPR_STRING)
		return within_parent(e->right->string);
	if (e->kind == CEDAR_EXPR_LIKE && is_resource_path(e->left) && e->n_pattern &&
	    !e->pattern[0].is_wildcard)
		return within_parent(e->pattern[0].literal);
	return unbounded();
}

static struct bounds bounds_of_policy(const struct cedar_policy *p)
{
	struct bounds b = unbounded();

	if (p->resource.n_uids)
		b = within_uid(p->resource.uids[0]);
	else if (p->resource.op == CEDAR_SCOPE_IS && !span_eq(p->resource.type_name, TYPE_FILE))
		b.is_bounded = true;
	for (size_t i = 0; i < p->n_conditions; i++)
		if (!p->conditions[i].is_unless)
			b = narrow(b, bounds_of(p->conditions[i].body));
	return b;
}

static bool may_write(const struct cedar_policy *p)
{
	return !p->is_forbid && (scope_matches_action(&p->action, POLICY_FILE_OPEN_READ_WRITE) ||
				 scope_matches_action(&p->action, POLICY_FILE_CREATE) ||
				 scope_matches_action(&p->action, POLICY_FILE_DELETE) ||
				 scope_matches_action(&p->action, POLICY_FILE_LINK) ||
				 scope_matches_action(&p->action, POLICY_FILE_SET_ATTRIBUTES));
}

static void add_once(path_list *list, char *path)
{
	for (size_t i = 0; i < list->len; i++) {
		if (strcmp(list->items[i], path) == 0) {
			xfree(path);
			return;
		}
	}
	vec_push(list, path);
}

char **policy_source_writable(const struct policy_source *s)
{
	path_list found = { 0 };

	for (size_t i = 0; i < s->policies.len; i++) {
		struct bounds b;

		if (!may_write(s->policies.items[i].cedar))
			continue;
		b = bounds_of_policy(s->policies.items[i].cedar);
		if (!b.is_bounded)
			vec_push(&b.dirs, xstrdup("/"));
		for (size_t j = 0; j < b.dirs.len; j++)
			add_once(&found, b.dirs.items[j]);
		vec_done(&b.dirs);
	}
	vec_push(&found, NULL);
	return found.items;
}
