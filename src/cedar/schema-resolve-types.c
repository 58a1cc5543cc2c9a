/* Types as written into types as used: names followed, common types put in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/schema-resolve.h"

static const struct cedar_type empty_record = { .kind = CEDAR_TYPE_RECORD };
/* What stands for a type that could not be made. */
static const struct cedar_type stand_in = { .kind = CEDAR_TYPE_NEVER };

static int make(struct resolver *r, const struct schema_namespace *ns,
		const struct schema_type *type, struct resolved_type *ret);

static unsigned wanted_names(const struct schema_type *type)
{
	if (type->kind == SCHEMA_TYPE_NAME)
		return SCHEMA_NAME_COMMON | SCHEMA_NAME_ENTITY;
	return type->kind == SCHEMA_TYPE_ENTITY ? SCHEMA_NAME_ENTITY : SCHEMA_NAME_COMMON;
}

/* ---- Single types ------------------------------------------------------- */

static int make_entity(struct resolver *r, const struct cedar_entity_type *entity, struct span name,
		       struct resolved_type *ret)
{
	struct cedar_type *type = arena_new(r->arena, struct cedar_type);

	if (!type || !name.p)
		return -ENOMEM;
	type->kind = CEDAR_TYPE_ENTITY;
	type->entity = entity;
	type->entity_name = name;
	ret->type = type;
	return 0;
}

static int make_named(struct resolver *r, const struct schema_namespace *ns,
		      const struct schema_type *type, struct resolved_type *ret)
{
	struct schema_found found = schema_look_up(r->tree, ns, type->name, wanted_names(type));

	switch (found.kind) {
	case SCHEMA_NAME_COMMON:
		*ret = r->commons[found.number];
		return 0;
	case SCHEMA_NAME_ENTITY:
		return make_entity(r, &r->entities[found.number], r->entities[found.number].name,
				   ret);
	case SCHEMA_NAME_ACTION:
		return make_entity(r, NULL, schema_full_name(r->arena, found.ns, SPAN("Action")),
				   ret);
	case SCHEMA_NAME_BUILTIN:
		ret->type = found.builtin;
		return 0;
	case SCHEMA_NAME_NONE:
		break;
	}
	(void)resolver_unknown_name(r, ns, type->name, type->range, wanted_names(type));
	ret->type = &stand_in;
	return 0;
}

static int make_extension(struct resolver *r, const struct schema_type *type,
			  struct resolved_type *ret)
{
	static const char *const names[] = { "decimal", "ipaddr", "datetime", "duration" };
	struct span name = diagnostic_quote(type->name);
	const char *nearest;
	char help[60];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq_str(type->name, names[i]))
			ret->type = schema_builtin(type->name);
	if (ret->type)
		return 0;
	nearest = nearest_word(name, names, ARRAY_SIZE(names));
	(void)snprintf(help, sizeof(help), "did you mean `%s`?", nearest ? nearest : "ipaddr");
	(void)resolver_error(r, "unknown_extension", type->range, help,
			     "there is no extension type `%.*s`", SPAN_ARG(name));
	ret->type = &stand_in;
	return 0;
}

static int make_set(struct resolver *r, const struct schema_namespace *ns,
		    const struct schema_type *type, struct resolved_type *ret)
{
	struct cedar_type *set = arena_new(r->arena, struct cedar_type);
	struct resolved_type element = { 0 };
	int err;

	if (!set)
		return -ENOMEM;
	err = make(r, ns, type->element, &element);
	if (err < 0)
		return err;
	set->kind = CEDAR_TYPE_SET;
	set->element = element.type;
	*ret = (struct resolved_type){ set, element.depth + 1, element.n_nodes + 1 };
	return 0;
}

static int make_record(struct resolver *r, const struct schema_namespace *ns,
		       const struct schema_type *type, struct resolved_type *ret)
{
	struct cedar_type *record = arena_new(r->arena, struct cedar_type);
	struct cedar_attribute_type *a =
		arena_alloc_array(r->arena, type->n_attributes, sizeof(*a));

	if (!record || !a)
		return -ENOMEM;
	for (size_t i = 0; i < type->n_attributes; i++) {
		struct resolved_type inner = { 0 };
		int err = make(r, ns, type->attributes[i].type, &inner);

		if (err < 0)
			return err;
		a[i].name.p = arena_dup(r->arena, type->attributes[i].name);
		a[i].name.len = type->attributes[i].name.len;
		if (!a[i].name.p)
			return -ENOMEM;
		a[i].type = inner.type;
		a[i].is_required = type->attributes[i].is_required;
		ret->depth = MAX(ret->depth, inner.depth + 1);
		ret->n_nodes += inner.n_nodes;
	}
	record->kind = CEDAR_TYPE_RECORD;
	record->attributes = a;
	record->n_attributes = type->n_attributes;
	ret->type = record;
	return 0;
}

/* The depth of the recursion is that of the text, which the readers bound. */
static int make_any(struct resolver *r, const struct schema_namespace *ns,
		    const struct schema_type *type, struct resolved_type *ret)
{
	*ret = (struct resolved_type){ .depth = 1, .n_nodes = 1 };
	switch (type->kind) {
	case SCHEMA_TYPE_NAME:
	case SCHEMA_TYPE_ENTITY:
	case SCHEMA_TYPE_COMMON:
		return make_named(r, ns, type, ret);
	case SCHEMA_TYPE_EXTENSION:
		return make_extension(r, type, ret);
	case SCHEMA_TYPE_BOOL:
		ret->type = schema_builtin(SPAN("Bool"));
		return 0;
	case SCHEMA_TYPE_LONG:
		ret->type = schema_builtin(SPAN("Long"));
		return 0;
	case SCHEMA_TYPE_STRING:
		ret->type = schema_builtin(SPAN("String"));
		return 0;
	case SCHEMA_TYPE_SET:
		return make_set(r, ns, type, ret);
	case SCHEMA_TYPE_RECORD:
		return make_record(r, ns, type, ret);
	}
	return -EINVAL;
}

static int make(struct resolver *r, const struct schema_namespace *ns,
		const struct schema_type *type, struct resolved_type *ret)
{
	struct resolved_type *cached = &r->types[type->index];
	int err;

	if (!cached->type) {
		err = make_any(r, ns, type, cached);
		if (err < 0)
			return err == -ENOMEM ? resolver_too_large(r, type->range) : err;
		if (cached->depth > LIMIT_CEDAR_NESTING || cached->n_nodes > LIMIT_CEDAR_TYPE_NODES)
			return resolver_too_large(r, type->range);
	}
	*ret = *cached;
	return 0;
}

int resolver_type(struct resolver *r, const struct schema_namespace *ns,
		  const struct schema_type *type, const struct cedar_type **ret)
{
	struct resolved_type made = { 0 };
	int err = make(r, ns, type, &made);

	if (err == 0)
		*ret = made.type;
	return err;
}

int resolver_record(struct resolver *r, const struct schema_namespace *ns,
		    const struct schema_type *type, const char *what, const struct cedar_type **ret)
{
	int err;

	*ret = &empty_record;
	if (!type)
		return 0;
	err = resolver_type(r, ns, type, ret);
	if (err < 0 || (*ret)->kind == CEDAR_TYPE_RECORD)
		return err;
	if (*ret != &stand_in)
		(void)resolver_error(r, "not_a_record", type->range, NULL, "%s must be a record",
				     what);
	*ret = &empty_record;
	return 0;
}

/* ---- Common types ------------------------------------------------------- */

/* Edges to the common types that are named in a type. */
static int collect(struct resolver *r, const struct schema_namespace *ns,
		   const struct schema_type *type, struct graph_builder *b)
{
	struct schema_found found;
	int err = 0;

	if (type->kind == SCHEMA_TYPE_SET)
		return collect(r, ns, type->element, b);
	if (type->kind == SCHEMA_TYPE_RECORD) {
		for (size_t i = 0; i < type->n_attributes && err == 0; i++)
			err = collect(r, ns, type->attributes[i].type, b);
		return err;
	}
	if (type->kind != SCHEMA_TYPE_NAME && type->kind != SCHEMA_TYPE_COMMON)
		return 0;
	found = schema_look_up(r->tree, ns, type->name, wanted_names(type));
	return found.kind == SCHEMA_NAME_COMMON ? graph_builder_edge(b, &r->scratch, found.number)
						: 0;
}

struct common {
	const struct schema_namespace *ns;
	const struct schema_common *node;
};

/* All common types by number, and who names whom. */
static int collect_all(struct resolver *r, struct common *commons, struct schema_graph *ret)
{
	struct graph_builder b;

	if (graph_builder_init(&b, &r->scratch, r->tree->n_commons) < 0)
		return -ENOMEM;
	for (size_t k = 0; k < r->tree->n_namespaces; k++) {
		const struct schema_namespace *ns = r->tree->namespaces[k];

		for (size_t i = 0; i < ns->n_commons; i++) {
			commons[ns->first_common + i] = (struct common){ ns, ns->commons[i] };
			graph_builder_node(&b);
			if (collect(r, ns, ns->commons[i]->type, &b) < 0)
				return -ENOMEM;
		}
	}
	*ret = graph_builder_end(&b);
	return 0;
}

static int report_cycle(struct resolver *r, const struct common *commons,
			const struct schema_graph *g, const struct schema_components *c,
			size_t begin, size_t end)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	size_t len, *cycle = schema_graph_cycle(g, c, begin, end, &r->scratch, &len);

	if (!cycle)
		return -ENOMEM;
	for (size_t i = 0; i <= MIN(len, (size_t)6); i++) {
		struct span name = diagnostic_quote(commons[cycle[i % len]].node->name);

		(void)buf_append_str(&text, i ? " -> `" : "`");
		(void)buf_append_span(&text, i < 6 ? name : SPAN("..."));
		(void)buf_append_str(&text, "`");
	}
	(void)resolver_error(r, "cycle", commons[cycle[0]].node->range,
			     "a type cannot contain itself; refer to an entity type instead",
			     "the definition of a type leads back to it: %s", text.data);
	for (size_t i = begin; i < end; i++)
		r->commons[c->order[i]] =
			(struct resolved_type){ .type = &stand_in, .depth = 1, .n_nodes = 1 };
	return 0;
}

int resolver_common_types(struct resolver *r)
{
	struct common *commons =
		arena_alloc_array(&r->scratch, r->tree->n_commons, sizeof(*commons));
	struct schema_components c;
	struct schema_graph g;
	int err = 0;

	if (!commons || collect_all(r, commons, &g) < 0 ||
	    schema_graph_components(&g, &r->scratch, &c) < 0)
		return -ENOMEM;
	for (size_t begin = 0, end; begin < g.n && err == 0; begin = end) {
		size_t number = c.order[begin];

		end = schema_components_end(&g, &c, begin);
		err = schema_graph_is_cycle(&g, &c, begin, end)
			      ? report_cycle(r, commons, &g, &c, begin, end)
			      : make(r, commons[number].ns, commons[number].node->type,
				     &r->commons[number]);
	}
	return err;
}

/* ---- Lists -------------------------------------------------------------- */

static int resolve_names(struct resolver *r, const struct schema_namespace *ns,
			 const struct schema_names *names, struct resolved_entities *ret)
{
	ret->items = arena_alloc_array(r->arena, names->len, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (size_t i = 0; i < names->len; i++) {
		struct schema_found found =
			schema_look_up(r->tree, ns, names->items[i].text, SCHEMA_NAME_ENTITY);

		if (found.kind == SCHEMA_NAME_ENTITY)
			ret->items[ret->len++] = &r->entities[found.number];
		else
			(void)resolver_unknown_name(r, ns, names->items[i].text,
						    names->items[i].range, SCHEMA_NAME_ENTITY);
	}
	ret->is_done = true;
	return 0;
}

int resolver_entity_list(struct resolver *r, const struct schema_namespace *ns,
			 const struct schema_names *names, struct resolved_entities *ret)
{
	struct resolved_entities *cached = &r->entity_lists[names->index];

	if (names->len == 0) {
		*ret = (struct resolved_entities){ 0 };
		return 0;
	}
	if (!cached->is_done && resolve_names(r, ns, names, cached) < 0)
		return -ENOMEM;
	*ret = *cached;
	return 0;
}
