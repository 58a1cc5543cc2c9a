/* The entities and the request of `leash cedar`, as cedar-load.h declares. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "cedar/cedar-conform.h"
#include "cedar/cedar-json.h"
#include "cli/cedar-load.h"

bool cedar_load_entities(struct cedar_input *in)
{
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	struct cedar_diagnostics found = { 0 };
	int r;

	if (in->options->entities) {
		if (!cedar_text_read(in->options->entities, "entities", &text))
			return false;
	} else {
		/* Without entities there are still those of the schema's actions. */
		text.name = "<no entities>";
		(void)buf_append_str(&text.content, "[]");
	}
	r = cedar_entities_parse_json(cedar_text_span(&text), in->schema, &found, &in->entities);
	cedar_report(in->options, &found, &text, 0);
	cedar_diagnostics_done(&found);
	return r >= 0;
}

bool cedar_load_uid(const struct cedar_options *o, const char *value, const char *name,
		    struct arena *arena, struct cedar_entity_uid *ret)
{
	_cleanup_cedar_text_ struct cedar_text text = { .name = name };
	struct cedar_diagnostics found = { 0 };
	struct cedar_diagnostic finding = { .code = "not_an_entity",
					    .range = { 0, strlen(value) },
					    .message =
						    "expected an entity, such as User::\"alice\"" };
	struct cedar_expr *e = NULL;
	bool is_good = false;

	(void)buf_append_str(&text.content, value);
	/* What does not look like an entity needs no talk of expressions. */
	if (cedar_expr_parse(cedar_text_span(&text), arena, &found, &e) < 0) {
		if (found.len && strstr(value, "::\""))
			cedar_report(o, &found, &text, 0);
		else
			cedar_report_one(o, &finding, &text);
	} else if (e->kind != CEDAR_EXPR_ENTITY || value[strspn(value, " \t\r\n")] == '(') {
		cedar_report_one(o, &finding, &text);
	} else {
		*ret = e->uid;
		is_good = true;
	}
	cedar_diagnostics_done(&found);
	return is_good;
}

/* ---- What was given -------------------------------------------------------------------- */

static bool read_flags(struct cedar_input *in, struct cedar_given *given)
{
	const struct cedar_options *o = in->options;

	given->principal = o->principal;
	given->action = o->action;
	given->resource = o->resource;
	given->principal_type = o->principal_type;
	given->principal_eid = o->principal_eid;
	given->resource_type = o->resource_type;
	given->resource_eid = o->resource_eid;
	if (!o->context)
		return true;
	if (!cedar_text_read(o->context, "context", &given->text))
		return false;
	given->has_context = true;
	given->context = cedar_text_span(&given->text);
	return true;
}

static const char **member_of(struct cedar_given *given, struct span key)
{
	const struct {
		const char *key;
		const char **to;
	} members[] = {
		{ "principal", &given->principal },
		{ "action", &given->action },
		{ "resource", &given->resource },
		{ "principal_type", &given->principal_type },
		{ "principal_eid", &given->principal_eid },
		{ "resource_type", &given->resource_type },
		{ "resource_eid", &given->resource_eid },
	};

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (span_eq_str(key, members[i].key))
			return members[i].to;
	return NULL;
}

static bool read_member(struct cedar_input *in, struct cedar_given *given, const struct json *m)
{
	const char **to = member_of(given, m->key);

	if (span_eq_str(m->key, "context")) {
		given->has_context = m->type != JSON_NULL;
		given->context =
			(struct span){ given->text.content.data + m->begin, m->end - m->begin };
		given->context_at = m->begin;
		return true;
	}
	if (!to || m->type == JSON_NULL)
		return true;
	if (m->type != JSON_STRING || memchr(m->text.p, 0, m->text.len)) {
		cedar_report_one(in->options,
				 &(struct cedar_diagnostic){ .code = "not_a_string",
							     .range = { m->begin, m->end },
							     .message =
								     "expected a string, such as "
								     "\"User::\\\"alice\\\"\"" },
				 &given->text);
		return false;
	}
	*to = arena_dup(&in->arena, m->text);
	return *to != NULL;
}

static bool read_file(struct cedar_input *in, struct cedar_given *given)
{
	static const struct json_options limits = { .max_depth = 1024,
						    .max_members = SIZE_MAX,
						    .want_only_unicode = true };
	_cleanup_arena_ struct arena arena = ARENA_INIT(LIMIT_CEDAR_ARENA);
	struct json *document = NULL;
	struct err err = { 0 };
	size_t offset = 0;

	if (!cedar_text_read(in->options->request_json, "request", &given->text))
		return false;
	if (json_parse_with(&limits, &arena, cedar_text_span(&given->text), &document, &offset,
			    &err) < 0) {
		cedar_report_one(in->options,
				 &(struct cedar_diagnostic){ .code = "invalid_json",
							     .range = { offset, offset + 1 },
							     .message = err.text },
				 &given->text);
		return false;
	}
	for (const struct json *m = document->first; m; m = m->next)
		if (!read_member(in, given, m))
			return false;
	return true;
}

bool cedar_given_read(struct cedar_input *in, struct cedar_given *given)
{
	return in->options->request_json ? read_file(in, given) : read_flags(in, given);
}

bool cedar_given_uid(struct cedar_input *in, const struct cedar_given *given, const char *value,
		     const char *flag, struct cedar_entity_uid *ret)
{
	return cedar_load_uid(in->options, value,
			      in->options->request_json ? given->text.name : flag, &in->arena, ret);
}

bool cedar_given_context(struct cedar_input *in, const struct cedar_given *given, bool has_action)
{
	struct cedar_diagnostics found = { 0 };
	int r = cedar_context_parse_json(given->context, in->schema,
					 has_action ? &in->request.action : NULL, &in->arena,
					 &found, &in->request.context);

	cedar_report(in->options, &found, &given->text, given->context_at);
	cedar_diagnostics_done(&found);
	return r >= 0;
}

/* ---- A whole request --------------------------------------------------------------------- */

static bool load_whole(struct cedar_input *in, const struct cedar_given *given)
{
	bool is_good = true;
	bool has_action = false;

	if (given->principal)
		is_good = cedar_given_uid(in, given, given->principal, "<--principal>",
					  &in->request.principal);
	if (given->action)
		has_action = cedar_given_uid(in, given, given->action, "<--action>",
					     &in->request.action);
	if (given->resource)
		is_good = cedar_given_uid(in, given, given->resource, "<--resource>",
					  &in->request.resource) &&
			  is_good;
	if (given->has_context) {
		is_good = cedar_given_context(in, given, has_action) && is_good;
	} else if (in->options->request_json) {
		log_error("%s: the request has no \"context\"; it may be {}", given->text.name);
		is_good = false;
	} else {
		in->request.context = cedar_value_record(&in->arena, NULL, 0);
	}
	if (!given->principal || !given->action || !given->resource) {
		log_error("all three of principal, action and resource must be given");
		return false;
	}
	return is_good && has_action;
}

bool cedar_load_request(struct cedar_input *in)
{
	_cleanup_cedar_given_ struct cedar_given given = { 0 };
	struct err err = { 0 };

	if (!cedar_given_read(in, &given) || !load_whole(in, &given))
		return false;
	if (!in->schema || in->options->skip_request_validation ||
	    cedar_request_conform(in->schema, &in->request, &err) >= 0)
		return true;
	log_error("the request does not fit the schema: %s", err.text);
	return false;
}
