#include "integration.h"

#include <errno.h>
#include <string.h>

#include "cedar/cedar-conform.h"
#include "cedar/cedar-json.h"
#include "cedar/cedar-program.h"
#include "cedar/cedar-schema.h"
#include "cedar/cedar-validate.h"

struct state {
	struct runner *runner;
	const struct integration_test *test;
	struct cedar_policy_set *policies;
	struct cedar_schema *schema;
	struct cedar_entities *entities;
	/* The same policies compiled, which must answer alike. */
	struct cedar_program *program;
	struct cedar_store *store;
};

static const char *said(const struct cedar_diagnostics *diags, int result)
{
	return diags->len ? diags->items[0].message : strerror(-result);
}

/* False after a failure, which is counted. */
static bool load(struct state *s)
{
	const struct integration_test *t = s->test;
	struct cedar_diagnostics diags = { 0 };
	const char *what = "policies";
	int result = t->is_policies_json
			     ? cedar_policy_set_parse_json(t->policies, &diags, &s->policies)
			     : cedar_policy_set_parse(t->policies, &diags, &s->policies);

	if (result == 0) {
		what = "schema";
		result = t->is_schema_json ? cedar_schema_parse_json(t->schema, &diags, &s->schema)
					   : cedar_schema_parse(t->schema, &diags, &s->schema);
	}
	if (result == 0) {
		what = "entities";
		result = cedar_entities_parse_json(t->entities, s->schema, &diags, &s->entities);
	}
	if (result == 0) {
		what = "program";
		result = cedar_program_compile(s->policies, &s->program, NULL);
	}
	if (result == 0)
		result = cedar_store_new(s->program, s->entities, &s->store, NULL);
	if (result < 0)
		(void)check(s->runner, false, "%.*s: %s refused: %s", SPAN_ARG(t->id), what,
			    said(&diags, result));
	cedar_diagnostics_done(&diags);
	return result == 0;
}

static void check_validation(struct state *s)
{
	struct cedar_diagnostics diags = { 0 };
	bool ok = cedar_validate(s->policies, s->schema, NULL, &diags) == 0;

	(void)check(s->runner, ok == s->test->should_validate, "%.*s: validation must %s%s%s",
		    SPAN_ARG(s->test->id), s->test->should_validate ? "pass" : "fail",
		    diags.len ? ": " : "", diags.len ? diags.items[0].message : "");
	cedar_diagnostics_done(&diags);
}

static bool read_uid(struct json_view j, struct arena *arena, struct cedar_entity_uid *ret)
{
	ret->type = json_view_string(json_view_get(j, "type"), arena);
	ret->id = json_view_string(json_view_get(j, "id"), arena);
	return json_view_is_string(json_view_get(j, "type"));
}

/* Do the policies' ids equal the JSON strings, as sets? */
static bool same_ids(struct json_view wanted, const struct cedar_policy *const *got, size_t n,
		     struct arena *arena)
{
	struct json_walk w = json_walk(wanted);
	struct json_view id;

	if (json_view_len(wanted) != n)
		return false;
	while (json_walk_next(&w, NULL, &id)) {
		struct span text = json_view_string(id, arena);
		bool is_there = false;

		for (size_t i = 0; i < n && !is_there; i++)
			is_there = span_eq(got[i]->id, text);
		if (!is_there)
			return false;
	}
	return true;
}

static bool same_response(const struct cedar_response *got, struct json_view wanted,
			  struct arena *arena)
{
	const struct cedar_policy **erred =
		arena_alloc_array(arena, got->n_errors + 1, sizeof(*erred));

	for (size_t i = 0; i < got->n_errors; i++)
		erred[i] = got->errors[i].policy;
	return span_eq_str(json_view_string(json_view_get(wanted, "decision"), arena),
			   got->allow ? "allow" : "deny") &&
	       same_ids(json_view_get(wanted, "reason"), got->reasons, got->n_reasons, arena) &&
	       same_ids(json_view_get(wanted, "errors"), erred, got->n_errors, arena);
}

static void check_request(struct state *s, struct json_view j, size_t number)
{
	struct cedar_entity_source source = cedar_entities_source(s->entities);
	struct arena *arena = &s->runner->arena;
	struct cedar_diagnostics diags = { 0 };
	struct cedar_response response = { 0 };
	struct cedar_response compiled = { 0 };
	struct cedar_request request = { 0 };
	struct err err = { 0 };
	int result = 0;

	if (!read_uid(json_view_get(j, "principal"), arena, &request.principal) ||
	    !read_uid(json_view_get(j, "action"), arena, &request.action) ||
	    !read_uid(json_view_get(j, "resource"), arena, &request.resource))
		result = -EINVAL;
	if (result == 0)
		result = cedar_context_parse_json(json_view_get(j, "context").raw, s->schema,
						  &request.action, arena, &diags, &request.context);
	if (result == 0 && !json_view_is(json_view_get(j, "validateRequest"), "false"))
		result = cedar_request_conform(s->schema, &request, &err);
	if (result == 0)
		result = cedar_authorize(s->policies, &request, &source, arena, &response);
	if (result == 0)
		result = cedar_program_authorize(s->store, &request, NULL, s->runner->machine,
						 &compiled);
	if (result < 0)
		(void)check(s->runner, false, "%.*s: request %zu refused: %s",
			    SPAN_ARG(s->test->id), number,
			    err.code ? err.text : said(&diags, result));
	else if (!same_response(&compiled, j, arena))
		(void)check(
			s->runner, false,
			"%.*s: request %zu, compiled: %s, %zu reasons, %zu errors; must be %.*s",
			SPAN_ARG(s->test->id), number, compiled.allow ? "allow" : "deny",
			compiled.n_reasons, compiled.n_errors, SPAN_ARG(j.raw));
	else
		(void)check(s->runner, same_response(&response, j, arena),
			    "%.*s: request %zu: %s, %zu reasons, %zu errors; must be %.*s",
			    SPAN_ARG(s->test->id), number, response.allow ? "allow" : "deny",
			    response.n_reasons, response.n_errors, SPAN_ARG(j.raw));
	cedar_diagnostics_done(&diags);
}

void integration_run(struct runner *r, const struct integration_test *test)
{
	struct state s = { .runner = r, .test = test };
	struct json_walk w = json_walk(test->requests);
	struct json_view request;
	size_t n = 0;

	if (load(&s)) {
		check_validation(&s);
		for (size_t i = 0; i < cedar_policy_set_len(s.policies); i++)
			(void)survives_json(r, cedar_policy_set_at(s.policies, i));
		while (json_walk_next(&w, NULL, &request))
			check_request(&s, request, n++);
	}
	cedar_store_free(s.store);
	cedar_program_free(s.program);
	cedar_entities_free(s.entities);
	cedar_schema_free(s.schema);
	cedar_policy_set_free(s.policies);
}
