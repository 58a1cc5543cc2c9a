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

/* The context, which lies from byte `offset` of the text on. */
static bool load_context(struct cedar_input *in, const struct cedar_text *text, struct span json,
			 size_t offset, bool has_action)
{
	struct cedar_diagnostics found = { 0 };
	int r = cedar_context_parse_json(json, in->schema, has_action ? &in->request.action : NULL,
					 &in->arena, &found, &in->request.context);

	cedar_report(in->options, &found, text, offset);
	cedar_diagnostics_done(&found);
	return r >= 0;
}

static bool missing(void)
{
	log_error("all three of principal, action and resource must be given");
	return false;
}

/* ---- From flags ------------------------------------------------------------------ */

static bool load_from_flags(struct cedar_input *in)
{
	const struct cedar_options *o = in->options;
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	bool has_action = false;
	bool is_good = true;

	if (o->principal)
		is_good = cedar_load_uid(o, o->principal, "<--principal>", &in->arena,
					 &in->request.principal);
	if (o->action)
		has_action =
			cedar_load_uid(o, o->action, "<--action>", &in->arena, &in->request.action);
	if (o->resource)
		is_good = cedar_load_uid(o, o->resource, "<--resource>", &in->arena,
					 &in->request.resource) &&
			  is_good;
	if (!o->context)
		in->request.context = cedar_value_record(&in->arena, NULL, 0);
	else if (!cedar_text_read(o->context, "context", &text) ||
		 !load_context(in, &text, cedar_text_span(&text), 0, has_action))
		return false;
	if (!o->principal || !o->action || !o->resource)
		return missing();
	return is_good && has_action;
}

/* ---- From a file ------------------------------------------------------------------- */

static bool member_uid(struct cedar_input *in, const struct cedar_text *text,
		       const struct json *document, const char *key, struct cedar_entity_uid *ret)
{
	const struct json *value = json_get(document, key);
	struct cedar_diagnostic finding = {
		.code = "not_an_entity",
		.message = "expected a string with an entity, such as \"User::\\\"alice\\\"\""
	};
	const char *copy;

	if (!value || value->type == JSON_NULL)
		return missing();
	if (value->type != JSON_STRING || memchr(value->text.p, 0, value->text.len)) {
		finding.range = (struct cedar_range){ value->begin, value->end };
		cedar_report_one(in->options, &finding, text);
		return false;
	}
	copy = arena_dup(&in->arena, value->text);
	return copy && cedar_load_uid(in->options, copy, text->name, &in->arena, ret);
}

static bool load_from_file(struct cedar_input *in)
{
	static const struct json_options limits = { .max_depth = 1024,
						    .max_members = SIZE_MAX,
						    .want_only_unicode = true };
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	_cleanup_arena_ struct arena arena = ARENA_INIT(LIMIT_CEDAR_ARENA);
	struct json *document = NULL;
	const struct json *context;
	struct err err = { 0 };
	struct span whole;
	size_t offset = 0;

	if (!cedar_text_read(in->options->request_json, "request", &text))
		return false;
	whole = cedar_text_span(&text);
	if (json_parse_with(&limits, &arena, whole, &document, &offset, &err) < 0) {
		cedar_report_one(in->options,
				 &(struct cedar_diagnostic){ .code = "invalid_json",
							     .range = { offset, offset + 1 },
							     .message = err.text },
				 &text);
		return false;
	}
	context = json_get(document, "context");
	if (!context) {
		log_error("%s: the request has no \"context\"; it may be {}", text.name);
		return false;
	}
	return member_uid(in, &text, document, "principal", &in->request.principal) &&
	       member_uid(in, &text, document, "action", &in->request.action) &&
	       member_uid(in, &text, document, "resource", &in->request.resource) &&
	       load_context(
		       in, &text,
		       (struct span){ whole.p + context->begin, context->end - context->begin },
		       context->begin, /* has_action = */ true);
}

bool cedar_load_request(struct cedar_input *in)
{
	struct err err = { 0 };

	if (in->options->request_json ? !load_from_file(in) : !load_from_flags(in))
		return false;
	if (!in->schema || in->options->skip_request_validation ||
	    cedar_request_conform(in->schema, &in->request, &err) >= 0)
		return true;
	log_error("the request does not fit the schema: %s", err.text);
	return false;
}
