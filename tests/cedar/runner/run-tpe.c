/*
 * Partial evaluations of the corpus' tests: with the principal, the resource,
 * the context, all or none of them unknown. Decision, what each policy came to,
 * and what is left of it, as JSON and as text.
 */
#include <string.h>

#include "cedar/cedar-json.h"
#include "cedar/cedar-partial.h"
#include "runner.h"

struct state {
	struct runner *runner;
	struct json_view line;
	struct cedar_policy_set *policies;
	struct cedar_schema *schema;
	struct cedar_entities *entities;
	struct cedar_partial_request request;
};

static struct span text_of(const struct state *s, struct json_view object, const char *member)
{
	return json_view_string(json_view_get(object, member), &s->runner->arena);
}

static struct cedar_partial_uid subject(const struct state *s, const char *member)
{
	struct json_view j = json_view_get(s->line, member);

	return (struct cedar_partial_uid){ text_of(s, j, "type"),
					   json_view_get(j, "id").raw.len != 0,
					   text_of(s, j, "id") };
}

/* False after a failure, which is counted. */
static bool load(struct state *s, struct json_view test)
{
	struct json_view context = json_view_get(s->line, "context");
	struct json_view action = json_view_get(s->line, "action");
	struct arena *arena = &s->runner->arena;
	struct cedar_diagnostics diags = { 0 };
	int result = cedar_policy_set_parse(text_of(s, test, "policies"), &diags, &s->policies);

	if (result == 0)
		result = cedar_schema_parse(text_of(s, test, "schema"), &diags, &s->schema);
	if (result == 0)
		result = cedar_entities_parse_json(json_view_get(test, "entities").raw, s->schema,
						   &diags, &s->entities);
	s->request.action =
		(struct cedar_entity_uid){ text_of(s, action, "type"), text_of(s, action, "id") };
	if (result == 0 && !json_view_is_null(context))
		result = cedar_context_parse_json(context.raw, s->schema, &s->request.action, arena,
						  &diags, &s->request.context);
	s->request.principal = subject(s, "principal");
	s->request.resource = subject(s, "resource");
	if (result < 0)
		(void)check(s->runner, false, "refused: %s",
			    diags.len ? diags.items[0].message : strerror(-result));
	cedar_diagnostics_done(&diags);
	return result == 0;
}

static bool has_id(const struct state *s, struct json_view list, struct span id)
{
	struct json_walk w = json_walk(list);
	struct json_view v;

	while (json_walk_next(&w, NULL, &v))
		if (span_eq(json_view_string(v, &s->runner->arena), id))
			return true;
	return false;
}

/* The list of the answer in which such a residual must be. */
static const char *list_of(const struct cedar_residual *r)
{
	static const char *const names[][2] = {
		[CEDAR_RESIDUAL_FALSE] = { "falsePermits", "falseForbids" },
		[CEDAR_RESIDUAL_TRUE] = { "truePermits", "trueForbids" },
		[CEDAR_RESIDUAL_ERROR] = { "errorPermits", "errorForbids" },
		[CEDAR_RESIDUAL_OPEN] = { "residualPermits", "residualForbids" },
	};

	return names[r->kind][r->of->is_forbid];
}

static void check_residual(struct state *s, const struct cedar_residual *r, struct json_view answer)
{
	struct json_view wanted = json_view_get(answer, "policies");
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct json_walk w = json_walk(wanted);
	struct span key;

	if (!check(s->runner, has_id(s, json_view_get(answer, list_of(r)), r->of->id),
		   "`%.*s` must not be one of %s", SPAN_ARG(r->of->id), list_of(r)))
		return;
	while (json_walk_next(&w, &key, &wanted))
		if (span_eq(json_view_unescape(key, &s->runner->arena), r->of->id))
			break;
	if (cedar_policy_print_json(r->policy, &json) < 0 ||
	    cedar_policy_print(r->policy, &text) < 0)
		(void)check(s->runner, false, "the residual cannot be printed");
	else if (!json_view_eq(json_view_of(buf_span(&json)), json_view_get(wanted, "est"),
			       &s->runner->arena))
		(void)check_text(s->runner, buf_span(&json), json_view_get(wanted, "est").raw,
				 "the residual");
	else
		(void)check(s->runner, true, " ");
}

static void check_answer(struct state *s, struct json_view answer)
{
	static const char *const decisions[] = { [CEDAR_PARTIAL_DENY] = "\"deny\"",
						 [CEDAR_PARTIAL_UNKNOWN] = "null",
						 [CEDAR_PARTIAL_ALLOW] = "\"allow\"" };
	struct cedar_partial_source source = cedar_partial_entities(s->entities);
	struct cedar_partial_response response = { 0 };
	struct err err = { 0 };

	if (cedar_partial_authorize(s->policies, s->schema, &s->request, &source, &s->runner->arena,
				    &response, &err) < 0) {
		(void)check(s->runner, false, "refused: %s", err.text);
		return;
	}
	(void)check(s->runner,
		    json_view_is(json_view_get(answer, "decision"), decisions[response.decision]),
		    "%s, must be %.*s", decisions[response.decision],
		    SPAN_ARG(json_view_get(answer, "decision").raw));
	for (size_t i = 0; i < response.n_residuals; i++)
		check_residual(s, &response.residuals[i], answer);
}

void run_tpe(struct runner *r, struct json_view line)
{
	struct state s = { .runner = r, .line = line };
	struct span id = text_of(&s, line, "test");
	struct json_view test;

	if (span_ends_with(id, SPAN(".json")))
		id.len -= 5;
	test = corpus_line(r, id);
	if (!test.raw.len)
		skip(r, 1, "the corpus is not beside this pack");
	else if (load(&s, test))
		check_answer(&s, json_view_get(line, "ans"));
	cedar_entities_free(s.entities);
	cedar_schema_free(s.schema);
	cedar_policy_set_free(s.policies);
}
