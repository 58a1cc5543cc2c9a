#include "cedar/conform.h"

#include <errno.h>
#include <stdlib.h>

#include "cedar/diagnostics.h"
#include "cedar/value-private.h"

const char *conform_type_name(const struct cedar_type *type)
{
	static const char *const names[] = {
		[CEDAR_TYPE_NEVER] = "nothing",	      [CEDAR_TYPE_TRUE] = "true",
		[CEDAR_TYPE_FALSE] = "false",	      [CEDAR_TYPE_BOOL] = "a bool",
		[CEDAR_TYPE_LONG] = "a long",	      [CEDAR_TYPE_STRING] = "a string",
		[CEDAR_TYPE_ENTITY] = "an entity",    [CEDAR_TYPE_SET] = "a set",
		[CEDAR_TYPE_RECORD] = "a record",     [CEDAR_TYPE_DECIMAL] = "a decimal",
		[CEDAR_TYPE_IPADDR] = "an ipaddr",    [CEDAR_TYPE_DATETIME] = "a datetime",
		[CEDAR_TYPE_DURATION] = "a duration", [CEDAR_TYPE_ANY_ENTITY] = "an entity",
	};

	return names[type->kind];
}

static bool is_of_kind(const struct cedar_value *v, const struct cedar_type *type)
{
	switch (type->kind) {
	case CEDAR_TYPE_NEVER:
		return false;
	case CEDAR_TYPE_TRUE:
		return v->kind == CEDAR_BOOL && v->boolean;
	case CEDAR_TYPE_FALSE:
		return v->kind == CEDAR_BOOL && !v->boolean;
	case CEDAR_TYPE_BOOL:
		return v->kind == CEDAR_BOOL;
	case CEDAR_TYPE_LONG:
		return v->kind == CEDAR_LONG;
	case CEDAR_TYPE_STRING:
		return v->kind == CEDAR_STRING;
	case CEDAR_TYPE_ENTITY:
	case CEDAR_TYPE_ANY_ENTITY:
		return v->kind == CEDAR_ENTITY;
	case CEDAR_TYPE_SET:
		return v->kind == CEDAR_SET;
	case CEDAR_TYPE_RECORD:
		return v->kind == CEDAR_RECORD;
	case CEDAR_TYPE_DECIMAL:
		return v->kind == CEDAR_DECIMAL;
	case CEDAR_TYPE_IPADDR:
		return v->kind == CEDAR_IPADDR;
	case CEDAR_TYPE_DATETIME:
		return v->kind == CEDAR_DATETIME;
	case CEDAR_TYPE_DURATION:
		return v->kind == CEDAR_DURATION;
	}
	return false;
}

static int compare_spans(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

int conform_enum(const struct cedar_entity_type *type, struct cedar_entity_uid uid, struct err *err)
{
	if (!type || !type->is_enum ||
	    (type->n_enum_ids &&
	     bsearch(&uid.id, type->enum_ids, type->n_enum_ids, sizeof(uid.id), compare_spans)))
		return 0;
	return err_say(err, -EINVAL, "the type `%.*s` is an enumeration without the id `%.*s`",
		       SPAN_ARG(diagnostic_quote(uid.type)), SPAN_ARG(diagnostic_quote(uid.id)));
}

static int conform_entity(struct cedar_entity_uid uid, const struct cedar_type *type,
			  struct err *err)
{
	struct span found = diagnostic_quote(uid.type);

	if (type->kind == CEDAR_TYPE_ANY_ENTITY) {
		if (type->n_entities == 0 || bsearch(&uid.type, type->entities, type->n_entities,
						     sizeof(uid.type), compare_spans))
			return 0;
		return err_say(err, -EINVAL, "entities of type `%.*s` are not expected here",
			       SPAN_ARG(found));
	}
	if (!span_eq(uid.type, type->entity_name))
		return err_say(err, -EINVAL,
			       "expected an entity of type `%.*s`, found one of type `%.*s`",
			       SPAN_ARG(diagnostic_quote(type->entity_name)), SPAN_ARG(found));
	return conform_enum(type->entity, uid, err);
}

int conform_leaf(const struct cedar_value *v, const struct cedar_type *type, struct err *err)
{
	if (!is_of_kind(v, type))
		return err_say(err, -EINVAL, "expected %s, found %s", conform_type_name(type),
			       value_kind_name(v->kind));
	return v->kind == CEDAR_ENTITY ? conform_entity(v->uid, type, err) : 0;
}

static int conform_items(const struct cedar_value *v, const struct cedar_type *type,
			 struct err *err)
{
	for (size_t i = 0; type->element && i < v->set.len; i++)
		if (cedar_value_conform(v->set.items[i], type->element, err) < 0)
			return err_wrap(err, -EINVAL, "in a set");
	return 0;
}

static int conform_record(const struct cedar_value *v, const struct cedar_type *type,
			  struct err *err)
{
	for (size_t i = 0; i < type->n_attributes; i++) {
		const struct cedar_attribute_type *a = &type->attributes[i];

		if (a->is_required && !value_find(v, a->name))
			return err_say(err, -EINVAL, "the attribute `%.*s` is missing",
				       SPAN_ARG(diagnostic_quote(a->name)));
	}
	for (size_t i = 0; i < v->record.len; i++) {
		const struct cedar_record_entry *entry = &v->record.entries[i];
		const struct cedar_attribute_type *a = cedar_type_attribute(type, entry->key);
		struct span name = diagnostic_quote(entry->key);

		if (!a && !type->is_open)
			return err_say(err, -EINVAL, "the attribute `%.*s` is not in the schema",
				       SPAN_ARG(name));
		if (a && cedar_value_conform(entry->value, a->type, err) < 0)
			return err_wrap(err, -EINVAL, "in the attribute `%.*s`", SPAN_ARG(name));
	}
	return 0;
}

int cedar_value_conform(const struct cedar_value *v, const struct cedar_type *type, struct err *err)
{
	int r = conform_leaf(v, type, err);

	if (r == 0 && v->kind == CEDAR_SET)
		r = conform_items(v, type, err);
	if (r == 0 && v->kind == CEDAR_RECORD)
		r = conform_record(v, type, err);
	return r;
}

static int find_type(const struct cedar_schema *schema, struct cedar_entity_uid uid,
		     const char *what, const struct cedar_entity_type **ret, struct err *err)
{
	*ret = cedar_schema_entity(schema, uid.type);
	if (!*ret)
		return err_say(err, -EINVAL, "the %s's type `%.*s` is not in the schema", what,
			       SPAN_ARG(diagnostic_quote(uid.type)));
	return conform_enum(*ret, uid, err);
}

static int check_applies(const struct cedar_entity_type *type,
			 const struct cedar_entity_type *const *list, size_t n,
			 struct cedar_entity_uid action, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == type)
			return 0;
	return err_say(
		err, -EINVAL, "the action `%.*s::\"%.*s\"` does not apply to a %s of type `%.*s`",
		SPAN_ARG(diagnostic_quote(action.type)), SPAN_ARG(diagnostic_quote(action.id)),
		what, SPAN_ARG(diagnostic_quote(type->name)));
}

int cedar_request_conform(const struct cedar_schema *schema, const struct cedar_request *request,
			  struct err *err)
{
	static const struct cedar_value empty = { .kind = CEDAR_RECORD };
	const struct cedar_action_type *action = cedar_schema_action(schema, request->action);
	const struct cedar_entity_type *principal, *resource;

	if (!action)
		return err_say(err, -EINVAL, "the action `%.*s::\"%.*s\"` is not in the schema",
			       SPAN_ARG(diagnostic_quote(request->action.type)),
			       SPAN_ARG(diagnostic_quote(request->action.id)));
	if (find_type(schema, request->principal, "principal", &principal, err) < 0 ||
	    find_type(schema, request->resource, "resource", &resource, err) < 0)
		return -EINVAL;
	if (check_applies(principal, action->principals, action->n_principals, action->uid,
			  "principal", err) < 0 ||
	    check_applies(resource, action->resources, action->n_resources, action->uid, "resource",
			  err) < 0)
		return -EINVAL;
	if (cedar_value_conform(request->context ? request->context : &empty, action->context,
				err) < 0)
		return err_wrap(err, -EINVAL, "in the context");
	return 0;
}
