#include "policy/below.h"

#include "base/path.h"

struct search {
	struct span path, name; /* name: the path's last component */
};

/* Does text hold "/NAME/"? */
static bool holds_component(struct span text, struct span name)
{
	for (size_t i = 0; i + name.len + 2 <= text.len; i++)
		if (text.p[i] == '/' && text.p[i + name.len + 1] == '/' &&
		    memcmp(text.p + i + 1, name.p, name.len) == 0)
			return true;
	return false;
}

/* A whole path, or the beginning of one. */
static bool is_below(const struct search *s, struct span text)
{
	return text.len && text.p[0] == '/' && path_is_below(text, s->path);
}

static bool pattern_names_below(const struct search *s, const struct cedar_expr *e)
{
	for (size_t i = 0; i < e->n_pattern; i++) {
		if (e->pattern[i].is_wildcard)
			continue;
		if (i == 0 ? is_below(s, e->pattern[i].literal) : holds_component(e->pattern[i].literal, s->name))
			return true;
	}
	return false;
}

/* The parser bounds how deep a tree can be. */
static bool expr_names_below(const struct search *s, const struct cedar_expr *e)
{
	if (!e)
		return false;
	if (e->kind == CEDAR_EXPR_LIKE && pattern_names_below(s, e))
		return true;
	if (e->kind == CEDAR_EXPR_ENTITY && is_below(s, e->uid.id))
		return true;
	if (e->kind == CEDAR_EXPR_STRING && is_below(s, e->string))
		return true;
	for (size_t i = 0; i < e->n_items; i++)
		if (expr_names_below(s, e->items[i]))
			return true;
	return expr_names_below(s, e->left) || expr_names_below(s, e->right) || expr_names_below(s, e->third);
}

static bool rule_names_below(const struct search *s, const struct cedar_policy *p)
{
	for (size_t i = 0; i < p->resource.n_uids; i++)
		if (is_below(s, p->resource.uids[i].id))
			return true;
	for (size_t i = 0; i < p->n_conditions; i++)
		if (expr_names_below(s, p->conditions[i].body))
			return true;
	return false;
}

const struct rule *policy_rule_below(const struct policy *p, struct span path)
{
	const struct rule_list *forbids = &p->actions[POLICY_FILE_CREATE].forbids;
	struct search s = { .path = path, .name = path_base_name(path) };

	for (size_t i = 0; i < forbids->len; i++)
		if (rule_names_below(&s, forbids->rules[i]->cedar))
			return forbids->rules[i];
	return NULL;
}
