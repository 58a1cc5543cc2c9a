#include <stdio.h>

#include "api/filter.h"
#include "api/handlers.h"
#include "api/private.h"
#include "base/limits.h"
#include "event/store.h"

#define PAGE_DEFAULT 1000

struct event_reader *api_events(struct api_call *c)
{
	struct api *a = c->api;
	struct api_facts f;
	struct err err = { 0 };

	a->host.flush(a->host.ctx);
	if (a->reader)
		return a->reader;
	f = api_describe(a);
	if (event_reader_open(f.directory, &a->reader, &err) < 0)
		api_problem(c, 503, "%s", err.text);
	return a->reader;
}

struct page {
	struct api_call *call;
	struct event_filter filter;
	bool is_newest_first, want_lines;
	struct span session; /* empty: this one */
	uint64_t limit, n, last_given;
};

static bool set_parameter(struct page *p, const struct api_query *q)
{
	struct api_call *c = p->call;
	int r = api_filter_parameter(c, &p->filter, q, &c->arena);

	if (r != 0)
		return r > 0;
	if (span_eq_str(q->name, "limit"))
		return api_query_uint(c, q, LIMIT_API_PAGE, &p->limit);
	if (span_eq_str(q->name, "session")) {
		p->session = q->value;
		return true;
	}
	if (!span_eq_str(q->name, "order")) {
		api_problem_key(c, q->name, "there is no parameter of that name here");
		return false;
	}
	p->is_newest_first = span_eq_str(q->value, "newest");
	if (p->is_newest_first || span_eq_str(q->value, "oldest"))
		return true;
	api_problem_key(c, q->name, "order is oldest or newest");
	return false;
}

static bool read_parameters(struct page *p)
{
	struct api_query q = { .rest = p->call->query };
	int r;

	while ((r = api_query_next(p->call, &q)) > 0)
		if (!set_parameter(p, &q))
			return false;
	return r == 0;
}

static int on_record(const struct event_record *r, void *ctx)
{
	struct page *p = ctx;
	struct buf *out = &p->call->out;

	/* The bytes as they were recorded: their hash is the next one's prev. */
	if (p->n++ && !p->want_lines)
		(void)buf_append_char(out, ',');
	(void)buf_append_span(out, r->json);
	if (p->want_lines)
		(void)buf_append_char(out, '\n');
	p->last_given = r->seq;
	return out->failed;
}

/* 0: this is the last page. */
static uint64_t next_page(const struct page *p)
{
	if (p->n < p->limit || !p->n)
		return 0;
	return p->is_newest_first ? p->last_given - 1 : p->last_given;
}

static void finish_lines(struct page *p)
{
	_cleanup_buf_ struct buf number = BUF_INIT(0);
	struct span kept;

	if (!next_page(p))
		return;
	(void)buf_append_number(&number, next_page(p));
	if (api_keep(p->call, buf_span(&number), &kept))
		api_answer_field(p->call, "leash-next", kept);
}

static void finish_json(struct page *p, uint64_t last)
{
	struct buf *out = &p->call->out;

	if (next_page(p))
		(void)buf_printf(out, "],\"next\":%llu", (unsigned long long)next_page(p));
	else
		(void)buf_append_str(out, "],\"next\":null");
	(void)buf_printf(out, ",\"last\":%llu}", (unsigned long long)last);
}

static void give(struct page *p, struct event_reader *reader)
{
	struct api_call *c = p->call;
	struct event_query q = { .filter = p->filter,
				 .is_newest_first = p->is_newest_first,
				 .want_json = true,
				 .limit = p->limit };
	struct err err = { 0 };
	uint64_t last = 0;

	api_answer_text(c, 200, p->want_lines ? "application/x-ndjson" : "application/json",
			p->want_lines ? (struct span){ 0 } : SPAN("{\"events\":["));
	if ((p->limit && event_reader_query(reader, &q, on_record, p, &err) < 0) ||
	    event_reader_last_seq(reader, &last, &err) < 0)
		api_problem(c, 503, "%s", err.text);
	else if (p->want_lines)
		finish_lines(p);
	else
		finish_json(p, last);
}

void answer_events(struct api_call *c)
{
	struct page p = { .call = c, .limit = PAGE_DEFAULT };
	const struct http_field *accept = http_field_find(c->head, "accept");
	_cleanup_event_reader_ struct event_reader *own = NULL;
	struct event_reader *reader;

	p.want_lines = accept && (memmem(accept->value.p, accept->value.len, "application/x-ndjson",
					 20) != NULL);
	if (!read_parameters(&p))
		return;
	reader = api_events_of(c, p.session, &own);
	if (reader)
		give(&p, reader);
}

static int on_process(const struct event_process *p, void *ctx)
{
	struct json_writer *w = ctx;

	json_begin_object(w);
	json_key_int(w, "pid", p->pid);
	json_key_int(w, "ppid", p->ppid);
	if (p->has_uid)
		json_key_uint(w, "uid", p->uid);
	json_key_string_opt(w, "exe", p->exe);
	json_key_string_opt(w, "comm", p->comm);
	json_key_string_opt(w, "cwd", p->cwd);
	json_key_uint(w, "first_seq", p->first_seq);
	json_key_uint(w, "last_seq", p->last_seq);
	json_key_uint(w, "events", p->n_events);
	json_key_uint(w, "denied", p->n_denied);
	json_key_uint(w, "would_deny", p->n_would_deny);
	json_end_object(w);
	return w->out->failed;
}

/* The query may name a session. False: answered. */
static bool read_session(struct api_call *c, struct span *ret)
{
	struct api_query q = { .rest = c->query };
	int r;

	*ret = (struct span){ 0 };
	while ((r = api_query_next(c, &q)) > 0) {
		if (!span_eq_str(q.name, "session")) {
			api_problem_key(c, q.name, "there is no parameter of that name here");
			return false;
		}
		*ret = q.value;
	}
	return r == 0;
}

void answer_processes(struct api_call *c)
{
	_cleanup_event_reader_ struct event_reader *own = NULL;
	struct event_reader *reader;
	struct json_writer *w;
	struct err err = { 0 };
	struct span session;

	if (!read_session(c, &session))
		return;
	reader = api_events_of(c, session, &own);
	if (!reader)
		return;
	w = api_answer_json(c, 200);
	json_begin_object(w);
	json_key(w, "processes");
	json_begin_array(w);
	if (event_reader_processes(reader, on_process, w, &err) < 0) {
		api_problem(c, 503, "%s", err.text);
		return;
	}
	json_end_array(w);
	json_end_object(w);
}
