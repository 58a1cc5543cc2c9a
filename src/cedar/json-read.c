#include "cedar/json-read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/lexer.h"

/* An expression takes two levels ({"!": {"arg": ...}}); the rest is what is around it. */
#define JSON_DEPTH (2 * LIMIT_CEDAR_DEPTH + 16)

/* base/json says "JSON, byte 7: why"; the finding has its own range. */
static const char *reason(const struct err *err)
{
	const char *colon = strstr(err->text, ": ");

	return colon ? colon + 2 : err->text;
}

int json_reader_begin(struct json_reader *r, struct span text, struct arena *arena,
		      struct cedar_diagnostics *diags, const struct json **ret)
{
	const struct json_options options = { .max_depth = JSON_DEPTH,
					      .max_members = SIZE_MAX,
					      .want_only_unicode = true };
	struct err err = { 0 };
	struct json *j;
	size_t at = 0;
	int code;

	*r = (struct json_reader){
		.text = text,
		.arena = arena,
		.scratch = ARENA_INIT(LIMIT_CEDAR_ARENA),
		.diags = diags,
		.n_errors = diags->n_errors,
		.first = diags->len,
	};
	if (text.len > LIMIT_CEDAR_JSON) {
		r->is_limited = true;
		return json_error(r, "too_large", (struct cedar_range){ 0, 0 }, NULL,
				  "the text is larger than %zu bytes", LIMIT_CEDAR_JSON);
	}
	code = json_parse_with(&options, &r->scratch, text, &j, &at, &err);
	if (code == -ENOMEM)
		return json_out_of_memory(r);
	if (code < 0)
		return json_error(r, "invalid_json",
				  (struct cedar_range){ at, MIN(at + 1, text.len) }, NULL,
				  "this is not JSON: %s", reason(&err));
	*ret = j;
	return 0;
}

int json_reader_end(struct json_reader *r)
{
	arena_done(&r->scratch);
	diagnostics_sort(r->diags, r->first);
	if (r->is_limited)
		return -EMSGSIZE;
	return r->diags->n_errors > r->n_errors ? -EINVAL : 0;
}

int json_error(struct json_reader *r, const char *code, struct cedar_range range,
	       const char *suggestion, const char *fmt, ...)
{
	char message[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	diagnostic_add(r->diags, CEDAR_ERROR, code, range, suggestion, "%s", message);
	return -EINVAL;
}

int json_out_of_memory(struct json_reader *r)
{
	if (!r->is_limited)
		(void)json_error(r, "too_large", (struct cedar_range){ 0, 0 }, NULL,
				 "the document needs more memory than is allowed");
	r->is_limited = true;
	return -ENOMEM;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	    [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "a list",   [JSON_OBJECT] = "an object",
	};

	return names[type];
}

int json_wrong_type(struct json_reader *r, const struct json *j, const char *what)
{
	return json_error(r, "wrong_type", json_range(j), NULL, "expected %s, found %s", what,
			  json_type_name(j->type));
}

static int unknown_member(struct json_reader *r, const struct json *m, const char *what,
			  const struct json_member *members, size_t n)
{
	const char *names[16];
	const char *nearest;
	char help[60] = "";

	for (size_t i = 0; i < n && i < ARRAY_SIZE(names); i++)
		names[i] = members[i].name;
	nearest = nearest_word(m->key, names, MIN(n, ARRAY_SIZE(names)));
	if (nearest)
		(void)snprintf(help, sizeof(help), "did you mean `%s`?", nearest);
	return json_error(r, "unknown_member", json_key_range(m), nearest ? help : NULL,
			  "%s has no member `%.*s`", what, SPAN_ARG(diagnostic_quote(m->key)));
}

int json_members(struct json_reader *r, const struct json *j, const char *what,
		 struct json_member *members, size_t n, bool want_others)
{
	int result = 0;

	if (j->type != JSON_OBJECT)
		return json_wrong_type(r, j, what);
	for (const struct json *m = j->first; m; m = m->next) {
		size_t i = 0;

		while (i < n && !span_eq_str(m->key, members[i].name))
			i++;
		if (i < n)
			members[i].value = m;
		else if (!want_others)
			result = unknown_member(r, m, what, members, n);
	}
	for (size_t i = 0; i < n; i++)
		if (!members[i].value && !members[i].is_optional)
			result = json_error(r, "missing_member", json_range(j), NULL,
					    "%s needs the member `%s`", what, members[i].name);
	return result;
}

size_t json_count(const struct json *list)
{
	size_t n = 0;

	for (const struct json *it = list->first; it; it = it->next)
		n++;
	return n;
}

int json_keep(struct json_reader *r, struct span text, struct span *ret)
{
	const char *copy = arena_dup(r->arena, text);

	if (!copy)
		return json_out_of_memory(r);
	*ret = span_make(copy, text.len);
	return 0;
}

int json_read_string(struct json_reader *r, const struct json *j, const char *what,
		     struct span *ret)
{
	if (j->type != JSON_STRING)
		return json_wrong_type(r, j, what);
	return json_keep(r, j->text, ret);
}

/* The first component, which is cut off from *rest. */
static struct span next_component(struct span *rest)
{
	const char *end = memmem(rest->p, rest->len, "::", 2);
	struct span part = { rest->p, end ? (size_t)(end - rest->p) : rest->len };

	*rest = end ? span_from(*rest, part.len + 2) : (struct span){ NULL, 0 };
	return part;
}

int json_read_type_name(struct json_reader *r, const struct json *j, struct span *ret)
{
	struct span rest = j->text;

	if (j->type != JSON_STRING)
		return json_wrong_type(r, j, "an entity type");
	do {
		struct span part = next_component(&rest);

		if (cedar_is_reserved(part))
			return json_error(r, "reserved_identifier", json_range(j), NULL,
					  "`%.*s` is reserved and cannot be used in a name",
					  SPAN_ARG(part));
		if (!cedar_is_ident(part))
			return json_error(r, "invalid_type_name", json_range(j),
					  "write names joined by ::, without blanks",
					  "`%.*s` is not an entity type",
					  SPAN_ARG(diagnostic_quote(j->text)));
	} while (rest.p);
	return json_keep(r, j->text, ret);
}

/* Has j a type and an id, both strings? */
static bool is_uid(const struct json *j)
{
	const struct json *type = json_get(j, "type");
	const struct json *id = json_get(j, "id");

	return type && id && type->type == JSON_STRING && id->type == JSON_STRING;
}

int json_read_uid(struct json_reader *r, const struct json *j, struct cedar_entity_uid *ret)
{
	const struct json *escaped = json_get(j, "__entity");
	struct cedar_entity_uid uid;
	int code;

	if (json_get(j, "__expr") && json_get(j, "__expr")->type == JSON_STRING)
		return json_no_expr_escape(r, j);
	if (escaped && is_uid(escaped))
		j = escaped;
	if (!is_uid(j))
		return json_error(r, "invalid_entity", json_range(j),
				  "write {\"type\": \"User\", \"id\": \"alice\"}",
				  "expected an entity, found %s without a type and an id",
				  json_type_name(j->type));
	code = json_read_type_name(r, json_get(j, "type"), &uid.type);
	if (code < 0)
		return code;
	code = json_keep(r, json_get(j, "id")->text, &uid.id);
	if (code == 0)
		*ret = uid;
	return code;
}

bool json_is_action_type(struct span type)
{
	return span_eq(type, SPAN("Action")) || span_ends_with(type, SPAN("::Action"));
}

/* The only member of j, if that is its name. */
static const struct json *only_member(const struct json *j, const char *name)
{
	const struct json *m = j->type == JSON_OBJECT ? j->first : NULL;

	return m && !m->next && span_eq_str(m->key, name) ? m : NULL;
}

const struct json *json_entity_escape(const struct json *j)
{
	const struct json *m = only_member(j, "__entity");

	return m && is_uid(m) ? m : NULL;
}

bool json_is_call(const struct json *j)
{
	const struct json *fn = json_get(j, "fn");
	const struct json *args = json_get(j, "args");

	return fn && fn->type == JSON_STRING &&
	       (json_get(j, "arg") || (args && args->type == JSON_ARRAY));
}

const struct json *json_extension_escape(const struct json *j)
{
	const struct json *m = only_member(j, "__extn");

	return m && json_is_call(m) ? m : NULL;
}

bool json_is_expr_escape(const struct json *j)
{
	const struct json *m = only_member(j, "__expr");

	return m && m->type == JSON_STRING;
}

int json_no_expr_escape(struct json_reader *r, const struct json *j)
{
	return json_error(r, "expr_escape", json_range(j),
			  "use __entity for entities, __extn for extension values, and plain JSON "
			  "for all others",
			  "the `__expr` escape is no longer supported");
}

int json_read_long(struct json_reader *r, const struct json *j, int64_t *ret)
{
	if (j->type == JSON_NULL)
		return json_error(r, "null", json_range(j), "leave the member out",
				  "Cedar has no null");
	/* A negative zero is a real to the reference. */
	if (json_to_int(j, ret) && !span_eq(j->text, SPAN("-0")))
		return 0;
	return json_error(
		r, "invalid_number", json_range(j), "for fractions, use the decimal extension type",
		"`%.*s` is not an integer of 64 bits", SPAN_ARG(diagnostic_quote(j->text)));
}
