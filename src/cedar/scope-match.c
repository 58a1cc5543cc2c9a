#include "cedar/scope-match.h"

#include "base/alloc.h"

void entity_match_init(const struct cedar_schema *s, const struct cedar_scope *scope,
		       struct entity_match *ret)
{
	*ret = (struct entity_match){ .op = scope->op, .is_slot = scope->is_slot };
	if (scope->op == CEDAR_SCOPE_IS || scope->op == CEDAR_SCOPE_IS_IN)
		ret->is = cedar_schema_entity(s, scope->type_name);
	if (scope->n_uids == 0)
		return;
	ret->uid = cedar_schema_entity(s, scope->uids[0].type);
	ret->is_unknown = !ret->uid && !cedar_schema_action(s, scope->uids[0]);
}

static bool is_in(const struct entity_match *m, const struct cedar_entity_type *type)
{
	if (m->is_slot || m->is_unknown)
		return true;
	return m->uid && (m->uid == type || cedar_entity_type_is_in(type, m->uid));
}

bool entity_matches(const struct entity_match *m, const struct cedar_entity_type *type)
{
	switch (m->op) {
	case CEDAR_SCOPE_ANY:
		return true;
	case CEDAR_SCOPE_EQ:
		return m->is_slot || m->is_unknown || m->uid == type;
	case CEDAR_SCOPE_IN:
		return is_in(m, type);
	case CEDAR_SCOPE_IS:
		return m->is == type;
	case CEDAR_SCOPE_IS_IN:
		return m->is == type && is_in(m, type);
	}
	return true;
}

struct action_list {
	const struct cedar_action_type **items;
	size_t len, cap;
};

struct action_tree {
	const struct cedar_schema *schema;
	struct action_list *below; /* by index: the action itself and its descendants */
	struct action_list found;
	size_t *marks; /* by index: the last round that found it */
	size_t round;
};

static void list_add(struct action_list *l, const struct cedar_action_type *a)
{
	if (l->len == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 4;
		l->items = xrealloc_array(l->items, l->cap, sizeof(struct cedar_action_type *));
	}
	l->items[l->len++] = a;
}

struct action_tree *action_tree_new(const struct cedar_schema *s)
{
	struct action_tree *t = xnew(struct action_tree);

	t->schema = s;
	t->below = xnew_array(struct action_list, s->n_actions + 1);
	t->marks = xnew_array(size_t, s->n_actions + 1);
	for (size_t i = 0; i < s->n_actions; i++) {
		const struct cedar_action_type *a = s->actions[i];

		list_add(&t->below[a->index], a);
		for (size_t j = 0; j < a->n_ancestors; j++)
			if (a->ancestors[j] != a)
				list_add(&t->below[a->ancestors[j]->index], a);
	}
	return t;
}

void action_tree_free(struct action_tree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->schema->n_actions; i++)
		xfree(t->below[i].items);
	xfree(t->below);
	xfree(t->found.items);
	xfree(t->marks);
	xfree(t);
}

static void match_all(const struct action_tree *t, struct action_match *ret)
{
	ret->items = t->schema->actions;
	ret->n = t->schema->n_actions;
}

static void match_in(struct action_tree *t, const struct cedar_scope *scope,
		     struct action_match *ret)
{
	t->round++;
	t->found.len = 0;
	for (size_t i = 0; i < scope->n_uids; i++) {
		const struct cedar_action_type *a = cedar_schema_action(t->schema, scope->uids[i]);
		const struct action_list *below;

		if (!a) {
			ret->is_unknown = true;
			continue;
		}
		ret->has_mixed_types =
			ret->has_mixed_types || !span_eq(scope->uids[i].type, scope->uids[0].type);
		below = &t->below[a->index];
		for (size_t j = 0; j < below->len; j++) {
			if (t->marks[below->items[j]->index] == t->round)
				continue;
			t->marks[below->items[j]->index] = t->round;
			list_add(&t->found, below->items[j]);
		}
	}
	ret->items = t->found.items;
	ret->n = t->found.len;
}

void action_match_init(struct action_tree *t, const struct cedar_scope *scope,
		       enum cedar_validation_mode mode, struct action_match *ret)
{
	*ret = (struct action_match){ .n = 0 };
	if (scope->op == CEDAR_SCOPE_EQ && scope->n_uids) {
		const struct cedar_action_type *a = cedar_schema_action(t->schema, scope->uids[0]);

		t->found.len = 0;
		if (a)
			list_add(&t->found, a);
		ret->items = t->found.items;
		ret->n = t->found.len;
		ret->is_unknown = !a;
		return;
	}
	if (scope->op != CEDAR_SCOPE_IN) {
		match_all(t, ret);
		return;
	}
	match_in(t, scope, ret);
	if (ret->is_unknown)
		ret->has_mixed_types = false;
	ret->admits_all = ret->is_unknown ||
			  (mode == CEDAR_STRICT && (ret->has_mixed_types || scope->n_uids == 0));
}
