/* Types as a person would write them. */
#include "cedar/types.h"

/* Records deeper or longer than this are cut: the message is for a person. */
#define PRINT_DEPTH 4
#define PRINT_ATTRIBUTES 8

static void print(const struct cedar_type *type, struct buf *out, size_t depth);

static void print_record(const struct cedar_type *type, struct buf *out, size_t depth)
{
	size_t n = depth < PRINT_DEPTH ? MIN(type->n_attributes, (size_t)PRINT_ATTRIBUTES) : 0;

	(void)buf_append_char(out, '{');
	for (size_t i = 0; i < n; i++) {
		const struct cedar_attribute_type *a = &type->attributes[i];

		if (i)
			(void)buf_append_str(out, ", ");
		(void)buf_append_span(out, a->name);
		(void)buf_append_str(out, a->is_required ? ": " : "?: ");
		print(a->type, out, depth + 1);
	}
	if (n < type->n_attributes || type->is_open)
		(void)buf_append_str(out, n ? ", ..." : "...");
	(void)buf_append_char(out, '}');
}

static void print_union(const struct cedar_type *type, struct buf *out)
{
	size_t n = MIN(type->n_entities, (size_t)PRINT_ATTRIBUTES);

	if (n == 0)
		(void)buf_append_str(out, "entity");
	for (size_t i = 0; i < n; i++) {
		if (i)
			(void)buf_append_str(out, " or ");
		(void)buf_append_span(out, type->entities[i]);
	}
	if (n < type->n_entities)
		(void)buf_append_str(out, " or ...");
}

static const char *basic_name(enum cedar_type_kind kind)
{
	static const char *const names[] = {
		[CEDAR_TYPE_NEVER] = "nothing",	    [CEDAR_TYPE_TRUE] = "Bool",
		[CEDAR_TYPE_FALSE] = "Bool",	    [CEDAR_TYPE_BOOL] = "Bool",
		[CEDAR_TYPE_LONG] = "Long",	    [CEDAR_TYPE_STRING] = "String",
		[CEDAR_TYPE_DECIMAL] = "decimal",   [CEDAR_TYPE_IPADDR] = "ipaddr",
		[CEDAR_TYPE_DATETIME] = "datetime", [CEDAR_TYPE_DURATION] = "duration",
		[CEDAR_TYPE_ANY_ENTITY] = "entity",
	};

	return names[kind] ? names[kind] : "?";
}

static void print(const struct cedar_type *type, struct buf *out, size_t depth)
{
	if (type->kind == CEDAR_TYPE_ENTITY) {
		(void)buf_append_span(out, type->entity_name);
	} else if (type->kind == CEDAR_TYPE_ANY_ENTITY) {
		print_union(type, out);
	} else if (type->kind == CEDAR_TYPE_RECORD) {
		print_record(type, out, depth);
	} else if (type->kind == CEDAR_TYPE_SET) {
		(void)buf_append_str(out, "Set");
		if (!type->element)
			return;
		(void)buf_append_char(out, '<');
		if (depth < PRINT_DEPTH)
			print(type->element, out, depth + 1);
		else
			(void)buf_append_str(out, "...");
		(void)buf_append_char(out, '>');
	} else {
		(void)buf_append_str(out, basic_name(type->kind));
	}
}

void type_print(const struct cedar_type *type, struct buf *out)
{
	print(type, out, 0);
}
