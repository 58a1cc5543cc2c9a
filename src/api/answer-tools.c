/*
 * Questions about policies: what a text would mean, were it the editable layer.
 */
#include <errno.h>

#include "api/handlers.h"
#include "api/operation.h"
#include "api/private.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "cedar/cedar-format.h"
#include "cedar/cedar.h"
#include "policy/difference.h"
#include "policy/json.h"
#include "policy/lint.h"
#include "policy/names.h"

/* Decisions of a comparison that are shown. */
#define MAX_DECISIONS 1000
#define MAX_CASES 1000

/* ---- Policies to ask --------------------------------------------------------------- */

void asked_done(struct asked *a)
{
	if (!a->is_own)
		return;
	policy_decider_free(a->decider);
	policy_unref(a->policy);
}

static int open_source(struct policy_source *s, uint64_t generation, struct asked *ret,
		       struct err *err)
{
	_cleanup_close_ int fd = policy_source_bundle(s, generation, err);
	struct policy *policy;
	int r = fd < 0 ? fd : policy_open(fd, &policy, err);

	if (r >= 0)
		*ret = (struct asked){ policy, policy_decider_new(0), /* is_own = */ true };
	return r;
}

int asked_open(struct policy_source *s, struct asked *ret, struct err *err)
{
	return open_source(s, 1, ret, err);
}

bool asked_in_force(struct api_call *c, struct asked *ret)
{
	struct api *a = c->api;
	struct asked fresh;
	struct api_facts f;
	struct err err = { 0 };

	f = api_describe(a);
	if (!a->policy || a->policy_generation != f.generation) {
		if (open_source(a->host.source(a->host.ctx), f.generation, &fresh, &err) < 0) {
			api_problem(c, 503, "%s", err.text);
			return false;
		}
		policy_decider_free(a->decider);
		policy_unref(a->policy);
		a->policy = fresh.policy;
		a->decider = fresh.decider;
		a->policy_generation = f.generation;
	}
	*ret = (struct asked){ a->policy, a->decider, /* is_own = */ false };
	return true;
}

/* As the editable layer. NULL: answered. */
static struct policy_source *load_text(struct api_call *c, struct span text)
{
	const struct api_change change = { .has_text = true, .text = text };
	_cleanup_(policy_findings_done) struct policy_findings list = { 0 };
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	struct policy_source *source = NULL;
	struct err err = { 0 };
	struct api *a = c->api;

	if (a->host.load(a->host.ctx, &change, &list, &report, &source, &err) >= 0)
		return source;
	policies_refuse(c, &list, &err);
	return NULL;
}

bool asked_with(struct api_call *c, const struct json *text, struct asked *ret)
{
	struct policy_source *source;
	struct err err = { 0 };
	int r;

	if (!text)
		return asked_in_force(c, ret);
	source = load_text(c, text->text);
	if (!source)
		return false;
	r = asked_open(source, ret, &err);
	policy_source_free(source);
	if (r < 0)
		api_problem(c, 503, "%s", err.text);
	return r >= 0;
}

/* ---- Validate ---------------------------------------------------------------------- */

struct counts {
	uint64_t opens[2], execs[2], connects[2];
	bool allows_all;
};

static void count_policy(struct counts *n, const struct cedar_policy *p)
{
	for (size_t i = 0; i < p->action.n_uids; i++) {
		int action = action_index(p->action.uids[i].id);

		if (action == ACTION_FILE_OPEN || action_is_below(action, ACTION_FILE_OPEN))
			n->opens[p->is_forbid]++;
		else if (action == POLICY_PROCESS_EXEC)
			n->execs[p->is_forbid]++;
		else if (action == POLICY_NETWORK_CONNECT)
			n->connects[p->is_forbid]++;
		n->allows_all |= !p->is_forbid && action == POLICY_NETWORK_CONNECT &&
				 p->n_conditions == 0 &&
				 (p->resource.op == CEDAR_SCOPE_ANY ||
				  (p->resource.n_uids && span_eq_str(p->resource.uids[0].id, "*")));
	}
}

/* What the earlier API answered: how many of what, and the lint. */
static void json_earlier(struct json_writer *w, struct span text,
			 const struct policy_findings *list)
{
	struct cedar_diagnostics found = { 0 };
	struct cedar_policy_set *set = NULL;
	struct counts n = { 0 };

	if (cedar_policy_set_parse(text, &found, &set) >= 0)
		for (size_t i = 0; i < cedar_policy_set_len(set); i++)
			count_policy(&n, cedar_policy_set_at(set, i));
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&found);
	json_key_uint(w, "allowOpen", n.opens[0]);
	json_key_uint(w, "allowExec", n.execs[0]);
	json_key_uint(w, "allowConnect", n.connects[0]);
	json_key_uint(w, "denyOpen", n.opens[1]);
	json_key_uint(w, "denyExec", n.execs[1]);
	json_key_uint(w, "denyConnect", n.connects[1]);
	json_key_bool(w, "allowAllConnect", n.allows_all);
	json_key(w, "issues");
	json_begin_array(w);
	for (size_t i = 0; i < list->len; i++) {
		const struct policy_finding *f = &list->items[i];

		json_begin_object(w);
		json_key_string(w, "policyId", span_of(f->policy));
		json_key_string(w, "severity", f->is_error ? SPAN("error") : SPAN("warning"));
		json_key_string(w, "code", span_of(f->code));
		json_key_string(w, "message", span_of(f->message));
		json_key_string(w, "suggestion", span_of(f->suggestion));
		json_end_object(w);
	}
	json_end_array(w);
}

static void validate(struct api_call *c, struct span text, bool is_earlier)
{
	const struct api_change change = { .has_text = true, .text = text };
	_cleanup_(policy_findings_done) struct policy_findings list = { 0 };
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	struct policy_source *source = NULL;
	struct err err = { 0 };
	struct api *a = c->api;
	int r = a->host.load(a->host.ctx, &change, &list, &report, &source, &err);
	struct json_writer *w = api_answer_json(c, 200);

	json_begin_object(w);
	json_key_bool(w, "valid", r >= 0);
	json_key_uint(w, "policies", source ? policy_source_len(source) : 0);
	json_key(w, "findings");
	api_json_findings(w, &list);
	/* What is no finding: a file that cannot be read, one without a policy. */
	if (r < 0 && !list.len)
		json_key_string(w, "error", span_of(err.text));
	if (is_earlier)
		json_earlier(w, text, &list);
	json_end_object(w);
	policy_source_free(source);
}

void answer_validate(struct api_call *c)
{
	const struct json *text = NULL, *cedar = NULL;
	const struct api_key keys[] = { { "text", JSON_STRING, false, &text },
					{ "cedar", JSON_STRING, false, &cedar } };

	if (!api_query_is_empty(c) || (!c->is_text && !api_read_body(c, keys, ARRAY_SIZE(keys))))
		return;
	if (c->is_text)
		validate(c, c->body, true);
	else if (!text == !cedar)
		api_problem_key(c, SPAN("text"), "text is missing");
	else
		validate(c, text ? text->text : cedar->text, cedar != NULL);
}

/* ---- Format ------------------------------------------------------------------------ */

static void refuse_text(struct api_call *c, struct span text, const struct cedar_diagnostics *found)
{
	_cleanup_(policy_findings_done) struct policy_findings list = { 0 };
	struct cedar_positions positions = { .text = text };
	const struct lint_sink sink = { .file = "text", .text = &positions, .list = &list };

	for (size_t i = 0; i < found->len; i++)
		lint_list_one(&found->items[i], &sink);
	cedar_positions_done(&positions);
	api_problem_findings(c, &list, "the text cannot be laid out");
}

void answer_format(struct api_call *c)
{
	const struct cedar_format_options layout = CEDAR_FORMAT_DEFAULT;
	_cleanup_buf_ struct buf out = BUF_INIT(LIMIT_API_REPLY);
	struct cedar_diagnostics found = { 0 };
	const struct json *text;
	const struct api_key keys[] = { { "text", JSON_STRING, true, &text } };
	struct json_writer *w;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	if (cedar_format(text->text, &layout, &found, &out) < 0) {
		refuse_text(c, text->text, &found);
	} else {
		w = api_answer_json(c, 200);
		json_begin_object(w);
		json_key_string(w, "text", buf_span(&out));
		json_key_bool(w, "formatted", span_eq(buf_span(&out), text->text));
		json_end_object(w);
	}
	cedar_diagnostics_done(&found);
}

/* ---- Explain and test ---------------------------------------------------------------- */

/* An operation as JSON names it. */
struct operation_keys {
	const struct json *operation, *object, *exe, *comm, *cwd, *ancestors, *argv, *host,
		*headers;
};

#define OPERATION_KEYS(k)                                                                          \
	{ "operation", JSON_STRING, false, &(k).operation },                                       \
		{ "object", JSON_STRING, false, &(k).object },                                     \
		{ "exe", JSON_STRING, false, &(k).exe },                                           \
		{ "comm", JSON_STRING, false, &(k).comm },                                         \
		{ "cwd", JSON_STRING, false, &(k).cwd },                                           \
		{ "ancestors", JSON_ARRAY, false, &(k).ancestors },                                \
		{ "argv", JSON_ARRAY, false, &(k).argv },                                          \
		{ "host", JSON_STRING, false, &(k).host },                                         \
	{                                                                                          \
		"headers", JSON_ARRAY, false, &(k).headers                                         \
	}

/* Text of JSON as a C string in the arena, or NULL: it has a NUL in it. */
static const char *c_string(struct api_call *c, const struct json *value)
{
	if (!value || value->type != JSON_STRING ||
	    memchr(value->text.p ? value->text.p : "", 0, value->text.len))
		return NULL;
	return arena_dup(&c->arena, value->text);
}

static int add_fact(struct api_call *c, struct operation *o, enum policy_fact fact,
		    const struct json *value, struct err *err)
{
	const char *text = value ? c_string(c, value) : "";

	if (!text)
		return err_say(err, -EINVAL, "a fact must be a text without NUL");
	if (value)
		operation_add_fact(o, fact, text);
	return 0;
}

static int add_facts(struct api_call *c, struct operation *o, enum policy_fact fact,
		     const struct json *list, struct err *err)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next)
		if (add_fact(c, o, fact, item, err) < 0)
			return -EINVAL;
	return 0;
}

static int add_headers(struct api_call *c, struct operation *o, const struct json *list,
		       struct err *err)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
		const char *text = c_string(c, item);

		if (!text)
			return err_say(err, -EINVAL, "a header must be a text without NUL");
		if (operation_add_header(o, text, err) < 0)
			return -EINVAL;
	}
	return 0;
}

/* o is to be done in any case. */
static int read_operation(struct api_call *c, const struct operation_keys *k, struct operation *o,
			  struct err *err)
{
	struct api_facts f;
	const char *verb = c_string(c, k->operation), *object = c_string(c, k->object);
	const char *host = k->host ? c_string(c, k->host) : NULL;
	int r;

	*o = (struct operation){ 0 };
	f = api_describe(c->api);
	if (!verb || !object || !object[0] || (k->host && !host))
		return err_say(err, -EINVAL, "operation and object are texts without NUL");
	r = operation_parse(o, verb, object, f.home, f.workspace, err);
	if (r >= 0)
		r = add_fact(c, o, POLICY_FACT_EXE, k->exe, err);
	if (r >= 0)
		r = add_fact(c, o, POLICY_FACT_COMM, k->comm, err);
	if (r >= 0)
		r = add_fact(c, o, POLICY_FACT_CWD, k->cwd, err);
	if (r >= 0)
		r = add_facts(c, o, POLICY_FACT_ANCESTORS, k->ancestors, err);
	if (r >= 0)
		r = add_facts(c, o, POLICY_FACT_ARGV, k->argv, err);
	if (r >= 0)
		r = add_headers(c, o, k->headers, err);
	return r >= 0 && host ? operation_set_host(o, host, err) : r;
}

static void answer_decision(struct api_call *c, const struct policy *p,
			    const struct policy_request *r, const struct policy_decision *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_API_REPLY);
	struct json_writer *w = api_answer_json(c, 200);

	(void)policy_explain(p, r, d, /* color = */ false, &text);
	json_begin_object(w);
	policy_json_explanation(w, p, r, d);
	json_key_string(w, "text", buf_span(&text));
	json_end_object(w);
}

static void explain(struct api_call *c, struct operation *o, const struct json *text)
{
	_cleanup_(asked_done) struct asked a = { 0 };
	struct policy_decision d;

	if (!asked_with(c, text, &a))
		return;
	policy_decide(a.decider, a.policy, &o->request, &d);
	answer_decision(c, a.policy, &o->request, &d);
}

void answer_explain(struct api_call *c)
{
	struct operation_keys k;
	const struct json *seq, *session, *text;
	const struct api_key keys[] = { OPERATION_KEYS(k),
					{ "seq", JSON_NUMBER, false, &seq },
					{ "session", JSON_STRING, false, &session },
					{ "text", JSON_STRING, false, &text } };
	_cleanup_operation_ struct operation o = { 0 };
	struct err err = { 0 };
	uint64_t n = 0;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)) ||
	    !api_read_uint(c, seq, "seq", INT64_MAX, &n))
		return;
	if (!seq == !(k.operation && k.object)) {
		api_problem_key(c, SPAN("operation"), "there must be operation and object, or seq");
		return;
	}
	if (session && !seq) {
		api_problem_key(c, SPAN("session"), "a session is for seq, one of its events");
		return;
	}
	if (seq) {
		if (recorded_operation(c, session ? session->text : (struct span){ 0 }, n, &o))
			explain(c, &o, text);
	} else if (read_operation(c, &k, &o, &err) < 0) {
		api_problem(c, 400, "%s", err.text);
	} else {
		explain(c, &o, text);
	}
}

/* One case of POST /test. */
struct test_case {
	struct operation_keys k;
	const struct json *name, *expect, *by;
};

/* Are all policies that must decide among those that did? */
static bool are_named(struct api_call *c, const struct policy_decision *d, const struct json *by)
{
	for (const struct json *id = by ? by->first : NULL; id; id = id->next) {
		const char *name = c_string(c, id);

		if (!name || !policy_decision_names(d, name))
			return false;
	}
	return true;
}

static bool test_one(struct api_call *c, struct asked *a, const struct test_case *t,
		     struct json_writer *w)
{
	_cleanup_operation_ struct operation o = { 0 };
	struct policy_decision d = { 0 };
	struct err err = { 0 };
	bool is_good = false;
	int r = read_operation(c, &t->k, &o, &err);

	json_begin_object(w);
	if (t->name)
		json_key_string(w, "name", t->name->text);
	json_key_string(w, "operation", t->k.operation->text);
	json_key_string(w, "object", t->k.object->text);
	json_key_string(w, "expected", t->expect->text);
	if (r >= 0) {
		policy_decide(a->decider, a->policy, &o.request, &d);
		is_good = span_eq_str(t->expect->text, policy_verdict_name(d.verdict)) &&
			  are_named(c, &d, t->by);
		policy_json_decision(w, &d);
	} else {
		json_key_string(w, "error", span_of(err.text));
	}
	json_key_bool(w, "passed", is_good);
	json_end_object(w);
	return is_good;
}

/* Operation and object must be there; expect is allow or deny. False: answered. */
static bool read_case(struct api_call *c, const struct json *item, struct test_case *t)
{
	const struct api_key keys[] = { OPERATION_KEYS(t->k),
					{ "name", JSON_STRING, false, &t->name },
					{ "expect", JSON_STRING, true, &t->expect },
					{ "by", JSON_ARRAY, false, &t->by } };

	if (!api_read_object(c, item, "a case", keys, ARRAY_SIZE(keys)))
		return false;
	if (t->k.operation && t->k.object &&
	    (span_eq_str(t->expect->text, "allow") || span_eq_str(t->expect->text, "deny")))
		return true;
	api_problem_key(c, t->k.operation && t->k.object ? SPAN("expect") : SPAN("operation"),
			"a case has operation, object, and expect: allow or deny");
	return false;
}

static void test(struct api_call *c, struct asked *a, const struct json *cases)
{
	struct json_writer *w = api_answer_json(c, 200);
	uint64_t n_passed = 0, n = 0;

	json_begin_object(w);
	json_key(w, "cases");
	json_begin_array(w);
	for (const struct json *item = cases->first; item; item = item->next, n++) {
		struct test_case t;

		/* Was read before, so it can be. */
		if (!read_case(c, item, &t))
			return;
		n_passed += test_one(c, a, &t, w);
	}
	json_end_array(w);
	json_key_uint(w, "passed", n_passed);
	json_key_uint(w, "failed", n - n_passed);
	json_end_object(w);
}

void answer_test(struct api_call *c)
{
	_cleanup_(asked_done) struct asked a = { 0 };
	const struct json *cases, *text;
	const struct api_key keys[] = { { "cases", JSON_ARRAY, true, &cases },
					{ "text", JSON_STRING, false, &text } };
	size_t n = 0;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	for (const struct json *item = cases->first; item; item = item->next) {
		struct test_case t;

		if (!read_case(c, item, &t))
			return;
		if (++n > MAX_CASES) {
			api_problem_key(c, SPAN("cases"), "there may be %d cases", MAX_CASES);
			return;
		}
	}
	if (asked_with(c, text, &a))
		test(c, &a, cases);
}

/* ---- Diff -------------------------------------------------------------------------- */

static void breathe(void *ctx)
{
	struct api *a = ctx;

	a->host.breathe(a->host.ctx);
}

static void diff(struct api_call *c, struct policy_source *next)
{
	const struct difference_options options = { MAX_DECISIONS, breathe, c->api };
	_cleanup_(asked_done) struct asked then = { 0 };
	struct difference_side before, after;
	struct comparison result;
	struct err err = { 0 };
	struct json_writer *w;
	struct asked now;

	if (!asked_in_force(c, &now))
		return;
	if (asked_open(next, &then, &err) < 0) {
		api_problem(c, 503, "%s", err.text);
		return;
	}
	before = (struct difference_side){ c->api->host.source(c->api->host.ctx), now.policy };
	after = (struct difference_side){ next, then.policy };
	w = api_answer_json(c, 200);
	json_begin_object(w);
	difference_json(w, &before, &after, &options, &result);
	json_end_object(w);
}

void answer_diff(struct api_call *c)
{
	const struct json *text;
	const struct api_key keys[] = { { "text", JSON_STRING, true, &text } };
	struct policy_source *next;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	next = load_text(c, text->text);
	if (next)
		diff(c, next);
	policy_source_free(next);
}
