#include "policy/entities.h"
#include "policy/policy-private.h"

static void note_context_key(struct rule *r, struct span name)
{
	int key = context_key_index(name);

	if (key >= 0)
		r->keys |= CONTEXT_BIT(key);
}

static bool is_context(const struct cedar_expr *e)
{
	return e && e->kind == CEDAR_EXPR_VAR && e->var == CEDAR_CONTEXT;
}

static void analyse_expr(struct rule *r, const struct cedar_expr *e)
{
	if (!e)
		return;
	if (is_context(e)) {
		r->uses_whole_context = true;
		r->keys |= CONTEXT_ALL_BITS;
		return;
	}
	if (e->kind == CEDAR_EXPR_ATTRIBUTE && is_context(e->left)) {
		note_context_key(r, e->string);
		return;
	}
	if (e->kind == CEDAR_EXPR_HAS && is_context(e->left)) {
		note_context_key(r, e->names[0]);
		return;
	}
	if (e->kind == CEDAR_EXPR_VAR && e->var == CEDAR_ACTION)
		r->mentions_action = true;
	analyse_expr(r, e->left);
	analyse_expr(r, e->right);
	analyse_expr(r, e->third);
	for (size_t i = 0; i < e->n_items; i++)
		analyse_expr(r, e->items[i]);
}

bool scope_matches_action(const struct cedar_scope *s, int action)
{
	if (s->op == CEDAR_SCOPE_ANY)
		return true;
	for (size_t i = 0; i < s->n_uids; i++) {
		int index =
			span_eq(s->uids[i].type, TYPE_ACTION) ? action_index(s->uids[i].id) : -1;

		if (index >= 0 && (index == action ||
				   (s->op == CEDAR_SCOPE_IN && action_is_below(action, index))))
			return true;
	}
	return false;
}

/* The principal has no parents: `in` is `==`. */
bool scope_matches_agent(const struct cedar_scope *s, struct span agent)
{
	if (s->op == CEDAR_SCOPE_ANY)
		return true;
	if (s->op != CEDAR_SCOPE_EQ && s->op != CEDAR_SCOPE_IN &&
	    !span_eq(s->type_name, TYPE_AGENT))
		return false;
	for (size_t i = 0; i < s->n_uids; i++)
		if (span_eq(s->uids[i].type, TYPE_AGENT) && span_eq(s->uids[i].id, agent))
			return true;
	return s->op == CEDAR_SCOPE_IS;
}

void rule_analyse(struct rule *r, struct span agent)
{
	r->keys = 0;
	r->actions = 0;
	for (size_t i = 0; i < r->cedar->n_conditions; i++)
		analyse_expr(r, r->cedar->conditions[i].body);
	if (!scope_matches_agent(&r->cedar->principal, agent))
		return;
	for (int a = 0; a < POLICY_ACTION_MAX; a++)
		if (scope_matches_action(&r->cedar->action, a))
			r->actions |= ACTION_BIT(a);
}
