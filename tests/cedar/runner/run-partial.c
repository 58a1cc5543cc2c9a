/*
 * Partial evaluation as the reference does it: the decision, which policies are
 * decided how, what is left of each as JSON and as text. And what follows from
 * the meaning: the residuals, completed with the request's unknown parts,
 * decide as the policies themselves do.
 */
#include <stdio.h>

#include "cedar/cedar-json.h"
#include "cedar/cedar-partial.h"
#include "cedar/cedar-schema.h"
#include "runner.h"

struct partial_test {
	struct runner *r;
	struct json_view line, test, answer;
	struct cedar_diagnostics diags;
	struct cedar_schema *schema;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_partial_request request;
	struct cedar_partial_response response;
};

static struct span string(const struct partial_test *t, struct json_view object, const char *key)
{
	return json_view_string(json_view_get(object, key), &t->r->arena);
}

static struct cedar_partial_uid uid_of(const struct partial_test *t, struct json_view object, const char *key)
{
	struct json_view uid = json_view_get(object, key);

	return (struct cedar_partial_uid){
		.type = string(t, uid, "type"),
		.has_id = json_view_get(uid, "id").raw.len,
		.id = string(t, uid, "id"),
	};
}

static struct cedar_entity_uid whole_uid(const struct partial_test *t, struct json_view object, const char *key)
{
	struct cedar_partial_uid uid = uid_of(t, object, key);

	return (struct cedar_entity_uid){ uid.type, uid.id };
}

static int read_test(struct partial_test *t)
{
	struct json_view context = json_view_get(t->line, "context");

	if (cedar_schema_parse(string(t, t->test, "schema"), &t->diags, &t->schema) < 0 ||
	    cedar_policy_set_parse(string(t, t->test, "policies"), &t->diags, &t->set) < 0 ||
	    cedar_entities_parse_json(json_view_get(t->test, "entities").raw, t->schema, &t->diags, &t->entities) < 0)
		return -1;
	t->request.principal = uid_of(t, t->line, "principal");
	t->request.resource = uid_of(t, t->line, "resource");
	t->request.action = whole_uid(t, t->line, "action");
	if (json_view_is_null(context))
		return 0;
	return cedar_context_parse_json(context.raw, t->schema, &t->request.action, &t->r->arena, &t->diags,
					&t->request.context);
}

static bool is_listed(const struct partial_test *t, const struct cedar_residual *residual)
{
	static const char *const keys[][2] = {
		[CEDAR_RESIDUAL_FALSE] = { "falsePermits", "falseForbids" },
		[CEDAR_RESIDUAL_TRUE] = { "truePermits", "trueForbids" },
		[CEDAR_RESIDUAL_ERROR] = { "errorPermits", "errorForbids" },
		[CEDAR_RESIDUAL_OPEN] = { "residualPermits", "residualForbids" },
	};
	struct json_walk w = json_walk(json_view_get(t->answer, keys[residual->kind][residual->of->is_forbid]));
	struct json_view id;

	while (json_walk_next(&w, NULL, &id))
		if (span_eq(json_view_string(id, &t->r->arena), residual->of->id))
			return true;
	return false;
}

/* Their text has more parentheses than ours, so what it says is compared; error() is no text that parses. */
static void check_residual_text(const struct partial_test *t, struct span text, struct span json)
{
	_cleanup_buf_ struct buf theirs = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	if (memmem(text.p, text.len, "error()", strlen("error()")))
		return;
	if (check(t->r, cedar_policy_set_parse(text, &diags, &set) == 0, "the residual's text does not parse") &&
	    cedar_policy_print_json(cedar_policy_set_at(set, 0), &theirs) == 0)
		(void)check(t->r, json_view_eq(json_view_of(buf_span(&theirs)), json_view_of(json), &t->r->arena),
			    "the residual's text says something else");
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
}

static void check_residual(const struct partial_test *t, const struct cedar_residual *residual)
{
	struct json_walk w = json_walk(json_view_get(t->answer, "policies"));
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	struct json_view policy, est;
	struct span key;

	(void)check(t->r, is_listed(t, residual), "the policy must not be of kind %d", (int)residual->kind);
	while (json_walk_next(&w, &key, &policy) && !span_eq(json_view_unescape(key, &t->r->arena), residual->of->id))
		;
	est = json_view_get(policy, "est");
	if (!check(t->r, cedar_policy_print_json(residual->policy, &json) == 0, "the residual cannot be written"))
		return;
	if (json_view_eq(json_view_of(buf_span(&json)), est, &t->r->arena))
		(void)check(t->r, true, " ");
	else
		(void)check_text(t->r, buf_span(&json), est.raw, "the residual");
	check_residual_text(t, string(t, policy, "text"), buf_span(&json));
}

static bool is_same_response(const struct cedar_response *a, const struct cedar_response *b)
{
	if (a->allow != b->allow || a->n_reasons != b->n_reasons || a->n_errors != b->n_errors)
		return false;
	for (size_t i = 0; i < a->n_reasons; i++)
		if (a->reasons[i] != b->reasons[i])
			return false;
	for (size_t i = 0; i < a->n_errors; i++)
		if (a->errors[i].policy != b->errors[i].policy)
			return false;
	return true;
}

/* What was unknown is as in the first request of the test. */
static void check_completed(struct partial_test *t)
{
	struct json_walk w = json_walk(json_view_get(t->test, "requests"));
	struct cedar_entity_source source = cedar_entities_source(t->entities);
	struct cedar_request whole = { .context = t->request.context };
	struct cedar_response direct, completed;
	struct arena *arena = &t->r->arena;
	struct json_view request;

	if (!json_walk_next(&w, NULL, &request))
		return;
	whole.principal = whole_uid(t, request, "principal");
	whole.action = t->request.action;
	whole.resource = whole_uid(t, request, "resource");
	if (!whole.context && cedar_context_parse_json(json_view_get(request, "context").raw, t->schema, &whole.action,
						       arena, &t->diags, &whole.context) < 0)
		return;
	if (!check(t->r,
		   cedar_authorize(t->set, &whole, &source, arena, &direct) == 0 &&
			   cedar_partial_complete(&t->response, &whole, &source, arena, &completed) == 0,
		   "cannot be decided"))
		return;
	(void)check(t->r, is_same_response(&direct, &completed), "the completed residuals decide differently");
	if (t->response.decision != CEDAR_PARTIAL_UNKNOWN)
		(void)check(t->r, direct.allow == (t->response.decision == CEDAR_PARTIAL_ALLOW),
			    "the partial decision is wrong");
}

static void run_test(struct partial_test *t)
{
	static const char *const decisions[] = { "deny", "unknown", "allow" };
	struct cedar_partial_source source = cedar_partial_entities(t->entities);
	struct json_view decision = json_view_get(t->answer, "decision");
	struct span wanted = json_view_is_null(decision) ? SPAN("unknown") : json_view_string(decision, &t->r->arena);
	struct err err = { 0 };

	if (!check(t->r,
		   cedar_partial_authorize(t->set, t->schema, &t->request, &source, &t->r->arena, &t->response, &err) == 0,
		   "cannot be evaluated: %s", err.text))
		return;
	(void)check(t->r, span_eq_str(wanted, decisions[t->response.decision]), "decides %s, must be %.*s",
		    decisions[t->response.decision], SPAN_ARG(wanted));
	for (size_t i = 0; i < t->response.n_residuals; i++)
		check_residual(t, &t->response.residuals[i]);
	check_completed(t);
}

void run_partial(struct runner *r, struct json_view line)
{
	struct partial_test t = { .r = r, .line = line, .answer = json_view_get(line, "ans") };
	struct span name = string(&t, line, "test");

	if (span_ends_with(name, SPAN(".json")))
		name.len -= strlen(".json");
	t.test = corpus_line(r, name);
	if (!t.test.raw.len)
		skip(r, 1, "the corpus is not beside this pack");
	else if (check(r, read_test(&t) == 0, "cannot be read: %s", t.diags.len ? t.diags.items[0].message : ""))
		run_test(&t);
	cedar_entities_free(t.entities);
	cedar_policy_set_free(t.set);
	cedar_schema_free(t.schema);
	cedar_diagnostics_done(&t.diags);
}
