/*
 * A tree of declarations into a schema: entity types and actions, each with
 * what it may contain and whom it descends from.
 */
#include "cedar/schema-resolve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/diagnostics.h"

int resolver_error(struct resolver *r, const char *code, struct cedar_range range,
		   const char *suggestion, const char *fmt, ...)
{
	char message[600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	diagnostic_add(r->diags, CEDAR_ERROR, code, range, suggestion, "%s", message);
	return -EINVAL;
}

int resolver_too_large(struct resolver *r, struct cedar_range range)
{
	(void)resolver_error(r, "too_large", range, NULL,
			     "the schema becomes too large here once its names are followed");
	return -EMSGSIZE;
}

/* ---- Entity types ------------------------------------------------------- */

static int copy_enum(struct resolver *r, const struct schema_entity *from,
		     struct cedar_entity_type *to);

/* Names first, since everything may refer to everything. */
static int name_entities(struct resolver *r)
{
	for (size_t k = 0; k < r->tree->n_namespaces; k++) {
		const struct schema_namespace *ns = r->tree->namespaces[k];

		for (size_t i = 0; i < ns->n_entities; i++) {
			struct cedar_entity_type *e = &r->entities[ns->first_entity + i];

			e->name = schema_full_name(r->arena, ns, ns->entities[i]->name);
			e->range = ns->entities[i]->range;
			if (!e->name.p || copy_enum(r, ns->entities[i], e) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int compare_spans(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* Sorted, each once. */
static int copy_enum(struct resolver *r, const struct schema_entity *from,
		     struct cedar_entity_type *to)
{
	struct span *ids;
	size_t n = 0;

	to->is_enum = from->is_enum;
	if (!from->is_enum)
		return 0;
	ids = arena_alloc_array(r->arena, from->n_enum_ids, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	memcpy(ids, from->enum_ids, from->n_enum_ids * sizeof(*ids));
	qsort(ids, from->n_enum_ids, sizeof(*ids), compare_spans);
	for (size_t i = 0; i < from->n_enum_ids; i++) {
		if (n && span_eq(ids[n - 1], ids[i]))
			continue;
		ids[n] = span_make(arena_dup(r->arena, ids[i]), ids[i].len);
		if (!ids[n++].p)
			return -ENOMEM;
	}
	to->enum_ids = ids;
	to->n_enum_ids = n;
	return 0;
}

static int fill_entity(struct resolver *r, const struct schema_namespace *ns,
		       const struct schema_entity *from, struct cedar_entity_type *to)
{
	int err = resolver_record(r, ns, from->shape, "the shape of an entity type", &to->shape);

	if (err == 0 && from->tags)
		err = resolver_type(r, ns, from->tags, &to->tags);
	return err;
}

static int fill_entities(struct resolver *r, struct graph_builder *b)
{
	for (size_t k = 0; k < r->tree->n_namespaces; k++) {
		const struct schema_namespace *ns = r->tree->namespaces[k];

		for (size_t i = 0; i < ns->n_entities; i++) {
			struct resolved_entities parents;
			int err = fill_entity(r, ns, ns->entities[i],
					      &r->entities[ns->first_entity + i]);

			if (err < 0)
				return err;
			if (resolver_entity_list(r, ns, &ns->entities[i]->parents, &parents) < 0)
				return -ENOMEM;
			graph_builder_node(b);
			for (size_t j = 0; j < parents.len; j++) {
				size_t number = (size_t)(parents.items[j] - r->entities);

				err = graph_builder_edge(b, &r->scratch, number);
				if (err < 0)
					return err;
			}
		}
	}
	return 0;
}

static int compare_entities(const void *a, const void *b)
{
	const struct cedar_entity_type *x = *(struct cedar_entity_type *const *)a;
	const struct cedar_entity_type *y = *(struct cedar_entity_type *const *)b;

	return span_cmp(x->name, y->name);
}

/* ret_rank: the place of each by number. */
static int sort_entities(struct resolver *r, size_t **ret_rank)
{
	size_t n = r->tree->n_entities;
	struct cedar_entity_type **sorted = arena_alloc_array(r->arena, n, sizeof(*sorted));
	size_t *rank = arena_alloc_array(&r->scratch, n, sizeof(*rank));

	if (!sorted || !rank)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &r->entities[i];
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), compare_entities);
	for (size_t i = 0; i < n; i++)
		sorted[i]->index = i;
	for (size_t i = 0; i < n; i++)
		rank[i] = r->entities[i].index;
	*ret_rank = rank;
	r->schema->entities = (const struct cedar_entity_type *const *)sorted;
	r->schema->n_entities = n;
	return 0;
}

/* One list per component: its nodes have the same ancestors. */
static int set_entity_ancestors(struct resolver *r, const struct schema_components *c,
				const struct schema_ancestors *of)
{
	const struct cedar_entity_type ***lists =
		arena_alloc_array(&r->scratch, c->n, sizeof(*lists));

	if (!lists)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		lists[i] = arena_alloc_array(r->arena, of[i].len, sizeof(**lists));
		if (!lists[i])
			return -ENOMEM;
		for (size_t j = 0; j < of[i].len; j++)
			lists[i][j] = r->schema->entities[of[i].items[j]];
	}
	for (size_t i = 0; i < r->tree->n_entities; i++) {
		r->entities[i].ancestors = lists[c->component[i]];
		r->entities[i].n_ancestors = of[c->component[i]].len;
	}
	return 0;
}

static int resolve_entities(struct resolver *r)
{
	struct schema_ancestors *ancestors;
	struct schema_components c;
	struct graph_builder b;
	struct schema_graph g;
	size_t *rank;
	int err;

	if (graph_builder_init(&b, &r->scratch, r->tree->n_entities) < 0)
		return -ENOMEM;
	err = fill_entities(r, &b);
	if (err < 0)
		return err;
	g = graph_builder_end(&b);
	if (sort_entities(r, &rank) < 0 || schema_graph_components(&g, &r->scratch, &c) < 0)
		return -ENOMEM;
	err = schema_graph_ancestors(&g, &c, rank, &r->scratch, &ancestors);
	return err < 0 ? err : set_entity_ancestors(r, &c, ancestors);
}

/* ---- Actions ------------------------------------------------------------ */

static int name_actions(struct resolver *r)
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

static int resolve_actions(struct resolver *r)
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

/* ---- All ---------------------------------------------------------------- */

static int init(struct resolver *r)
{
	const struct cedar_schema_tree *t = r->tree;

	r->arena = &r->schema->arena;
	r->arena->max = LIMIT_CEDAR_ARENA;
	r->scratch.max = LIMIT_CEDAR_ARENA;
	r->entities = arena_alloc_array(r->arena, t->n_entities, sizeof(*r->entities));
	r->actions = arena_alloc_array(r->arena, t->n_actions, sizeof(*r->actions));
	r->commons = arena_alloc_array(&r->scratch, t->n_commons, sizeof(*r->commons));
	r->types = arena_alloc_array(&r->scratch, t->n_types, sizeof(*r->types));
	r->entity_lists = arena_alloc_array(&r->scratch, t->n_lists, sizeof(*r->entity_lists));
	r->action_lists = arena_alloc_array(&r->scratch, t->n_lists, sizeof(*r->action_lists));
	return r->entities && r->actions && r->commons && r->types && r->entity_lists &&
			       r->action_lists
		       ? 0
		       : -ENOMEM;
}

static int resolve(struct resolver *r)
{
	int err = init(r);

	if (err == 0)
		err = name_entities(r);
	if (err == 0)
		err = name_actions(r);
	if (err < 0)
		return err;
	resolver_check_shadowing(r);
	err = resolver_common_types(r);
	if (err == 0)
		err = resolve_entities(r);
	return err == 0 ? resolve_actions(r) : err;
}

static void cleanup_schema(struct cedar_schema **s)
{
	cedar_schema_free(*s);
}

int cedar_schema_resolve(const struct cedar_schema_tree *tree, struct cedar_diagnostics *diags,
			 struct cedar_schema **ret)
{
	_cleanup_(cleanup_schema) struct cedar_schema *schema = xnew(struct cedar_schema);
	struct resolver r = { .tree = tree, .schema = schema, .diags = diags };
	size_t first = diags->len, n_errors = diags->n_errors;
	int err = resolve(&r);

	arena_done(&r.scratch);
	if (err < 0 && diags->n_errors == n_errors)
		(void)resolver_too_large(&r, (struct cedar_range){ 0, 0 });
	diagnostics_sort(diags, first);
	if (err < 0)
		return -EMSGSIZE;
	if (diags->n_errors > n_errors)
		return -EINVAL;
	*ret = TAKE_PTR(schema);
	return 0;
}
