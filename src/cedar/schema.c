/* Schemas from text in one step, and looking things up in them. */
#include <errno.h>

#include "base/alloc.h"
#include "cedar/cedar-schema.h"
#include "cedar/schema-tree.h"

int cedar_schema_parse(struct span text, struct cedar_diagnostics *diags, struct cedar_schema **ret)
{
	_cleanup_(schema_tree_cleanup) struct cedar_schema_tree *tree = NULL;
	int r = cedar_schema_tree_parse(text, diags, &tree);

	return r < 0 ? r : cedar_schema_resolve(tree, diags, ret);
}

int cedar_schema_parse_json(struct span text, struct cedar_diagnostics *diags,
			    struct cedar_schema **ret)
{
	_cleanup_(schema_tree_cleanup) struct cedar_schema_tree *tree = NULL;
	int r = cedar_schema_tree_parse_json(text, diags, &tree);

	return r < 0 ? r : cedar_schema_resolve(tree, diags, ret);
}

void cedar_schema_free(struct cedar_schema *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	xfree(s);
}

const struct cedar_entity_type *cedar_schema_entity(const struct cedar_schema *s, struct span name)
{
	size_t low = 0, high = s->n_entities;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = span_cmp(name, s->entities[middle]->name);

		if (c == 0)
			return s->entities[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int compare_uids(struct cedar_entity_uid a, struct cedar_entity_uid b)
{
	int c = span_cmp(a.type, b.type);

	return c ? c : span_cmp(a.id, b.id);
}

const struct cedar_action_type *cedar_schema_action(const struct cedar_schema *s,
						    struct cedar_entity_uid uid)
{
	size_t low = 0, high = s->n_actions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare_uids(uid, s->actions[middle]->uid);

		if (c == 0)
			return s->actions[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct cedar_attribute_type *cedar_type_attribute(const struct cedar_type *record,
							struct span name)
{
	size_t low = 0, high = record->n_attributes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = span_cmp(name, record->attributes[middle].name);

		if (c == 0)
			return &record->attributes[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool cedar_entity_type_is_in(const struct cedar_entity_type *a, const struct cedar_entity_type *b)
{
	size_t low = 0, high = a->n_ancestors;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (a->ancestors[middle] == b)
			return true;
		if (b->index < a->ancestors[middle]->index)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
