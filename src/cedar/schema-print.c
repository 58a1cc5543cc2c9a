/*
 * Trees as Cedar's schema syntax, laid out as the reference does it: the empty
 * record keeps the blanks that would come before its bracket, and tags begin
 * at the left again.
 */
#include "cedar/schema-print.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/lexer.h"
#include "cedar/print-private.h"
#include "cedar/schema-resolve.h"

int schema_print_bounded(const struct cedar_schema_tree *tree, struct buf *out,
			 void (*print)(const struct cedar_schema_tree *tree, struct buf *out))
{
	size_t max = out->max, bound = out->len + LIMIT_CEDAR_SCHEMA_PRINT;

	out->max = max ? MIN(max, bound) : bound;
	print(tree, out);
	out->max = max;
	return out->failed ? -EMSGSIZE : 0;
}

/* ---- Types -------------------------------------------------------------- */

static void print_type(const struct schema_type *type, unsigned indent, struct buf *out);

static void print_blanks(unsigned n, struct buf *out)
{
	for (unsigned i = 0; i < n; i++)
		(void)buf_append_char(out, ' ');
}

static void print_key(struct span name, struct buf *out)
{
	if (cedar_is_ident(name) && !cedar_is_reserved(name))
		(void)buf_append_span(out, name);
	else
		(void)print_string(name, out);
}

static void print_annotations(const struct schema_annotations *annotations, unsigned indent,
			      struct buf *out)
{
	for (size_t i = 0; i < annotations->len; i++) {
		const struct cedar_annotation *a = &annotations->items[i];

		print_blanks(indent, out);
		(void)buf_append_char(out, '@');
		(void)buf_append_span(out, a->key);
		if (a->has_value) {
			(void)buf_append_char(out, '(');
			(void)print_string(a->value, out);
			(void)buf_append_char(out, ')');
		}
		(void)buf_append_char(out, '\n');
	}
}

static void print_record(const struct schema_type *record, unsigned indent, struct buf *out)
{
	(void)buf_append_char(out, '{');
	for (size_t i = 0; i < record->n_attributes && !out->failed; i++) {
		const struct schema_attribute *a = &record->attributes[i];

		(void)buf_append_str(out, i ? ",\n" : "\n");
		print_annotations(&a->annotations, indent + 2, out);
		print_blanks(indent + 2, out);
		print_key(a->name, out);
		(void)buf_append_str(out, a->is_required ? ": " : "?: ");
		print_type(a->type, indent + 2, out);
	}
	if (record->n_attributes)
		(void)buf_append_char(out, '\n');
	print_blanks(indent, out);
	(void)buf_append_char(out, '}');
}

/* No deeper than the readers allow. */
static void print_type(const struct schema_type *type, unsigned indent, struct buf *out)
{
	switch (type->kind) {
	case SCHEMA_TYPE_NAME:
	case SCHEMA_TYPE_ENTITY:
	case SCHEMA_TYPE_COMMON:
		(void)buf_append_span(out, type->name);
		break;
	case SCHEMA_TYPE_EXTENSION:
		(void)buf_append_str(out, "__cedar::");
		(void)buf_append_span(out, type->name);
		break;
	case SCHEMA_TYPE_BOOL:
		(void)buf_append_str(out, "__cedar::Bool");
		break;
	case SCHEMA_TYPE_LONG:
		(void)buf_append_str(out, "__cedar::Long");
		break;
	case SCHEMA_TYPE_STRING:
		(void)buf_append_str(out, "__cedar::String");
		break;
	case SCHEMA_TYPE_SET:
		(void)buf_append_str(out, "Set<");
		print_type(type->element, indent, out);
		(void)buf_append_char(out, '>');
		break;
	case SCHEMA_TYPE_RECORD:
		print_record(type, indent, out);
		break;
	}
}

/* ---- Declarations ------------------------------------------------------- */

static void print_names(const struct schema_names *names, struct buf *out)
{
	(void)buf_append_char(out, '[');
	for (size_t i = 0; i < names->len; i++) {
		(void)buf_append_str(out, i ? ", " : "");
		(void)buf_append_span(out, names->items[i].text);
	}
	(void)buf_append_char(out, ']');
}

static void print_common(const struct schema_common *common, unsigned indent, struct buf *out)
{
	print_annotations(&common->annotations, indent, out);
	print_blanks(indent, out);
	(void)buf_append_str(out, "type ");
	(void)buf_append_span(out, common->name);
	(void)buf_append_str(out, " = ");
	print_type(common->type, indent, out);
	(void)buf_append_str(out, ";\n");
}

static void print_enum(const struct schema_entity *entity, struct buf *out)
{
	(void)buf_append_str(out, " enum [");
	for (size_t i = 0; i < entity->n_enum_ids; i++) {
		(void)buf_append_str(out, i ? ", " : "");
		(void)print_string(entity->enum_ids[i], out);
	}
	(void)buf_append_char(out, ']');
}

static void print_entity(const struct schema_entity *entity, unsigned indent, struct buf *out)
{
	print_annotations(&entity->annotations, indent, out);
	print_blanks(indent, out);
	(void)buf_append_str(out, "entity ");
	(void)buf_append_span(out, entity->name);
	if (entity->is_enum)
		print_enum(entity, out);
	if (entity->parents.len) {
		(void)buf_append_str(out, " in ");
		print_names(&entity->parents, out);
	}
	if (!schema_is_empty_record(entity->shape)) {
		(void)buf_append_str(out, " = ");
		print_type(entity->shape, indent, out);
	}
	if (entity->tags) {
		(void)buf_append_str(out, " tags ");
		print_type(entity->tags, 0, out);
	}
	(void)buf_append_str(out, ";\n");
}

static void print_parents(const struct schema_action_refs *refs, struct buf *out)
{
	if (refs->len == 0)
		return;
	(void)buf_append_str(out, " in [");
	for (size_t i = 0; i < refs->len; i++) {
		const struct schema_action_ref *ref = &refs->items[i];
		struct cedar_entity_uid uid = { ref->type.len ? ref->type : SPAN("Action"),
						ref->id };

		(void)buf_append_str(out, i ? ", " : "");
		(void)print_uid(uid, out);
	}
	(void)buf_append_char(out, ']');
}

/* What applies to nothing on one side applies to nothing at all, and cannot be written. */
static void print_applies_to(const struct schema_applies_to *to, unsigned indent, struct buf *out)
{
	if (!to || to->principals.len == 0 || to->resources.len == 0)
		return;
	(void)buf_append_str(out, " appliesTo {\n");
	print_blanks(indent + 2, out);
	(void)buf_append_str(out, "principal: ");
	print_names(&to->principals, out);
	(void)buf_append_str(out, ",\n");
	print_blanks(indent + 2, out);
	(void)buf_append_str(out, "resource: ");
	print_names(&to->resources, out);
	(void)buf_append_str(out, ",\n");
	print_blanks(indent + 2, out);
	(void)buf_append_str(out, "context: ");
	if (schema_is_empty_record(to->context))
		(void)buf_append_str(out, "{}");
	else
		print_type(to->context, indent + 2, out);
	(void)buf_append_char(out, '\n');
	print_blanks(indent, out);
	(void)buf_append_char(out, '}');
}

static void print_action(const struct schema_action *action, unsigned indent, struct buf *out)
{
	print_annotations(&action->annotations, indent, out);
	print_blanks(indent, out);
	(void)buf_append_str(out, "action ");
	(void)print_string(action->id, out);
	print_parents(&action->parents, out);
	print_applies_to(action->applies_to, indent, out);
	(void)buf_append_str(out, ";\n");
}

/* A blank line between declarations. */
static void separate(bool *is_first, struct buf *out)
{
	if (!*is_first)
		(void)buf_append_char(out, '\n');
	*is_first = false;
}

static void print_declarations(const struct schema_namespace *ns, unsigned indent, struct buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < ns->n_commons && !out->failed; i++) {
		separate(&is_first, out);
		print_common(ns->commons[i], indent, out);
	}
	for (size_t i = 0; i < ns->n_entities && !out->failed; i++) {
		separate(&is_first, out);
		print_entity(ns->entities[i], indent, out);
	}
	for (size_t i = 0; i < ns->n_actions && !out->failed; i++) {
		separate(&is_first, out);
		print_action(ns->actions[i], indent, out);
	}
}

static void print_tree(const struct cedar_schema_tree *tree, struct buf *out)
{
	bool is_first = true;

	for (size_t i = 0; i < tree->n_namespaces; i++) {
		const struct schema_namespace *ns = tree->namespaces[i];

		if (ns->name.len == 0 && !ns->is_written)
			continue;
		separate(&is_first, out);
		if (ns->name.len == 0) {
			print_declarations(ns, 0, out);
			continue;
		}
		print_annotations(&ns->annotations, 0, out);
		(void)buf_append_str(out, "namespace ");
		(void)buf_append_span(out, ns->name);
		(void)buf_append_str(out, " {\n");
		print_declarations(ns, 2, out);
		(void)buf_append_str(out, "}\n");
	}
}

/* ---- What cannot be written --------------------------------------------- */

struct check {
	const struct cedar_schema_tree *tree;
	struct cedar_diagnostics *diags;
	bool *is_checked; /* types, by index: declarations may share them */
};

static void report(const struct check *c, struct cedar_range range, const char *suggestion,
		   struct span name, const char *why)
{
	diagnostic_add(c->diags, CEDAR_ERROR, "not_in_cedar_syntax", range, suggestion, "`%.*s` %s",
		       SPAN_ARG(diagnostic_quote(name)), why);
}

/* An entity type that a common type of the same name hides once the two cannot be told apart. */
static void check_type(const struct check *c, const struct schema_namespace *ns,
		       const struct schema_type *type)
{
	if (!type || c->is_checked[type->index])
		return;
	c->is_checked[type->index] = true;
	if (type->kind == SCHEMA_TYPE_SET)
		check_type(c, ns, type->element);
	for (size_t i = 0; i < type->n_attributes; i++)
		check_type(c, ns, type->attributes[i].type);
	if (type->kind == SCHEMA_TYPE_ENTITY &&
	    schema_look_up(c->tree, ns, type->name, SCHEMA_NAME_COMMON | SCHEMA_NAME_ENTITY).kind ==
		    SCHEMA_NAME_COMMON)
		report(c, type->range, "rename one of the two", type->name,
		       "would name the common type instead of the entity type");
}

static void check_entity(const struct check *c, const struct schema_namespace *ns,
			 const struct schema_entity *entity)
{
	if (entity->shape && entity->shape->kind != SCHEMA_TYPE_RECORD)
		report(c, entity->shape->range, "write the record out", entity->name,
		       "has a shape that only JSON can express");
	if (ns->name.len && schema_namespace_common(ns, entity->name) != SIZE_MAX)
		report(c, entity->range, "rename one of the two", entity->name,
		       "is both an entity type and a common type of the namespace");
	check_type(c, ns, entity->shape);
	check_type(c, ns, entity->tags);
}

static void check_context(const struct check *c, const struct schema_namespace *ns,
			  const struct schema_action *action)
{
	const struct schema_type *context = action->applies_to->context;

	if (context && context->kind == SCHEMA_TYPE_SET)
		report(c, context->range, "write a record", action->id,
		       "has a context that only JSON can express");
	check_type(c, ns, context);
}

static void check_namespace(const struct check *c, const struct schema_namespace *ns)
{
	for (size_t i = 0; i < ns->n_entities; i++)
		check_entity(c, ns, ns->entities[i]);
	for (size_t i = 0; i < ns->n_commons; i++)
		check_type(c, ns, ns->commons[i]->type);
	for (size_t i = 0; i < ns->n_actions; i++)
		if (ns->actions[i]->applies_to)
			check_context(c, ns, ns->actions[i]);
}

int cedar_schema_tree_check_print(const struct cedar_schema_tree *tree,
				  struct cedar_diagnostics *diags)
{
	_cleanup_free_ bool *is_checked = xnew_array(bool, tree->n_types + 1);
	const struct check c = { .tree = tree, .diags = diags, .is_checked = is_checked };
	size_t first = diags->len, n_errors = diags->n_errors;

	for (size_t i = 0; i < tree->n_namespaces; i++)
		check_namespace(&c, tree->namespaces[i]);
	diagnostics_sort(diags, first);
	return diags->n_errors > n_errors ? -ENOTSUP : 0;
}

int cedar_schema_tree_print(const struct cedar_schema_tree *tree, struct buf *out)
{
	struct cedar_diagnostics diags = { 0 };
	int r = cedar_schema_tree_check_print(tree, &diags);

	cedar_diagnostics_done(&diags);
	return r < 0 ? r : schema_print_bounded(tree, out, print_tree);
}
