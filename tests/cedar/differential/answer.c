/*
 * Answers for compare.mjs what libcedar makes of a case. Reads one case a line
 * from standard input, as JSON, and writes one answer a line:
 *
 *   {"policies": TEXT, "schema": TEXT, "entities": [...], "request": {...},
 *    "links": [{templateId, newId, values}], "width": N, "indent": N, "expression": TEXT}
 *   {"parse": BOOL, "policySet": JSON, "format": TEXT, "schema": BOOL, "schemaJson": JSON,
 *    "schemaText": TEXT, "validate": {"errors": [ID], "warnings": [ID]}, "entities": BOOL,
 *    "authorize": {"decision", "reason", "errors"}, "entitiesWithSchema": BOOL,
 *    "authorizeWithSchema": ..., "expression": BOOL}
 *
 * What cannot be answered is absent.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "cedar/cedar-conform.h"
#include "cedar/cedar-format.h"
#include "cedar/cedar-json.h"
#include "cedar/cedar-schema.h"
#include "cedar/cedar-template.h"
#include "cedar/cedar-validate.h"

struct answer {
	struct arena arena;
	struct span line;
	const struct json *document;
	struct json_writer *out;
	struct cedar_policy_set *policies;
	struct cedar_schema *schema;
};

static struct span raw(const struct answer *a, const struct json *v)
{
	return v ? (struct span){ a->line.p + v->begin, v->end - v->begin }
		 : (struct span){ "{}", 2 };
}

/* Puts finished JSON after a key. */
static void put_raw(struct answer *a, const char *key, const struct buf *text)
{
	json_key(a->out, key);
	(void)buf_append_span(a->out->out, buf_span(text));
	a->out->after_key = false;
}

static void answer_policies(struct answer *a)
{
	struct span text = json_get_string(a->document, "policies");
	struct cedar_diagnostics diags = { 0 };
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	bool ok = cedar_policy_set_parse(text, &diags, &a->policies) == 0;

	json_key_bool(a->out, "parse", ok);
	if (!ok && diags.len)
		json_key_string(a->out, "parseError", span_of(diags.items[0].message));
	if (ok && cedar_policy_set_print_json(a->policies, &json) == 0)
		put_raw(a, "policySet", &json);
	cedar_diagnostics_done(&diags);
}

static void answer_format(struct answer *a)
{
	struct span text = json_get_string(a->document, "policies");
	struct cedar_format_options options = CEDAR_FORMAT_DEFAULT;
	struct cedar_diagnostics diags = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	uint64_t n;

	if (json_to_uint(json_get(a->document, "width"), &n))
		options.width = n;
	if (json_to_uint(json_get(a->document, "indent"), &n))
		options.indent = n;
	if (cedar_format(text, &options, &diags, &out) == 0)
		json_key_string(a->out, "format", buf_span(&out));
	cedar_diagnostics_done(&diags);
}

static void answer_schema(struct answer *a)
{
	struct span text = json_get_string(a->document, "schema");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema_tree *tree = NULL;
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	_cleanup_buf_ struct buf syntax = BUF_INIT(0);
	bool ok = cedar_schema_parse(text, &diags, &a->schema) == 0;

	json_key_bool(a->out, "schema", ok);
	if (!ok && diags.len)
		json_key_string(a->out, "schemaError", span_of(diags.items[0].message));
	if (ok && cedar_schema_tree_parse(text, &diags, &tree) == 0 &&
	    cedar_schema_tree_print_json(tree, &json) == 0 &&
	    cedar_schema_tree_print(tree, &syntax) == 0) {
		put_raw(a, "schemaJson", &json);
		json_key_string(a->out, "schemaText", buf_span(&syntax));
	}
	cedar_schema_tree_free(tree);
	cedar_diagnostics_done(&diags);
}

static void put_findings(struct answer *a, const struct cedar_diagnostics *d,
			 enum cedar_severity severity, const char *key)
{
	json_key(a->out, key);
	json_begin_array(a->out);
	for (size_t i = 0; i < d->len; i++)
		if (d->items[i].severity == severity)
			json_string(a->out,
				    d->items[i].policy ? d->items[i].policy->id : SPAN("?"));
	json_end_array(a->out);
}

static void put_messages(struct answer *a, const struct cedar_diagnostics *d)
{
	json_key(a->out, "messages");
	json_begin_array(a->out);
	for (size_t i = 0; i < d->len && i < 5; i++)
		json_string(a->out, span_of(d->items[i].message));
	json_end_array(a->out);
}

static void answer_validation(struct answer *a)
{
	struct cedar_diagnostics diags = { .max = 100000 };
	int r = cedar_validate(a->policies, a->schema, NULL, &diags);

	json_key(a->out, "validate");
	json_begin_object(a->out);
	json_key_bool(a->out, "ok", r == 0);
	put_findings(a, &diags, CEDAR_ERROR, "errors");
	put_findings(a, &diags, CEDAR_WARNING, "warnings");
	put_messages(a, &diags);
	json_end_object(a->out);
	cedar_diagnostics_done(&diags);
}

static bool read_uid(const struct json *v, struct cedar_entity_uid *ret)
{
	*ret = (struct cedar_entity_uid){ json_get_string(v, "type"), json_get_string(v, "id") };
	return v && v->type == JSON_OBJECT;
}

static void link_templates(struct answer *a)
{
	const struct json *list = json_get(a->document, "links");

	for (const struct json *l = list ? list->first : NULL; l; l = l->next) {
		struct cedar_link link = { json_get_string(l, "templateId"),
					   json_get_string(l, "newId"), NULL, NULL };
		const struct json *values = json_get(l, "values");
		struct cedar_entity_uid principal, resource;
		struct err err = { 0 };

		if (read_uid(json_get(values, "?principal"), &principal))
			link.principal = &principal;
		if (read_uid(json_get(values, "?resource"), &resource))
			link.resource = &resource;
		if (cedar_policy_set_link(a->policies, &link, NULL, &err) < 0)
			(void)fprintf(stderr, "cannot link: %s\n", err.text);
	}
}

static void put_response(struct answer *a, const char *key, const struct cedar_response *r)
{
	json_key(a->out, key);
	json_begin_object(a->out);
	json_key_string(a->out, "decision", r->allow ? SPAN("allow") : SPAN("deny"));
	json_key(a->out, "reason");
	json_begin_array(a->out);
	for (size_t i = 0; i < r->n_reasons; i++)
		json_string(a->out, r->reasons[i]->id);
	json_end_array(a->out);
	json_key(a->out, "errors");
	json_begin_array(a->out);
	for (size_t i = 0; i < r->n_errors; i++)
		json_string(a->out, r->errors[i].policy->id);
	json_end_array(a->out);
	json_end_object(a->out);
}

static void put_failure(struct answer *a, const char *key, const char *why)
{
	json_key(a->out, key);
	json_begin_object(a->out);
	json_key_string(a->out, "failure", span_of(why));
	json_end_object(a->out);
}

/* One decision; schema may be NULL. */
static void answer_request(struct answer *a, const struct cedar_schema *schema,
			   const char *entities_key, const char *key)
{
	const struct json *j = json_get(a->document, "request");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_entities *entities = NULL;
	struct cedar_response response = { 0 };
	struct cedar_request request = { 0 };
	struct err err = { 0 };
	bool has_entities = cedar_entities_parse_json(raw(a, json_get(a->document, "entities")),
						      schema, &diags, &entities) == 0;

	json_key_bool(a->out, entities_key, has_entities);
	if (!has_entities) {
		put_failure(a, key, diags.len ? diags.items[0].message : "entities");
	} else if (!read_uid(json_get(j, "principal"), &request.principal) ||
		   !read_uid(json_get(j, "action"), &request.action) ||
		   !read_uid(json_get(j, "resource"), &request.resource) ||
		   cedar_context_parse_json(raw(a, json_get(j, "context")), schema, &request.action,
					    &a->arena, &diags, &request.context) < 0) {
		put_failure(a, key, diags.len ? diags.items[0].message : "request");
	} else if (schema && cedar_request_conform(schema, &request, &err) < 0) {
		put_failure(a, key, err.text);
	} else {
		struct cedar_entity_source source = cedar_entities_source(entities);

		if (cedar_authorize(a->policies, &request, &source, &a->arena, &response) < 0)
			put_failure(a, key, "limit");
		else
			put_response(a, key, &response);
	}
	cedar_entities_free(entities);
	cedar_diagnostics_done(&diags);
}

static void answer_expression(struct answer *a)
{
	struct span text = json_get_string(a->document, "expression");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e;

	json_key_bool(a->out, "expression", cedar_expr_parse(text, &a->arena, &diags, &e) == 0);
	cedar_diagnostics_done(&diags);
}

static void answer(struct answer *a)
{
	json_begin_object(a->out);
	answer_policies(a);
	answer_format(a);
	if (json_get(a->document, "schema"))
		answer_schema(a);
	if (json_get(a->document, "expression"))
		answer_expression(a);
	if (a->policies && a->schema)
		answer_validation(a);
	if (a->policies && json_get(a->document, "request")) {
		link_templates(a);
		answer_request(a, NULL, "entities", "authorize");
		if (a->schema)
			answer_request(a, a->schema, "entitiesWithSchema", "authorizeWithSchema");
	}
	json_end_object(a->out);
	cedar_schema_free(a->schema);
	cedar_policy_set_free(a->policies);
}

int main(void)
{
	static const struct json_options limits = { .max_depth = 1000, .max_members = SIZE_MAX };
	struct answer a = { 0 };
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&text, &cap, stdin)) > 0) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct json_writer w = { .out = &out };
		struct json *document;
		struct err err = { 0 };

		a.line = (struct span){ text, (size_t)len };
		a.out = &w;
		a.policies = NULL;
		a.schema = NULL;
		if (json_parse_with(&limits, &a.arena, a.line, &document, NULL, &err) < 0) {
			(void)fprintf(stderr, "bad case: %s\n", err.text);
			return 1;
		}
		a.document = document;
		answer(&a);
		(void)printf("%.*s\n", (int)out.len, out.data);
		(void)fflush(stdout);
		arena_reset(&a.arena);
	}
	xfree(text);
	arena_done(&a.arena);
	return 0;
}
