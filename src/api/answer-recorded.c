/*
 * Policies made of what was recorded.
 */
#include <errno.h>

#include "api/handlers.h"
#include "api/private.h"
#include "api/recorded.h"
#include "api/replay.h"
#include "base/limits.h"
#include "event/store.h"
#include "policy/suggest.h"

/* Records that are looked at, the newest; and seqs that are named of those that fit. */
#define MAX_LOOKED_AT 20000
#define MAX_CHANGES 1000 /* of a replay: paths are long, and the answer is not to be */
#define MAX_SEQS 100
/* Between two looks at what else there is to do. */
#define BREATHE_RECORDS 500

struct one {
	struct operation *operation;
	int result;
};

static int on_one(const struct event_record *r, void *ctx)
{
	struct one *one = ctx;

	one->result = recorded_make(&r->event, one->operation);
	return 1;
}

bool recorded_operation(struct api_call *c, struct span session, uint64_t seq,
			struct operation *ret)
{
	_cleanup_event_reader_ struct event_reader *own = NULL;
	struct event_query q = { .filter = { .since_seq = seq - 1, .until_seq = seq }, .limit = 1 };
	struct one one = { .operation = ret, .result = -ENODATA };
	struct event_reader *reader = seq ? api_events_of(c, session, &own) : NULL;
	struct err err = { 0 };

	if (seq && !reader)
		return false;
	if (seq && event_reader_query(reader, &q, on_one, &one, &err) < 0)
		api_problem(c, 503, "%s", err.text);
	else if (one.result == -ENODATA)
		api_problem(c, 404, "there is no event %llu", (unsigned long long)seq);
	else if (one.result < 0)
		api_problem(c, 409, "the event %llu is nothing that a policy decides",
			    (unsigned long long)seq);
	return c->status == 0;
}

/* ---- What a policy covers ---------------------------------------------------------------- */

struct covering {
	struct api *api;
	struct asked alone;  /* a permit with the scope of the policy, and nothing else */
	struct asked before; /* in force; not ours */
	struct asked after;  /* with the policy; without a decider where it changes nothing */
	uint64_t n_looked_at, n_covered, n_changed;
	uint64_t seqs[MAX_SEQS];
	bool wants_changes;
};

static enum decision verdict(const struct asked *a, const struct operation *o)
{
	struct policy_decision d;

	policy_decide(a->decider, a->policy, &o->request, &d);
	return d.verdict;
}

static int on_record(const struct event_record *r, void *ctx)
{
	struct covering *v = ctx;
	_cleanup_operation_ struct operation o = { 0 };

	if (++v->n_looked_at % BREATHE_RECORDS == 0)
		v->api->host.breathe(v->api->host.ctx);
	if (recorded_make(&r->event, &o) < 0 || verdict(&v->alone, &o) != DECISION_ALLOW)
		return 0;
	if (v->n_covered < MAX_SEQS)
		v->seqs[v->n_covered] = r->seq;
	v->n_covered++;
	v->n_changed += v->wants_changes && verdict(&v->before, &o) != verdict(&v->after, &o);
	return 0;
}

/* The policy alone, as a permit: what it allows is what it is about. */
static int open_alone(struct api_call *c, struct span text, struct asked *ret, struct err *err)
{
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	struct policy_environment env = { 0 };
	struct api_facts f;
	struct policy_source *s;
	int r;

	f = api_describe(c->api);
	env.agent = f.agent;
	env.home = f.home;
	env.workspace = f.workspace;
	s = policy_source_new(&env);
	r = policy_source_add_text(s, POLICY_LAYER_SESSION, "policy", text, /* color = */ false,
				   &report, err);
	if (r >= 0)
		r = asked_open(s, ret, err);
	policy_source_free(s);
	return r;
}

/* With the policy added to the editable layer. */
static int open_after(struct api_call *c, struct span text, struct asked *ret, struct err *err)
{
	_cleanup_(policy_findings_done) struct policy_findings list = { 0 };
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	_cleanup_buf_ struct buf all = BUF_INIT(LIMIT_POLICY_FILE);
	struct api_change change = { .has_text = true };
	struct policy_source *s = NULL;
	struct api_layers layers;
	int r;

	(void)buf_append_span(&all, policies_layers(c->api, &layers)->text);
	(void)buf_append_char(&all, '\n');
	if (buf_append_span(&all, text) < 0)
		return err_say(err, -EMSGSIZE, "the policy file would be too large");
	change.text = buf_span(&all);
	r = c->api->host.load(c->api->host.ctx, &change, &list, &report, &s, err);
	if (r >= 0)
		r = asked_open(s, ret, err);
	policy_source_free(s);
	return r;
}

static uint64_t kinds_of(const struct policy_request *r)
{
	uint64_t files = EVENT_BIT(EVENT_FILE_OPEN) | EVENT_BIT(EVENT_FILE_CREATE) |
			 EVENT_BIT(EVENT_FILE_DELETE) | EVENT_BIT(EVENT_FILE_RENAME) |
			 EVENT_BIT(EVENT_FILE_LINK) | EVENT_BIT(EVENT_FILE_ATTR);

	if (r->action == POLICY_PROCESS_EXEC)
		return EVENT_BIT(EVENT_PROC_EXEC);
	if (r->action < POLICY_PROCESS_EXEC)
		return files | EVENT_BIT(EVENT_NET_CONNECT);
	return EVENT_BIT(EVENT_NET_CONNECT) | EVENT_BIT(EVENT_NET_LISTEN) |
	       EVENT_BIT(EVENT_NET_DATAGRAM) | EVENT_BIT(EVENT_DNS_QUERY) |
	       EVENT_BIT(EVENT_HTTP_REQUEST);
}

static int cover(struct api_call *c, const struct operation *o, struct covering *v, struct err *err)
{
	struct event_query q = { .filter = { .kinds = kinds_of(&o->request) },
				 .is_newest_first = true,
				 .limit = MAX_LOOKED_AT };
	struct event_reader *reader = api_events(c);

	if (!reader)
		return -EIO;
	return (int)MIN(event_reader_query(reader, &q, on_record, v, err), 0);
}

/* ---- POST /api/policies/from-event --------------------------------------------------------- */

struct from_event {
	enum breadth breadth;
	bool is_forbid;
	struct operation operation;
	struct buf text, scope; /* the policy, and the permit of the same scope */
	struct covering covering;
};

static void from_event_done(struct from_event *f)
{
	operation_done(&f->operation);
	buf_done(&f->text);
	buf_done(&f->scope);
	asked_done(&f->covering.alone);
	asked_done(&f->covering.after);
}

static void append_sentence(struct json_writer *w, const struct api *a, struct span text)
{
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	_cleanup_buf_ struct buf sentence = BUF_INIT(LIMIT_POLICY_TEXT);
	struct policy_environment env = { 0 };
	struct api_facts f;
	struct policy_source *s;

	f = api_describe(a);
	env.home = f.home;
	env.workspace = f.workspace;
	env.agent = f.agent;
	s = policy_source_new(&env);
	if (policy_source_add_text(s, POLICY_LAYER_SESSION, "policy", text, false, &report, NULL) >=
		    0 &&
	    policy_source_len(s))
		(void)policy_source_say(s, 0, &sentence);
	json_key_string(w, "sentence", buf_span(&sentence));
	policy_source_free(s);
}

static const char *note_of(const struct from_event *f)
{
	if (f->covering.n_changed)
		return NULL;
	return f->is_forbid ? "what it covers is denied already"
			    : "what it covers is allowed already, or a forbid stands against it";
}

static void answer(struct api_call *c, struct from_event *f)
{
	const struct covering *v = &f->covering;
	struct json_writer *w = api_answer_json(c, 200);

	json_begin_object(w);
	json_key_string(w, "text", buf_span(&f->text));
	append_sentence(w, c->api, buf_span(&f->text));
	json_key_string(w, "effect", f->is_forbid ? SPAN("forbid") : SPAN("permit"));
	json_key_string(w, "breadth", span_of(breadth_name(f->breadth)));
	json_key(w, "breadths");
	json_begin_array(w);
	for (int b = 0; b < N_BREADTHS; b++)
		if (breadth_fits((enum breadth)b, &f->operation.request))
			json_string(w, span_of(breadth_name((enum breadth)b)));
	json_end_array(w);
	json_key_uint(w, "events", v->n_covered);
	json_key_uint(w, "changed", v->n_changed);
	json_key_uint(w, "looked_at", v->n_looked_at);
	json_key(w, "seqs");
	json_begin_array(w);
	for (size_t i = 0; i < MIN(v->n_covered, (uint64_t)MAX_SEQS); i++)
		json_uint(w, v->seqs[i]);
	json_end_array(w);
	json_key_string_opt(w, "note", span_of(note_of(f)));
	json_end_object(w);
}

static void from_event(struct api_call *c, struct from_event *f)
{
	struct err err = { 0 };

	if (breadth_write(f->breadth, &f->operation.request, f->is_forbid, &f->text) < 0) {
		api_problem(c, 409, "no policy of that breadth can be made of the event");
		return;
	}
	/* The same, permitted; both words are as long. */
	(void)buf_append_str(&f->scope, "permit");
	(void)buf_append_span(&f->scope, span_from(buf_span(&f->text), strlen("forbid")));
	f->covering.api = c->api;
	f->covering.wants_changes = true;
	if (!asked_in_force(c, &f->covering.before))
		return;
	if (open_alone(c, buf_span(&f->scope), &f->covering.alone, &err) < 0 ||
	    open_after(c, buf_span(&f->text), &f->covering.after, &err) < 0 ||
	    cover(c, &f->operation, &f->covering, &err) < 0) {
		if (c->status == 0)
			api_problem(c, 409, "%s", err.text);
		return;
	}
	answer(c, f);
}

void answer_from_event(struct api_call *c)
{
	_cleanup_(from_event_done) struct from_event f = { .text = BUF_INIT(LIMIT_POLICY_TEXT),
							   .scope = BUF_INIT(LIMIT_POLICY_TEXT) };
	const struct json *seq, *effect, *breadth;
	const struct api_key keys[] = { { "seq", JSON_NUMBER, true, &seq },
					{ "effect", JSON_STRING, true, &effect },
					{ "breadth", JSON_STRING, true, &breadth } };
	uint64_t n = 0;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)) ||
	    !api_read_uint(c, seq, "seq", INT64_MAX, &n))
		return;
	f.is_forbid = span_eq_str(effect->text, "forbid");
	if (!f.is_forbid && !span_eq_str(effect->text, "permit"))
		api_problem_key(c, SPAN("effect"), "effect is permit or forbid");
	else if (breadth_from_name(breadth->text, &f.breadth) < 0)
		api_problem_key(c, SPAN("breadth"),
				"breadth is file, directory, pattern, host or zone");
	else if (recorded_operation(c, (struct span){ 0 }, n, &f.operation))
		from_event(c, &f);
}

/* ---- POST /api/policies/suggest ------------------------------------------------------------- */

struct suggesting {
	struct api_call *call;
	struct suggest *suggest;
	uint64_t n_looked_at, n_covered, n_left_out;
	struct {
		uint64_t seq;
		const char *reason;
	} left_out[MAX_SEQS];
	struct buf text;
};

static void leave_out(struct suggesting *s, uint64_t seq, const char *reason)
{
	if (s->n_left_out < MAX_SEQS) {
		s->left_out[s->n_left_out].seq = seq;
		s->left_out[s->n_left_out].reason = reason;
	}
	s->n_left_out++;
}

/* What was denied is no evidence that it should be permitted. */
static int on_observed(const struct event_record *r, void *ctx)
{
	struct suggesting *s = ctx;
	_cleanup_operation_ struct operation o = { 0 };

	if (++s->n_looked_at % BREATHE_RECORDS == 0)
		s->call->api->host.breathe(s->call->api->host.ctx);
	if (r->event.decision != EVENT_ALLOW && r->event.decision != EVENT_WOULD_DENY) {
		if (r->event.decision == EVENT_DENY)
			leave_out(s, r->seq, "it was denied");
		return 0;
	}
	if (recorded_make(&r->event, &o) < 0 || !suggest_add(s->suggest, &o.request, r->seq))
		leave_out(s, r->seq, "no policy can be made of it");
	else
		s->n_covered++;
	return 0;
}

static void json_line(const struct suggestion *line, void *ctx)
{
	struct suggesting *s = ctx;
	struct json_writer *w = &s->call->json;

	(void)buf_append_span(&s->text, buf_span(&line->text));
	json_begin_object(w);
	json_key_string(w, "text", buf_span(&line->text));
	append_sentence(w, s->call->api, buf_span(&line->text));
	json_key_uint(w, "events", line->n_seqs);
	json_key(w, "seqs");
	json_begin_array(w);
	for (size_t i = 0; i < MIN(line->n_seqs, (size_t)MAX_SEQS); i++)
		json_uint(w, line->seqs[i]);
	json_end_array(w);
	json_end_object(w);
}

static void answer_suggestion(struct suggesting *s)
{
	struct json_writer *w = api_answer_json(s->call, 200);

	json_begin_object(w);
	json_key(w, "lines");
	json_begin_array(w);
	suggest_each(s->suggest, json_line, s);
	json_end_array(w);
	json_key_string(w, "text", buf_span(&s->text));
	json_key_uint(w, "looked_at", s->n_looked_at);
	json_key_uint(w, "covered", s->n_covered);
	json_key(w, "left_out");
	json_begin_array(w);
	for (size_t i = 0; i < MIN(s->n_left_out, (uint64_t)MAX_SEQS); i++) {
		json_begin_object(w);
		json_key_uint(w, "seq", s->left_out[i].seq);
		json_key_string(w, "reason", span_of(s->left_out[i].reason));
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

void answer_suggest(struct api_call *c)
{
	struct event_query q = { .is_newest_first = true, .limit = MAX_LOOKED_AT };
	struct suggesting s = { .call = c, .text = BUF_INIT(LIMIT_API_REPLY) };
	const struct json *since, *until;
	const struct api_key keys[] = { { "since", JSON_NUMBER, false, &since },
					{ "until", JSON_NUMBER, false, &until } };
	struct event_reader *reader;
	struct api_facts f;
	struct err err = { 0 };

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)) ||
	    !api_read_uint(c, since, "since", INT64_MAX, &q.filter.since_seq) ||
	    !api_read_uint(c, until, "until", INT64_MAX, &q.filter.until_seq))
		return;
	reader = api_events(c);
	if (!reader)
		return;
	f = api_describe(c->api);
	s.suggest = suggest_new((const char *const[]){ f.home, NULL });
	if (event_reader_query(reader, &q, on_observed, &s, &err) < 0)
		api_problem(c, 503, "%s", err.text);
	else
		answer_suggestion(&s);
	suggest_free(s.suggest);
	buf_done(&s.text);
}

/* ---- Replay ------------------------------------------------------------------------------ */

static void replay(struct api_call *c, struct event_reader *reader, const struct asked *a)
{
	const struct api_host *host = &c->api->host;
	const struct replay_options options = { .limit = MAX_LOOKED_AT,
						.max_changes = MAX_CHANGES,
						.breathe = host->breathe,
						.ctx = host->ctx };
	_cleanup_(replay_done) struct replay result = { 0 };
	struct err err = { 0 };
	struct json_writer *w;

	if (replay_run(reader, a->policy, &options, &result, &err) < 0) {
		api_problem(c, 503, "%s", err.text);
		return;
	}
	w = api_answer_json(c, 200);
	json_begin_object(w);
	replay_json(&result, w);
	json_end_object(w);
}

void answer_replay(struct api_call *c)
{
	_cleanup_event_reader_ struct event_reader *own = NULL;
	_cleanup_(asked_done) struct asked a = { 0 };
	const struct json *session, *text;
	const struct api_key keys[] = { { "session", JSON_STRING, false, &session },
					{ "text", JSON_STRING, false, &text } };
	struct event_reader *reader;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	reader = api_events_of(c, session ? session->text : (struct span){ 0 }, &own);
	if (reader && asked_with(c, text, &a))
		replay(c, reader, &a);
}
