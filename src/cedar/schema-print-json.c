/* Trees as JSON, with the members that the reference writes, in its order. */
#include "base/json-writer.h"
#include "cedar/schema-print.h"

static void write_annotations(struct json_writer *w, const struct schema_annotations *annotations)
{
	if (annotations->len == 0)
		return;
	json_key(w, "annotations");
	json_begin_object(w);
	for (size_t i = 0; i < annotations->len; i++) {
		json_key_span(w, annotations->items[i].key);
		if (annotations->items[i].has_value)
			json_string(w, annotations->items[i].value);
		else
			json_null(w);
	}
	json_end_object(w);
}

/* ---- Types -------------------------------------------------------------- */

static void write_members(struct json_writer *w, const struct schema_type *type);

static void write_type(struct json_writer *w, const struct schema_type *type)
{
	json_begin_object(w);
	write_members(w, type);
	json_end_object(w);
}

static void write_attributes(struct json_writer *w, const struct schema_type *record)
{
	json_key(w, "attributes");
	json_begin_object(w);
	for (size_t i = 0; i < record->n_attributes && !w->out->failed; i++) {
		const struct schema_attribute *a = &record->attributes[i];

		json_key_span(w, a->name);
		json_begin_object(w);
		write_members(w, a->type);
		write_annotations(w, &a->annotations);
		if (!a->is_required)
			json_key_bool(w, "required", false);
		json_end_object(w);
	}
	json_end_object(w);
}

static void write_named(struct json_writer *w, const char *kind, struct span name)
{
	json_key_string(w, "type", span_of(kind));
	json_key_string(w, "name", name);
}

static void write_members(struct json_writer *w, const struct schema_type *type)
{
	switch (type->kind) {
	case SCHEMA_TYPE_NAME:
		write_named(w, "EntityOrCommon", type->name);
		break;
	case SCHEMA_TYPE_ENTITY:
		write_named(w, "Entity", type->name);
		break;
	case SCHEMA_TYPE_COMMON:
		json_key_string(w, "type", type->name);
		break;
	case SCHEMA_TYPE_EXTENSION:
		write_named(w, "Extension", type->name);
		break;
	case SCHEMA_TYPE_BOOL:
		json_key_string(w, "type", SPAN("Boolean"));
		break;
	case SCHEMA_TYPE_LONG:
		json_key_string(w, "type", SPAN("Long"));
		break;
	case SCHEMA_TYPE_STRING:
		json_key_string(w, "type", SPAN("String"));
		break;
	case SCHEMA_TYPE_SET:
		json_key_string(w, "type", SPAN("Set"));
		json_key(w, "element");
		write_type(w, type->element);
		break;
	case SCHEMA_TYPE_RECORD:
		json_key_string(w, "type", SPAN("Record"));
		write_attributes(w, type);
		break;
	}
}

/* ---- Declarations ------------------------------------------------------- */

static void write_names(struct json_writer *w, const char *key, const struct schema_names *names)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < names->len; i++)
		json_string(w, names->items[i].text);
	json_end_array(w);
}

static void write_common(struct json_writer *w, const struct schema_common *common)
{
	json_key_span(w, common->name);
	json_begin_object(w);
	write_members(w, common->type);
	write_annotations(w, &common->annotations);
	json_end_object(w);
}

static void write_entity(struct json_writer *w, const struct schema_entity *entity)
{
	json_key_span(w, entity->name);
	json_begin_object(w);
	if (entity->is_enum) {
		json_key(w, "enum");
		json_begin_array(w);
		for (size_t i = 0; i < entity->n_enum_ids; i++)
			json_string(w, entity->enum_ids[i]);
		json_end_array(w);
	}
	if (entity->parents.len)
		write_names(w, "memberOfTypes", &entity->parents);
	if (!schema_is_empty_record(entity->shape)) {
		json_key(w, "shape");
		write_type(w, entity->shape);
	}
	if (entity->tags) {
		json_key(w, "tags");
		write_type(w, entity->tags);
	}
	write_annotations(w, &entity->annotations);
	json_end_object(w);
}

static void write_applies_to(struct json_writer *w, const struct schema_applies_to *to)
{
	json_key(w, "appliesTo");
	json_begin_object(w);
	write_names(w, "resourceTypes", &to->resources);
	write_names(w, "principalTypes", &to->principals);
	if (!schema_is_empty_record(to->context)) {
		json_key(w, "context");
		write_type(w, to->context);
	}
	json_end_object(w);
}

static void write_parents(struct json_writer *w, const struct schema_action_refs *refs)
{
	json_key(w, "memberOf");
	json_begin_array(w);
	for (size_t i = 0; i < refs->len; i++) {
		json_begin_object(w);
		json_key_string(w, "id", refs->items[i].id);
		json_key_string_opt(w, "type", refs->items[i].type);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_action(struct json_writer *w, const struct schema_action *action)
{
	json_key_span(w, action->id);
	json_begin_object(w);
	if (action->applies_to)
		write_applies_to(w, action->applies_to);
	if (action->parents.is_written)
		write_parents(w, &action->parents);
	write_annotations(w, &action->annotations);
	json_end_object(w);
}

static void write_namespace(struct json_writer *w, const struct schema_namespace *ns)
{
	json_key_span(w, ns->name);
	json_begin_object(w);
	if (ns->n_commons) {
		json_key(w, "commonTypes");
		json_begin_object(w);
		for (size_t i = 0; i < ns->n_commons && !w->out->failed; i++)
			write_common(w, ns->commons[i]);
		json_end_object(w);
	}
	json_key(w, "entityTypes");
	json_begin_object(w);
	for (size_t i = 0; i < ns->n_entities && !w->out->failed; i++)
		write_entity(w, ns->entities[i]);
	json_end_object(w);
	json_key(w, "actions");
	json_begin_object(w);
	for (size_t i = 0; i < ns->n_actions && !w->out->failed; i++)
		write_action(w, ns->actions[i]);
	json_end_object(w);
	write_annotations(w, &ns->annotations);
	json_end_object(w);
}

static void write_tree(const struct cedar_schema_tree *tree, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_begin_object(&w);
	for (size_t i = 0; i < tree->n_namespaces; i++)
		if (tree->namespaces[i]->name.len || tree->namespaces[i]->is_written)
			write_namespace(&w, tree->namespaces[i]);
	json_end_object(&w);
}

int cedar_schema_tree_print_json(const struct cedar_schema_tree *tree, struct buf *out)
{
	return schema_print_bounded(tree, out, write_tree);
}
