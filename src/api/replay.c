#include "api/replay.h"

#include <stdlib.h>

#include "api/recorded.h"
#include "base/alloc.h"
#include "base/map.h"
#include "policy/request.h"

#define BREATHE_RECORDS 1024

struct replaying {
	struct replay *out;
	const struct policy *policy;
	struct policy_decider *decider;
	struct map known; /* what makes a line, to its index and one */
	struct buf key;
	uint64_t n_looked_at;
	const struct replay_options *options;
};

/* As policies name it, but for a request of HTTP, which is shown whole. */
static void append_object(const struct event *e, const struct policy_request *request,
			  struct buf *out)
{
	if (e->url.len)
		(void)buf_printf(out, "%.*s %.*s", SPAN_ARG(e->method), SPAN_ARG(e->url));
	else
		(void)request_resource_id(request, out);
}

static char *list_reasons(const struct policy_decision *d)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	for (size_t i = 0; i < d->n_reasons; i++)
		(void)buf_printf(&out, "%s%s", i ? ", " : "", d->reasons[i]);
	if (!d->n_reasons)
		(void)buf_append_str(&out, "default");
	return buf_take(&out);
}

static void add_change(struct replaying *r, const struct event_record *record, struct span object,
		       enum decision before, const struct policy_decision *d)
{
	const struct event *e = &record->event;

	vec_push(&r->out->changes,
		 (struct replay_change){ .kind = e->kind,
					 .before = before,
					 .after = d->verdict,
					 .object = xmemdup0(object.p, object.len),
					 .access = xmemdup0(e->access.p, e->access.len),
					 .program = xmemdup0(e->exe.p, e->exe.len),
					 .reasons = list_reasons(d),
					 .first_seq = record->seq,
					 .n = 1 });
}

static void note(struct replaying *r, const struct event_record *record,
		 const struct policy_request *request, enum decision before,
		 const struct policy_decision *d)
{
	const struct event *e = &record->event;
	uintptr_t index;
	size_t at;

	r->out->n_changed++;
	buf_reset(&r->key);
	(void)buf_printf(&r->key, "%d %d %d %.*s ", (int)e->kind, (int)before, (int)d->verdict,
			 SPAN_ARG(e->access));
	at = r->key.len;
	append_object(e, request, &r->key);
	index = (uintptr_t)map_get(&r->known, buf_span(&r->key));
	if (index) {
		r->out->changes.items[index - 1].n++;
		return;
	}
	if (r->out->changes.len == r->options->max_changes) {
		r->out->n_left_out++;
		return;
	}
	add_change(r, record, span_from(buf_span(&r->key), at), before, d);
	(void)map_put(&r->known, buf_span(&r->key), (void *)(uintptr_t)r->out->changes.len);
}

/* The resolver's address is open to all without a policy. */
static bool is_decided_by_policy(const struct event *e)
{
	return e->decision != EVENT_DECISION_NONE &&
	       (e->decision != EVENT_ALLOW || e->policies.len);
}

static int on_record(const struct event_record *record, void *ctx)
{
	struct replaying *r = ctx;
	const struct event *e = &record->event;
	_cleanup_operation_ struct operation o = { 0 };
	struct policy_decision d;
	enum decision before;

	if (++r->n_looked_at % BREATHE_RECORDS == 0 && r->options->breathe)
		r->options->breathe(r->options->ctx);
	if (!is_decided_by_policy(e) || recorded_make(e, &o) < 0)
		return 0;
	before = e->decision == EVENT_ALLOW ? DECISION_ALLOW : DECISION_DENY;
	policy_decide(r->decider, r->policy, &o.request, &d);
	r->out->n_decided++;
	if (d.verdict != before)
		note(r, record, &o.request, before, &d);
	return 0;
}

int replay_run(struct event_reader *reader, const struct policy *policy,
	       const struct replay_options *options, struct replay *ret, struct err *err)
{
	const struct event_query all = { .limit = options->limit,
					 .is_newest_first = options->limit };
	struct replaying r = {
		.out = ret, .policy = policy, .decider = policy_decider_new(0), .options = options
	};
	int64_t n;

	*ret = (struct replay){ 0 };
	n = event_reader_query(reader, &all, on_record, &r, err);
	policy_decider_free(r.decider);
	map_done(&r.known, NULL);
	buf_done(&r.key);
	return n < 0 ? (int)n : 0;
}

void replay_done(struct replay *r)
{
	for (size_t i = 0; i < r->changes.len; i++) {
		xfree(r->changes.items[i].object);
		xfree(r->changes.items[i].access);
		xfree(r->changes.items[i].program);
		xfree(r->changes.items[i].reasons);
	}
	vec_done(&r->changes);
}

static void change_json(const struct replay_change *c, struct json_writer *w)
{
	json_begin_object(w);
	json_key_string(w, "kind", span_of(event_kind_name(c->kind)));
	json_key_string(w, "before", span_of(policy_verdict_name(c->before)));
	json_key_string(w, "after", span_of(policy_verdict_name(c->after)));
	json_key_string(w, "object", span_of(c->object));
	json_key_string_opt(w, "access", span_of(c->access));
	json_key_string_opt(w, "program", span_of(c->program));
	json_key_string(w, "reasons", span_of(c->reasons));
	json_key_uint(w, "seq", c->first_seq);
	json_key_uint(w, "count", c->n);
	json_end_object(w);
}

void replay_json(const struct replay *r, struct json_writer *w)
{
	json_key_uint(w, "decided", r->n_decided);
	json_key_uint(w, "changed", r->n_changed);
	json_key(w, "changes");
	json_begin_array(w);
	for (size_t i = 0; i < r->changes.len; i++)
		change_json(&r->changes.items[i], w);
	json_end_array(w);
	json_key_uint(w, "left_out", r->n_left_out);
}
