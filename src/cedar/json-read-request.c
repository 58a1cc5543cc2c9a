/* Single values, contexts and requests from JSON. */
#include <errno.h>

#include "cedar/diagnostics.h"
#include "cedar/json-read-value.h"

int cedar_value_parse_json(struct span text, const struct cedar_type *type, struct arena *arena,
			   struct cedar_diagnostics *diags, const struct cedar_value **ret)
{
	const struct cedar_value *v = NULL;
	const struct json *j;
	struct json_reader r;
	int code;

	if (json_reader_begin(&r, text, arena, diags, &j) == 0 &&
	    json_read_value(&r, j, type, &v) < 0)
		v = NULL;
	code = json_reader_end(&r);
	if (code == 0)
		*ret = v;
	return code;
}

/* *ret stays NULL where the action has no say. */
static int context_type(struct json_reader *r, struct cedar_range range,
			const struct cedar_schema *schema, const struct cedar_entity_uid *action,
			const struct cedar_type **ret)
{
	const struct cedar_action_type *a;

	*ret = NULL;
	if (!schema || !action)
		return 0;
	a = cedar_schema_action(schema, *action);
	if (!a)
		return json_error(r, "undeclared_action", range, NULL,
				  "the action `%.*s::\"%.*s\"` is not in the schema",
				  SPAN_ARG(diagnostic_quote(action->type)),
				  SPAN_ARG(diagnostic_quote(action->id)));
	*ret = a->context;
	return 0;
}

/* Without a type an escape in its place would be an entity, not a record. */
static int read_context(struct json_reader *r, const struct json *j, const struct cedar_type *type,
			const struct cedar_value **ret)
{
	int code = json_read_value(r, j, type, ret);

	if (code == 0 && (*ret)->kind != CEDAR_RECORD)
		return json_error(r, "wrong_type", json_range(j), NULL,
				  "expected a context, which is a record");
	return code;
}

int cedar_context_parse_json(struct span text, const struct cedar_schema *schema,
			     const struct cedar_entity_uid *action, struct arena *arena,
			     struct cedar_diagnostics *diags, const struct cedar_value **ret)
{
	const struct cedar_value *v = NULL;
	const struct cedar_type *type;
	const struct json *j;
	struct json_reader r;
	int code;

	if (json_reader_begin(&r, text, arena, diags, &j) == 0 &&
	    context_type(&r, json_range(j), schema, action, &type) == 0)
		(void)read_context(&r, j, type, &v);
	code = json_reader_end(&r);
	if (code == 0)
		*ret = v;
	return code;
}

/* The uid as text, Type::"id". */
static int read_uid_text(struct json_reader *r, const struct json *j, struct cedar_entity_uid *ret)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e = NULL;
	int code = cedar_expr_parse(j->text, r->arena, &diags, &e);

	cedar_diagnostics_done(&diags);
	if (code == -EMSGSIZE)
		return json_out_of_memory(r);
	if (code < 0 || e->kind != CEDAR_EXPR_ENTITY)
		return json_error(r, "invalid_entity", json_range(j),
				  "write Type::\"id\", or {\"type\": ..., \"id\": ...}",
				  "this is not an entity");
	*ret = e->uid;
	return 0;
}

static int read_uid(struct json_reader *r, const struct json *j, struct cedar_entity_uid *ret)
{
	return j->type == JSON_STRING ? read_uid_text(r, j, ret) : json_read_uid(r, j, ret);
}

static void read_request(struct json_reader *r, const struct json *j,
			 const struct cedar_schema *schema, struct cedar_request *ret)
{
	static const struct cedar_value empty = { .kind = CEDAR_RECORD };
	struct json_member m[] = { { .name = "principal" },
				   { .name = "action" },
				   { .name = "resource" },
				   { .name = "context", .is_optional = true } };
	const struct json nothing = { .type = JSON_OBJECT, .begin = j->begin, .end = j->end };
	const struct cedar_type *type;

	if (json_members(r, j, "a request", m, ARRAY_SIZE(m), /* want_others = */ true) < 0)
		return;
	(void)read_uid(r, m[0].value, &ret->principal);
	(void)read_uid(r, m[2].value, &ret->resource);
	ret->context = &empty;
	if (read_uid(r, m[1].value, &ret->action) < 0 ||
	    context_type(r, json_range(m[1].value), schema, &ret->action, &type) < 0)
		return;
	if (m[3].value)
		(void)read_context(r, m[3].value, type, &ret->context);
	else if (type)
		(void)read_context(r, &nothing, type, &ret->context);
}

int cedar_request_parse_json(struct span text, const struct cedar_schema *schema,
			     struct arena *arena, struct cedar_diagnostics *diags,
			     struct cedar_request *ret)
{
	struct cedar_request request = { 0 };
	const struct json *j;
	struct json_reader r;
	int code;

	if (json_reader_begin(&r, text, arena, diags, &j) == 0)
		read_request(&r, j, schema, &request);
	code = json_reader_end(&r);
	if (code == 0)
		*ret = request;
	return code;
}
