/*
 * Values from JSON. Without a type, {"__entity": ...} and {"__extn": ...} are
 * the only ways to write entities and extension values; with one, {"type",
 * "id"} and a plain string do too, and what does not fit is reported where it
 * stands. Recursion is bounded by the depth of the JSON text.
 */
#include "cedar/json-read-value.h"

#include <errno.h>

#include "cedar/conform.h"
#include "cedar/diagnostics.h"
#include "cedar/function.h"

static int finish(struct json_reader *r, const struct cedar_value *v,
		  const struct cedar_value **ret)
{
	if (!v)
		return json_out_of_memory(r);
	*ret = v;
	return 0;
}

/* ---- Extension values --------------------------------------------------- */

/* What the arguments of the extension functions are; the constructors take strings. */
struct signature {
	const char *name;
	enum cedar_type_kind args[2];
};

static const struct signature signatures[] = {
	{ "lessThan", { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL } },
	{ "lessThanOrEqual", { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL } },
	{ "greaterThan", { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL } },
	{ "greaterThanOrEqual", { CEDAR_TYPE_DECIMAL, CEDAR_TYPE_DECIMAL } },
	{ "isIpv4", { CEDAR_TYPE_IPADDR } },
	{ "isIpv6", { CEDAR_TYPE_IPADDR } },
	{ "isLoopback", { CEDAR_TYPE_IPADDR } },
	{ "isMulticast", { CEDAR_TYPE_IPADDR } },
	{ "isInRange", { CEDAR_TYPE_IPADDR, CEDAR_TYPE_IPADDR } },
	{ "offset", { CEDAR_TYPE_DATETIME, CEDAR_TYPE_DURATION } },
	{ "durationSince", { CEDAR_TYPE_DATETIME, CEDAR_TYPE_DATETIME } },
	{ "toDate", { CEDAR_TYPE_DATETIME } },
	{ "toTime", { CEDAR_TYPE_DATETIME } },
	{ "toMilliseconds", { CEDAR_TYPE_DURATION } },
	{ "toSeconds", { CEDAR_TYPE_DURATION } },
	{ "toMinutes", { CEDAR_TYPE_DURATION } },
	{ "toHours", { CEDAR_TYPE_DURATION } },
	{ "toDays", { CEDAR_TYPE_DURATION } },
};

/* NULL where the argument is read as it stands. */
static const struct cedar_type *argument_type(struct span function, size_t i)
{
	static const struct cedar_type types[] = {
		[CEDAR_TYPE_DECIMAL] = { .kind = CEDAR_TYPE_DECIMAL },
		[CEDAR_TYPE_IPADDR] = { .kind = CEDAR_TYPE_IPADDR },
		[CEDAR_TYPE_DATETIME] = { .kind = CEDAR_TYPE_DATETIME },
		[CEDAR_TYPE_DURATION] = { .kind = CEDAR_TYPE_DURATION },
	};

	for (size_t k = 0; k < ARRAY_SIZE(signatures); k++)
		if (span_eq_str(function, signatures[k].name) && i < 2 && signatures[k].args[i])
			return &types[signatures[k].args[i]];
	return NULL;
}

struct call {
	struct span function;
	const struct json *at; /* where findings belong */
	struct cedar_value args[FUNCTION_MAX_ARGS];
	size_t n_args;
};

/* Evaluates the call as the evaluator would. */
static int run(struct json_reader *r, const struct call *c, const struct function *f,
	       struct cedar_value *ret)
{
	struct cedar_expr arg = { .kind = CEDAR_EXPR_STRING, .range = json_range(c->at) };
	struct cedar_expr *args[FUNCTION_MAX_ARGS] = { &arg, &arg };
	struct cedar_expr e = { .kind = CEDAR_EXPR_CALL,
				.range = json_range(c->at),
				.string = c->function,
				.items = args,
				.n_items = c->n_args };
	struct cedar_eval_error error = { 0 };
	struct evaluation ev = { .arena = &r->scratch, .error = &error };
	int code = f->call(&ev, &e, c->args, ret);

	if (code == -EINVAL)
		return json_error(r, "invalid_extension", json_range(c->at), NULL, "%s",
				  error.message);
	return code < 0 ? json_out_of_memory(r) : 0;
}

/* unknown("name"): the value is left open. */
static int make_unknown(struct json_reader *r, const struct call *c, const struct cedar_value **ret)
{
	struct cedar_value *v;

	if (c->n_args != 1 || c->args[0].kind != CEDAR_STRING)
		return json_error(r, "invalid_extension", json_range(c->at), NULL,
				  "`unknown` takes a name, which is a string");
	v = arena_new(r->arena, struct cedar_value);
	if (v)
		*v = (struct cedar_value){ .kind = CEDAR_UNKNOWN, .string = c->args[0].string };
	return finish(r, v, ret);
}

static int call_function(struct json_reader *r, const struct call *c,
			 const struct cedar_value **ret)
{
	const struct function *f = function_find(c->function);
	struct cedar_value *v;
	int code;

	if (span_eq(c->function, SPAN("unknown")))
		return make_unknown(r, c, ret);
	if (!f || f->is_builtin)
		return json_error(r, "unknown_function", json_range(c->at), NULL,
				  "there is no extension function `%.*s`",
				  SPAN_ARG(diagnostic_quote(c->function)));
	if (c->n_args != f->n_args)
		return json_error(r, "wrong_arity", json_range(c->at), NULL,
				  "`%s` takes %d argument%s, but is given %zu", f->name, f->n_args,
				  f->n_args == 1 ? "" : "s", c->n_args);
	for (size_t i = 0; i < c->n_args; i++)
		if (c->args[i].kind == CEDAR_UNKNOWN)
			return json_error(r, "invalid_extension", json_range(c->at), NULL,
					  "an argument is unknown");
	v = arena_new(r->arena, struct cedar_value);
	if (!v)
		return json_out_of_memory(r);
	code = run(r, c, f, v);
	return code < 0 ? code : finish(r, v, ret);
}

static int add_argument(struct json_reader *r, struct call *c, const struct json *j, bool is_typed)
{
	const struct cedar_type *type = is_typed ? argument_type(c->function, c->n_args) : NULL;
	const struct cedar_value *v;
	int code;

	/* Too many are counted, not read. */
	if (c->n_args++ >= FUNCTION_MAX_ARGS)
		return 0;
	code = json_read_value(r, j, type, &v);
	if (code == 0)
		c->args[c->n_args - 1] = *v;
	return code;
}

/* {"fn": ..., "arg": ...} or {"fn": ..., "args": [...]} */
static int read_call(struct json_reader *r, const struct json *j, bool is_typed,
		     const struct cedar_value **ret)
{
	const struct json *arg = json_get(j, "arg");
	struct call c = { .function = json_get(j, "fn")->text, .at = j };
	int code = 0;

	if (arg) {
		code = add_argument(r, &c, arg, is_typed);
	} else {
		arg = json_get(j, "args")->first;
		for (; code == 0 && arg; arg = arg->next)
			code = add_argument(r, &c, arg, is_typed);
	}
	return code < 0 ? code : call_function(r, &c, ret);
}

/* Where the type is known, the constructor may be left out. */
static int read_implicit(struct json_reader *r, const struct json *j, const struct cedar_type *type,
			 const struct cedar_value **ret)
{
	static const struct span constructors[] = {
		[CEDAR_TYPE_DECIMAL] = SPAN("decimal"),
		[CEDAR_TYPE_IPADDR] = SPAN("ip"),
		[CEDAR_TYPE_DATETIME] = SPAN("datetime"),
		[CEDAR_TYPE_DURATION] = SPAN("duration"),
	};
	const struct json *escaped = json_get(j, "__extn");
	struct call c = { .function = constructors[type->kind], .at = j };
	int code;

	if (escaped && json_is_call(escaped))
		return read_call(r, escaped, /* is_typed = */ true, ret);
	if (json_is_call(j))
		return read_call(r, j, /* is_typed = */ true, ret);
	code = add_argument(r, &c, j, /* is_typed = */ false);
	return code < 0 ? code : call_function(r, &c, ret);
}

/* ---- Sets and records --------------------------------------------------- */

static int read_set(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		    const struct cedar_value **ret)
{
	size_t n = json_count(j), i = 0;
	const struct cedar_value **items = arena_alloc_array(&r->scratch, n, sizeof(*items));
	const struct cedar_value *unknown = NULL;
	int result = 0;

	if (!items)
		return json_out_of_memory(r);
	for (const struct json *it = j->first; it && !r->is_limited; it = it->next, i++) {
		int code = json_read_value(r, it, type, &items[i]);

		result = code < 0 ? code : result;
		if (code == 0 && items[i]->kind == CEDAR_UNKNOWN)
			unknown = items[i];
	}
	if (result < 0 || r->is_limited)
		return result;
	/* Which elements a set has is not known before all of them are. */
	return finish(r, unknown ? unknown : cedar_value_set(r->arena, items, n), ret);
}

struct record_reader {
	const struct cedar_type *type;	  /* of the record, or NULL */
	const struct cedar_type *element; /* of each member, or NULL */
};

static int read_member(struct json_reader *r, const struct json *j, const struct record_reader *how,
		       struct cedar_record_entry *ret)
{
	const struct cedar_type *type = how->element;
	const struct cedar_attribute_type *a;
	int code;

	if (how->type) {
		a = cedar_type_attribute(how->type, j->key);
		if (!a && !how->type->is_open)
			return json_error(r, "unexpected_attribute", json_key_range(j), NULL,
					  "the attribute `%.*s` is not in the schema",
					  SPAN_ARG(diagnostic_quote(j->key)));
		type = a ? a->type : NULL;
	}
	code = json_keep(r, j->key, &ret->key);
	return code < 0 ? code : json_read_value(r, j, type, &ret->value);
}

static int check_required(struct json_reader *r, const struct json *j,
			  const struct cedar_type *type, const struct cedar_value *record)
{
	size_t n_found = 0;
	int result = 0;

	/* Both are sorted by name. */
	for (size_t i = 0; i < type->n_attributes; i++) {
		const struct cedar_attribute_type *a = &type->attributes[i];

		while (n_found < record->record.len &&
		       span_cmp(record->record.entries[n_found].key, a->name) < 0)
			n_found++;
		if (a->is_required && (n_found == record->record.len ||
				       !span_eq(record->record.entries[n_found].key, a->name)))
			result = json_error(r, "missing_attribute", json_range(j), NULL,
					    "the attribute `%.*s` is missing",
					    SPAN_ARG(diagnostic_quote(a->name)));
	}
	return result;
}

static int read_members(struct json_reader *r, const struct json *j,
			const struct record_reader *how, const struct cedar_value **ret)
{
	size_t n, i = 0;
	struct cedar_record_entry *entries;
	const struct cedar_value *record;
	int result = 0;

	if (j->type != JSON_OBJECT)
		return json_wrong_type(r, j, "an object");
	n = json_count(j);
	entries = arena_alloc_array(&r->scratch, n, sizeof(*entries));
	if (!entries)
		return json_out_of_memory(r);
	for (const struct json *it = j->first; it && !r->is_limited; it = it->next, i++) {
		int code = read_member(r, it, how, &entries[i]);

		result = code < 0 ? code : result;
	}
	if (result < 0 || r->is_limited)
		return result;
	record = cedar_value_record(r->arena, entries, n);
	if (record && how->type && check_required(r, j, how->type, record) < 0)
		return -EINVAL;
	return finish(r, record, ret);
}

int json_read_record(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		     const struct cedar_value **ret)
{
	return read_members(r, j, &(const struct record_reader){ .type = type }, ret);
}

int json_read_tags(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		   const struct cedar_value **ret)
{
	return read_members(r, j, &(const struct record_reader){ .element = type }, ret);
}

/* ---- Values ------------------------------------------------------------- */

static int read_entity(struct json_reader *r, const struct json *j, const struct cedar_value **ret)
{
	struct cedar_entity_uid uid;
	int code = json_read_uid(r, j, &uid);

	return code < 0 ? code : finish(r, cedar_value_entity(r->arena, uid), ret);
}

static int read_object(struct json_reader *r, const struct json *j, const struct cedar_value **ret)
{
	const struct json *escaped = json_entity_escape(j);

	if (json_is_expr_escape(j))
		return json_no_expr_escape(r, j);
	if (escaped)
		return read_entity(r, escaped, ret);
	escaped = json_extension_escape(j);
	if (escaped)
		return read_call(r, escaped, /* is_typed = */ false, ret);
	return json_read_record(r, j, NULL, ret);
}

static int read_untyped(struct json_reader *r, const struct json *j, const struct cedar_value **ret)
{
	struct span text;
	int64_t n;
	int code;

	switch (j->type) {
	case JSON_BOOL:
		return finish(r, cedar_value_bool(r->arena, j->is_true), ret);
	case JSON_STRING:
		code = json_keep(r, j->text, &text);
		return code < 0 ? code : finish(r, cedar_value_string(r->arena, text), ret);
	case JSON_ARRAY:
		return read_set(r, j, NULL, ret);
	case JSON_OBJECT:
		return read_object(r, j, ret);
	case JSON_NULL:
	case JSON_NUMBER:
		break;
	}
	code = json_read_long(r, j, &n);
	return code < 0 ? code : finish(r, cedar_value_long(r->arena, n), ret);
}

/* Is j an extension's call that leaves the value open? It may stand for any type. */
static bool is_unknown(const struct json *j)
{
	const struct json *escaped = json_extension_escape(j);

	return escaped && span_eq(json_get(escaped, "fn")->text, SPAN("unknown"));
}

static int read_typed(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		      const struct cedar_value **ret)
{
	switch (type->kind) {
	case CEDAR_TYPE_ENTITY:
	case CEDAR_TYPE_ANY_ENTITY:
		return read_entity(r, j, ret);
	case CEDAR_TYPE_DECIMAL:
	case CEDAR_TYPE_IPADDR:
	case CEDAR_TYPE_DATETIME:
	case CEDAR_TYPE_DURATION:
		return read_implicit(r, j, type, ret);
	case CEDAR_TYPE_SET:
		if (j->type == JSON_ARRAY)
			return read_set(r, j, type->element, ret);
		break;
	case CEDAR_TYPE_RECORD:
		if (j->type == JSON_OBJECT && !json_is_expr_escape(j))
			return json_read_record(r, j, type, ret);
		break;
	case CEDAR_TYPE_NEVER:
	case CEDAR_TYPE_TRUE:
	case CEDAR_TYPE_FALSE:
	case CEDAR_TYPE_BOOL:
	case CEDAR_TYPE_LONG:
	case CEDAR_TYPE_STRING:
		break;
	}
	return read_untyped(r, j, ret);
}

int json_read_value(struct json_reader *r, const struct json *j, const struct cedar_type *type,
		    const struct cedar_value **ret)
{
	const struct cedar_value *v;
	struct err err = { 0 };
	int code;

	if (!type || is_unknown(j))
		return read_untyped(r, j, ret);
	code = read_typed(r, j, type, &v);
	if (code < 0)
		return code;
	if (v->kind != CEDAR_UNKNOWN && conform_leaf(v, type, &err) < 0)
		return json_error(r, "type_mismatch", json_range(j), NULL, "%s", err.text);
	*ret = v;
	return 0;
}
