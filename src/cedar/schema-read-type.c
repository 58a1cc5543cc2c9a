/* Types in JSON: {"type": KIND, ...}, where a KIND that is none names a common type. */
#include <errno.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/lexer.h"
#include "cedar/schema-read.h"

int schema_read_ident(struct schema_reader *s, const struct json *j, struct span *ret)
{
	if (j->type == JSON_STRING && memmem(j->text.p, j->text.len, "::", 2))
		return json_error(&s->r, "invalid_name", json_range(j), NULL,
				  "`%.*s` must be a single name, without namespace",
				  SPAN_ARG(diagnostic_quote(j->text)));
	return json_read_type_name(&s->r, j, ret);
}

int schema_read_path(struct schema_reader *s, const struct json *j, struct span *ret)
{
	const struct span builtin = SPAN("__cedar::");
	struct json rest = *j;

	if (j->type != JSON_STRING || !span_starts_with(j->text, builtin))
		return json_read_type_name(&s->r, j, ret);
	rest.text = span_from(j->text, builtin.len);
	if (schema_read_ident(s, &rest, ret) < 0)
		return -EINVAL;
	return json_keep(&s->r, j->text, ret);
}

struct json schema_key(const struct json *member)
{
	return (struct json){ .type = JSON_STRING,
			      .text = member->key,
			      .begin = member->key_begin,
			      .end = member->key_end };
}

/* ---- Annotations -------------------------------------------------------- */

static int read_annotation(struct schema_reader *s, const struct json *j,
			   struct cedar_annotation *ret)
{
	*ret = (struct cedar_annotation){ .range = { j->key_begin, j->end } };
	if (!cedar_is_ident(j->key))
		return json_error(&s->r, "invalid_name", json_key_range(j), NULL,
				  "`%.*s` cannot be the name of an annotation",
				  SPAN_ARG(diagnostic_quote(j->key)));
	if (json_keep(&s->r, j->key, &ret->key) < 0)
		return -ENOMEM;
	if (j->type == JSON_NULL)
		return 0;
	ret->has_value = true;
	return json_read_string(&s->r, j, "a string or null", &ret->value);
}

int schema_read_annotations(struct schema_reader *s, const struct json *j,
			    struct schema_annotations *ret)
{
	int err = 0;

	*ret = (struct schema_annotations){ 0 };
	if (!j)
		return 0;
	if (j->type != JSON_OBJECT)
		return json_wrong_type(&s->r, j, "an object of annotations");
	ret->items = arena_alloc_array(s->r.arena, json_count(j), sizeof(*ret->items));
	if (!ret->items)
		return json_out_of_memory(&s->r);
	for (const struct json *m = j->first; m; m = m->next)
		if (read_annotation(s, m, &ret->items[ret->len++]) < 0)
			err = -EINVAL;
	schema_annotations_sort(ret, s->r.diags);
	return err;
}

/* ---- Types -------------------------------------------------------------- */

/* Members of a type; those behind ANNOTATIONS only where an attribute declares it. */
enum {
	TYPE,
	NAME,
	ELEMENT,
	ATTRIBUTES,
	ADDITIONAL,
	ANNOTATIONS,
	REQUIRED,
	N_MEMBERS,
};

/* What else is wrong is reported, but without a kind there is nothing to go on with. */
static int read_members(struct schema_reader *s, const struct json *j, struct json_member *ret,
			size_t n)
{
	static const char *const names[] = {
		"type",	       "name",	  "element", "attributes", "additionalAttributes",
		"annotations", "required"
	};
	int err;

	for (size_t i = 0; i < N_MEMBERS; i++)
		ret[i] = (struct json_member){ .name = names[i], .is_optional = i != TYPE };
	err = json_members(&s->r, j, "a type", ret, n, /* want_others = */ false);
	if (!ret[TYPE].value)
		return err;
	return ret[TYPE].value->type == JSON_STRING
		       ? 0
		       : json_wrong_type(&s->r, ret[TYPE].value, "the name of a type");
}

static const struct kind {
	const char *name;
	enum schema_type_kind kind;
	int member; /* the one it needs; 0: none */
} kinds[] = {
	{ "Boolean", SCHEMA_TYPE_BOOL, 0 },	      { "Long", SCHEMA_TYPE_LONG, 0 },
	{ "String", SCHEMA_TYPE_STRING, 0 },	      { "Set", SCHEMA_TYPE_SET, ELEMENT },
	{ "Record", SCHEMA_TYPE_RECORD, ATTRIBUTES }, { "Entity", SCHEMA_TYPE_ENTITY, NAME },
	{ "EntityOrCommon", SCHEMA_TYPE_NAME, NAME }, { "Extension", SCHEMA_TYPE_EXTENSION, NAME },
};

static struct kind find_kind(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (span_eq_str(name, kinds[i].name))
			return kinds[i];
	return (struct kind){ .kind = SCHEMA_TYPE_COMMON };
}

/* Members that this kind of type cannot have, and the one that it must have. */
static int check_members(struct schema_reader *s, const struct json *j, const struct kind *kind,
			 const struct json_member *members)
{
	struct span name = diagnostic_quote(members[TYPE].value->text);
	int err = 0;

	for (int i = NAME; i <= ADDITIONAL; i++) {
		if (!members[i].value || i == kind->member ||
		    (i == ADDITIONAL && kind->kind == SCHEMA_TYPE_RECORD))
			continue;
		err = json_error(&s->r, "unknown_member", json_key_range(members[i].value), NULL,
				 "the type `%.*s` has no member `%s`", SPAN_ARG(name),
				 members[i].name);
	}
	if (kind->member && !members[kind->member].value)
		err = json_error(&s->r, "missing_member", json_range(j), NULL,
				 "the type `%.*s` needs the member `%s`", SPAN_ARG(name),
				 members[kind->member].name);
	return err;
}

static int read_required(struct schema_reader *s, const struct json *j, bool *ret)
{
	*ret = true;
	if (!j)
		return 0;
	if (j->type != JSON_BOOL)
		return json_wrong_type(&s->r, j, "true or false");
	*ret = j->is_true;
	return 0;
}

static int read_body(struct schema_reader *s, const struct json *j,
		     const struct json_member *members, struct schema_type **ret);

static int read_attribute(struct schema_reader *s, const struct json *j,
			  struct schema_attribute *ret)
{
	struct json_member members[N_MEMBERS];
	int err;

	ret->range = json_key_range(j);
	if (json_keep(&s->r, j->key, &ret->name) < 0)
		return -ENOMEM;
	if (read_members(s, j, members, N_MEMBERS) < 0)
		return -EINVAL;
	err = schema_read_annotations(s, members[ANNOTATIONS].value, &ret->annotations);
	if (read_required(s, members[REQUIRED].value, &ret->is_required) < 0)
		err = -EINVAL;
	return read_body(s, j, members, &ret->type) < 0 ? -EINVAL : err;
}

static int check_additional(struct schema_reader *s, const struct json *j)
{
	if (!j)
		return 0;
	if (j->type != JSON_BOOL)
		return json_wrong_type(&s->r, j, "true or false");
	if (!j->is_true)
		return 0;
	return json_error(&s->r, "unsupported", json_range(j), "list all attributes",
			  "records with attributes that are not declared are not supported");
}

static int read_record(struct schema_reader *s, const struct json_member *members,
		       struct schema_type *record)
{
	const struct json *list = members[ATTRIBUTES].value;
	int err = check_additional(s, members[ADDITIONAL].value);

	if (list->type != JSON_OBJECT)
		return json_wrong_type(&s->r, list, "an object of attributes");
	record->attributes =
		arena_alloc_array(s->r.arena, json_count(list), sizeof(*record->attributes));
	if (!record->attributes)
		return json_out_of_memory(&s->r);
	for (const struct json *m = list->first; m && !s->r.is_limited; m = m->next)
		if (read_attribute(s, m, &record->attributes[record->n_attributes++]) < 0)
			err = -EINVAL;
	schema_type_sort_attributes(record, s->r.diags);
	return err;
}

static int too_deep(struct schema_reader *s, const struct json *j)
{
	if (!s->r.is_limited)
		(void)json_error(&s->r, "too_deep", json_range(j),
				 "give the inner part a name of its own in commonTypes",
				 "the type is nested too deeply");
	s->r.is_limited = true;
	return -EMSGSIZE;
}

static int read_inner(struct schema_reader *s, const struct json_member *members,
		      struct schema_type *type)
{
	switch ((int)type->kind) {
	case SCHEMA_TYPE_SET:
		return schema_read_type(s, members[ELEMENT].value, &type->element);
	case SCHEMA_TYPE_RECORD:
		return read_record(s, members, type);
	case SCHEMA_TYPE_COMMON:
		return schema_read_path(s, members[TYPE].value, &type->name);
	case SCHEMA_TYPE_NAME:
	case SCHEMA_TYPE_ENTITY:
		return schema_read_path(s, members[NAME].value, &type->name);
	case SCHEMA_TYPE_EXTENSION:
		return schema_read_ident(s, members[NAME].value, &type->name);
	default:
		return 0;
	}
}

/* Recursion is counted: a type inside a type is one level. */
static int read_body(struct schema_reader *s, const struct json *j,
		     const struct json_member *members, struct schema_type **ret)
{
	struct kind kind = find_kind(members[TYPE].value->text);
	struct schema_type *type;
	int err;

	if (check_members(s, j, &kind, members) < 0)
		return -EINVAL;
	type = schema_type_new(s->tree, kind.kind, 0);
	if (!type)
		return json_out_of_memory(&s->r);
	type->range = json_range(j);
	if (++s->nesting > LIMIT_CEDAR_NESTING)
		return too_deep(s, j);
	err = read_inner(s, members, type);
	s->nesting--;
	*ret = type;
	return err;
}

int schema_read_type(struct schema_reader *s, const struct json *j, struct schema_type **ret)
{
	struct json_member members[N_MEMBERS];

	if (read_members(s, j, members, ANNOTATIONS) < 0)
		return -EINVAL;
	return read_body(s, j, members, ret);
}

int schema_read_common_type(struct schema_reader *s, const struct json *j, struct schema_type **ret,
			    struct schema_annotations *ret_annotations)
{
	struct json_member members[N_MEMBERS];

	if (read_members(s, j, members, REQUIRED) < 0 ||
	    schema_read_annotations(s, members[ANNOTATIONS].value, ret_annotations) < 0)
		return -EINVAL;
	return read_body(s, j, members, ret);
}
