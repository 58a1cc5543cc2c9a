/* Actions: their names, what they apply to, and their groups. */
#include <errno.h>
#include <stdlib.h>

#include "cedar/diagnostics.h"
#include "cedar/schema-resolve.h"

int resolver_name_actions(struct resolver *r)
{
	for (size_t k = 0; k < r->tree->n_namespaces; k++) {
		const struct schema_namespace *ns = r->tree->namespaces[k];
		struct span type = schema_full_name(r->arena, ns, SPAN("Action"));

		if (!type.p)
			return -ENOMEM;
		for (size_t i = 0; i < ns->n_actions; i++) {
			const struct schema_action *from = ns->actions[i];
			struct cedar_action_type *a = &r->actions[ns->first_action + i];

			a->uid.type = type;
			a->uid.id = span_make(arena_dup(r->arena, from->id), from->id.len);
			a->range = from->range;
			if (!a->uid.id.p)
				return -ENOMEM;
		}
	}
	return 0;
}

static int fill_action(struct resolver *r, const struct schema_namespace *ns,
		       const struct schema_applies_to *from, struct cedar_action_type *to)
{
	struct resolved_entities principals, resources;

	if (!from)
		return resolver_record(r, ns, NULL, "", &to->context);
	if (resolver_entity_list(r, ns, &from->principals, &principals) < 0 ||
	    resolver_entity_list(r, ns, &from->resources, &resources) < 0)
		return -ENOMEM;
	to->principals = principals.items;
	to->n_principals = principals.len;
	to->resources = resources.items;
	to->n_resources = resources.len;
	return resolver_record(r, ns, from->context, "the context of an action", &to->context);
}

static int resolve_parents(struct resolver *r, const struct schema_namespace *ns,
			   const struct schema_action_refs *refs, struct resolved_actions *ret)
{
	ret->items = arena_alloc_array(r->arena, refs->len, sizeof(*ret->items));
	ret->numbers = arena_alloc_array(&r->scratch, refs->len, sizeof(*ret->numbers));
	if (!ret->items || !ret->numbers)
		return -ENOMEM;
	for (size_t i = 0; i < refs->len; i++) {
		size_t number = schema_look_up_action(r->tree, ns, &refs->items[i]);

		if (number == SIZE_MAX) {
			(void)resolver_unknown_action(r, ns, &refs->items[i]);
			continue;
		}
		ret->numbers[ret->len] = number;
		ret->items[ret->len++] = &r->actions[number];
	}
	ret->is_done = true;
	return 0;
}

static int fill_parents(struct resolver *r, const struct schema_namespace *ns,
			const struct schema_action_refs *refs, struct cedar_action_type *to,
			struct graph_builder *b)
{
	struct resolved_actions *parents = &r->action_lists[refs->index];

	graph_builder_node(b);
	if (refs->len == 0)
		return 0;
	if (!parents->is_done && resolve_parents(r, ns, refs, parents) < 0)
		return -ENOMEM;
	to->parents = parents->items;
	to->n_parents = parents->len;
	for (size_t i = 0; i < parents->len; i++) {
		int err = graph_builder_edge(b, &r->scratch, parents->numbers[i]);

		if (err < 0)
			return err;
	}
	return 0;
}

static int fill_actions(struct resolver *r, struct graph_builder *b)
{
	for (size_t k = 0; k < r->tree->n_namespaces; k++) {
		const struct schema_namespace *ns = r->tree->namespaces[k];

		for (size_t i = 0; i < ns->n_actions; i++) {
			const struct schema_action *from = ns->actions[i];
			struct cedar_action_type *to = &r->actions[ns->first_action + i];
			int err = fill_action(r, ns, from->applies_to, to);

			if (err == 0)
				err = fill_parents(r, ns, &from->parents, to, b);
			if (err < 0)
				return err;
		}
	}
	return 0;
}

static int compare_actions(const void *a, const void *b)
{
	const struct cedar_action_type *x = *(struct cedar_action_type *const *)a;
	const struct cedar_action_type *y = *(struct cedar_action_type *const *)b;
	int c = span_cmp(x->uid.type, y->uid.type);

	return c ? c : span_cmp(x->uid.id, y->uid.id);
}

static int sort_actions(struct resolver *r, size_t **ret_rank)
{
	size_t n = r->tree->n_actions;
	struct cedar_action_type **sorted = arena_alloc_array(r->arena, n, sizeof(*sorted));
	size_t *rank = arena_alloc_array(&r->scratch, n, sizeof(*rank));

	if (!sorted || !rank)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &r->actions[i];
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), compare_actions);
	for (size_t i = 0; i < n; i++)
		sorted[i]->index = i;
	for (size_t i = 0; i < n; i++)
		rank[i] = r->actions[i].index;
	*ret_rank = rank;
	r->schema->actions = (const struct cedar_action_type *const *)sorted;
	r->schema->n_actions = n;
	return 0;
}

static int report_cycle(struct resolver *r, const struct schema_graph *g,
			const struct schema_components *c, size_t begin, size_t end)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	size_t len, *cycle = schema_graph_cycle(g, c, begin, end, &r->scratch, &len);

	if (!cycle)
		return -ENOMEM;
	for (size_t i = 0; i <= MIN(len, (size_t)6); i++) {
		struct span id = diagnostic_quote(r->actions[cycle[i % len]].uid.id);

		(void)buf_append_str(&text, i ? " in \"" : "\"");
		(void)buf_append_span(&text, i < 6 ? id : SPAN("..."));
		(void)buf_append_str(&text, "\"");
	}
	(void)resolver_error(r, "cycle", r->actions[cycle[0]].range, NULL,
			     "the action is a member of itself: %s", text.data);
	return 0;
}

static int report_cycles(struct resolver *r, const struct schema_graph *g,
			 const struct schema_components *c)
{
	int err = 0;

	for (size_t begin = 0, end; begin < g->n && err == 0; begin = end) {
		end = schema_components_end(g, c, begin);
		if (schema_graph_is_cycle(g, c, begin, end))
			err = report_cycle(r, g, c, begin, end);
	}
	return err;
}

static int set_action_ancestors(struct resolver *r, const struct schema_components *c,
				const struct schema_ancestors *of)
{
	for (size_t i = 0; i < r->tree->n_actions; i++) {
		const struct schema_ancestors *from = &of[c->component[i]];
		const struct cedar_action_type **list =
			arena_alloc_array(r->arena, from->len, sizeof(*list));

		if (!list)
			return -ENOMEM;
		for (size_t j = 0; j < from->len; j++)
			list[j] = r->schema->actions[from->items[j]];
		r->actions[i].ancestors = list;
		r->actions[i].n_ancestors = from->len;
	}
	return 0;
}

int resolver_actions(struct resolver *r)
{
	size_t n_errors = r->diags->n_errors;
	struct schema_ancestors *ancestors;
	struct schema_components c;
	struct graph_builder b;
	struct schema_graph g;
	size_t *rank;
	int err;

	if (graph_builder_init(&b, &r->scratch, r->tree->n_actions) < 0)
		return -ENOMEM;
	err = fill_actions(r, &b);
	if (err < 0)
		return err;
	g = graph_builder_end(&b);
	if (sort_actions(r, &rank) < 0 || schema_graph_components(&g, &r->scratch, &c) < 0)
		return -ENOMEM;
	err = report_cycles(r, &g, &c);
	if (err < 0 || r->diags->n_errors > n_errors)
		return err;
	err = schema_graph_ancestors(&g, &c, rank, &r->scratch, &ancestors);
	return err < 0 ? err : set_action_ancestors(r, &c, ancestors);
}
