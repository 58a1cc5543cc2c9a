/* Entity types: their names, what they may contain, and whom they descend from. */
#include <errno.h>
#include <stdlib.h>

#include "cedar/schema-resolve.h"

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

int resolver_name_entities(struct resolver *r)
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

int resolver_entities(struct resolver *r)
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
