/*
 * Those who watch: WebSocket clients get the session's history and then what
 * happens, without gap or double.
 *
 * History is read from the store in pieces, the next one once the client has taken
 * most of the last. A piece is read after everything recorded was written out, and
 * nothing is recorded while it is read; so when a piece is not full the client has
 * all there is, and every later event is handed to it as it is recorded.
 *
 * Those who want every event share one text, made once and gathered for some
 * milliseconds. Others have their own.
 */
#include <errno.h>
#include <stdio.h>

#include "api/filter.h"
#include "api/private.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "event/store.h"
#include "http/h1-writer.h"
#include "http/websocket-handshake.h"
#include "http/websocket.h"

/*
 * What happens after a pause goes out at once, with what happened in the same
 * millisecond; then events gather for so long, about as long as a page draws.
 */
#define GATHER_MS 16
/* How long a client may take to say what it wants. */
#define HELLO_MS 250
#define BEAT_MS 15000
/* A client that has said nothing for so long, not even that it got our pings, is gone. */
#define SILENCE_MS 50000
/* A shared text is sent on when it is so long. */
#define BATCH_BYTES ((size_t)64 * 1024)
/* Records of one piece of history; the next is read when less than this waits. */
#define PIECE_RECORDS 500
#define PIECE_BYTES ((size_t)256 * 1024)
/* Without `since`; with it, as many as there may be. */
#define HISTORY_DEFAULT 2000

/* A message for one or many: its frame's header and payload. */
struct batch {
	size_t n_users;
	char header[WEBSOCKET_HEADER_MAX];
	size_t header_len;
	struct buf text;
};

struct sending {
	uv_write_t request;
	struct batch *batch;
	bool is_last; /* the connection ends with it */
};

enum phase {
	PHASE_HELLO, /* what it wants is not known yet */
	PHASE_HISTORY,
	PHASE_LIVE,
	PHASE_ENDING,
};

struct live_client {
	struct api_connection *connection;
	struct live_client *next, *prev;
	enum phase phase;
	struct websocket_reader reader;
	struct buf message; /* from the client, until it is complete */
	bool is_final;	    /* its last frame has begun */
	char mask[4];
	uint64_t at; /* bytes of the frame's payload so far */
	uint64_t hello_until;
	/* What it wants. */
	struct arena texts; /* of the filter */
	struct event_filter filter;
	bool has_filter, has_since;
	uint64_t since, history, rate;
	uint64_t next_seq; /* of the history */
	/* Its own events, and those that were more than `rate`. */
	struct batch *own;
	uint64_t second, n_in_second;
	uint64_t n_lost, lost_since, lost_until;
};

/* ---- Messages ------------------------------------------------------------------- */

static struct batch *batch_new(void)
{
	struct batch *b = xnew(struct batch);

	b->n_users = 1;
	return b;
}

static void batch_unref(struct batch *b)
{
	if (!b || --b->n_users > 0)
		return;
	buf_done(&b->text);
	xfree(b);
}

static void batch_seal(struct batch *b, enum websocket_opcode opcode)
{
	const struct websocket_header h = { .opcode = opcode,
					    .is_final = true,
					    .length = b->text.len };

	b->header_len = websocket_write_header(&h, b->header);
}

static void batch_add_event(struct batch *b, struct span json)
{
	(void)buf_append_char(&b->text, b->text.len ? ',' : '[');
	(void)buf_append_span(&b->text, json);
}

static void batch_seal_events(struct batch *b)
{
	(void)buf_append_char(&b->text, ']');
	batch_seal(b, WEBSOCKET_TEXT);
}

static void more_history(struct live_client *l);

static void on_sent(uv_write_t *request, int status)
{
	struct sending *s = request->data;
	struct api_connection *c = (struct api_connection *)request->handle;
	bool is_last = s->is_last;

	batch_unref(s->batch);
	xfree(s);
	if (c->state == CONNECTION_CLOSED)
		return;
	if (status < 0 || is_last)
		connection_close(c);
	else if (c->live->phase == PHASE_HISTORY)
		more_history(c->live);
}

static size_t queue_len(const struct live_client *l)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&l->connection->tcp);
}

/* Whoever does not read is cut off. False: it is. */
static bool send_batch(struct live_client *l, struct batch *b, bool is_last)
{
	struct sending *s;
	uv_buf_t parts[2];

	if (queue_len(l) && queue_len(l) + b->text.len > LIMIT_API_QUEUE) {
		connection_close(l->connection);
		return false;
	}
	s = xnew(struct sending);
	s->request.data = s;
	s->batch = b;
	s->is_last = is_last;
	b->n_users++;
	parts[0] = uv_buf_init(b->header, (unsigned)b->header_len);
	parts[1] = uv_buf_init(b->text.data, (unsigned)b->text.len);
	if (uv_write(&s->request, (uv_stream_t *)&l->connection->tcp, parts, b->text.len ? 2 : 1,
		     on_sent) >= 0)
		return true;
	batch_unref(b);
	xfree(s);
	connection_close(l->connection);
	return false;
}

/* Consumes the message. */
static bool send_once(struct live_client *l, struct batch *b, enum websocket_opcode opcode)
{
	bool is_sent;

	batch_seal(b, opcode);
	is_sent = send_batch(l, b, opcode == WEBSOCKET_CLOSE);
	batch_unref(b);
	return is_sent;
}

static void end(struct live_client *l, enum websocket_status status, const char *why)
{
	struct batch *b = batch_new();

	(void)buf_append_char(&b->text, (char)(status >> 8));
	(void)buf_append_char(&b->text, (char)(status & 0xff));
	(void)buf_append(&b->text, why, MIN(strlen(why), WEBSOCKET_CONTROL_MAX - 2));
	l->phase = PHASE_ENDING;
	(void)send_once(l, b, WEBSOCKET_CLOSE);
}

static bool send_hello(struct live_client *l, const struct api_facts *f)
{
	struct batch *b = batch_new();
	struct json_writer w = { .out = &b->text };
	char started[RFC3339_LEN + 1];

	clock_format_rfc3339(f->started_ns, started);
	json_begin_object(&w);
	json_key_string(&w, "type", SPAN("hello"));
	json_key_string(&w, "session", span_of(f->id));
	json_key_string(&w, "version", SPAN(LEASH_VERSION));
	json_key_string(&w, "started", span_of(started));
	json_key_string(&w, "mode", span_of(policy_mode_name(f->mode)));
	json_key_uint(&w, "generation", f->generation);
	json_key_uint(&w, "first", l->next_seq <= f->n_events ? l->next_seq : 0);
	json_key_uint(&w, "last", f->n_events);
	json_key_uint(&w, "skipped", l->next_seq - 1 - MIN(l->since, l->next_seq - 1));
	json_end_object(&w);
	return send_once(l, b, WEBSOCKET_TEXT);
}

/* ---- Live ----------------------------------------------------------------------- */

static void on_flush(uv_timer_t *timer);

static void wake(struct api *a)
{
	uint64_t due;

	if (a->live.is_flushing)
		return;
	a->live.is_flushing = true;
	due = a->live.flushed_ms + GATHER_MS;
	(void)uv_timer_start(&a->live.flush, on_flush, due > api_now(a) ? due - api_now(a) : 1, 0);
}

static bool is_whole(const struct live_client *l)
{
	return l->phase == PHASE_LIVE && !l->has_filter && !l->rate;
}

/* To all who want everything. */
static void flush_open(struct api *a)
{
	struct batch *b = TAKE_PTR(a->live.open);
	struct live_client *next;

	if (!b)
		return;
	batch_seal_events(b);
	for (struct live_client *l = a->live.clients; l; l = next) {
		next = l->next;
		if (is_whole(l))
			(void)send_batch(l, b, /* is_last = */ false);
	}
	batch_unref(b);
}

static bool flush_lost(struct live_client *l)
{
	struct batch *b;
	struct json_writer w;

	if (!l->n_lost)
		return true;
	b = batch_new();
	w = (struct json_writer){ .out = &b->text };
	json_begin_object(&w);
	json_key_string(&w, "type", SPAN("lost"));
	json_key_uint(&w, "count", l->n_lost);
	json_key_uint(&w, "since", l->lost_since);
	json_key_uint(&w, "until", l->lost_until);
	json_end_object(&w);
	l->n_lost = 0;
	return send_once(l, b, WEBSOCKET_TEXT);
}

static bool flush_own(struct live_client *l)
{
	struct batch *b = TAKE_PTR(l->own);
	bool is_there = true;

	if (b) {
		batch_seal_events(b);
		is_there = send_batch(l, b, /* is_last = */ false);
		batch_unref(b);
	}
	return is_there && flush_lost(l);
}

static bool is_within_rate(struct live_client *l, uint64_t seq)
{
	uint64_t second = api_now(l->connection->api) / 1000;

	if (!l->rate)
		return true;
	if (second != l->second) {
		l->second = second;
		l->n_in_second = 0;
	}
	if (l->n_in_second++ < l->rate)
		return true;
	if (!l->n_lost++)
		l->lost_since = seq;
	l->lost_until = seq;
	return false;
}

static void publish_to(struct live_client *l, uint64_t seq, struct span json, const struct event *e)
{
	if (l->has_filter && !event_filter_matches(&l->filter, seq, e))
		return;
	if (!is_within_rate(l, seq))
		return;
	if (!l->own)
		l->own = batch_new();
	batch_add_event(l->own, json);
	if (l->own->text.len > BATCH_BYTES)
		(void)flush_own(l);
}

void live_publish(struct api *a, uint64_t seq, struct span json, const struct event *e)
{
	struct live_client *next;
	bool is_wanted = false;

	for (struct live_client *l = a->live.clients; l; l = next) {
		next = l->next;
		is_wanted |= is_whole(l);
		if (l->phase == PHASE_LIVE && !is_whole(l))
			publish_to(l, seq, json, e);
	}
	if (is_wanted) {
		if (!a->live.open)
			a->live.open = batch_new();
		batch_add_event(a->live.open, json);
		if (a->live.open->text.len > BATCH_BYTES)
			flush_open(a);
	}
	wake(a);
}

static struct batch *session_message(struct api *a)
{
	struct batch *b = batch_new();
	struct json_writer w = { .out = &b->text };
	struct api_facts f;

	f = api_describe(a);
	json_begin_object(&w);
	json_key_string(&w, "type", SPAN("session"));
	json_key_string(&w, "state", f.is_ending ? SPAN("ending") : SPAN("running"));
	json_key_string(&w, "mode", span_of(policy_mode_name(f.mode)));
	json_key_uint(&w, "generation", f.generation);
	json_key_uint(&w, "policies", f.n_policies);
	api_json_counters(&w, &f);
	json_end_object(&w);
	batch_seal(b, WEBSOCKET_TEXT);
	return b;
}

/* What happened before comes before. */
void live_tell(struct api *a)
{
	struct live_client *next;
	struct batch *b;

	if (!a->live.n)
		return;
	flush_open(a);
	b = session_message(a);
	for (struct live_client *l = a->live.clients; l; l = next) {
		next = l->next;
		if (l->phase == PHASE_LIVE && flush_own(l))
			(void)send_batch(l, b, /* is_last = */ false);
	}
	batch_unref(b);
}

/* ---- History -------------------------------------------------------------------- */

static void go_live(struct live_client *l)
{
	struct api *a = l->connection->api;
	struct batch *b = batch_new();
	struct json_writer w = { .out = &b->text };

	/* What has gathered for others this client has from the store. */
	flush_open(a);
	json_begin_object(&w);
	json_key_string(&w, "type", SPAN("ready"));
	json_key_uint(&w, "seq", l->next_seq - 1);
	json_end_object(&w);
	l->phase = PHASE_LIVE;
	(void)send_once(l, b, WEBSOCKET_TEXT);
}

struct piece {
	struct live_client *client;
	struct batch *batch;
};

static int on_record(const struct event_record *r, void *ctx)
{
	struct piece *p = ctx;

	batch_add_event(p->batch, r->json);
	p->client->next_seq = r->seq + 1;
	return p->batch->text.len > PIECE_BYTES;
}

static int64_t read_piece(struct live_client *l, struct piece *p)
{
	struct api *a = l->connection->api;
	struct event_query q = { .filter = l->filter, .want_json = true, .limit = PIECE_RECORDS };
	struct err err = { 0 };

	q.filter.since_seq = MAX(q.filter.since_seq, l->next_seq - 1);
	return event_reader_query(a->reader, &q, on_record, p, &err);
}

static void more_history(struct live_client *l)
{
	struct api *a = l->connection->api;

	while (l->phase == PHASE_HISTORY && queue_len(l) < PIECE_BYTES) {
		struct piece p = { .client = l, .batch = batch_new() };
		struct api_facts f;
		int64_t n;
		bool is_there = true, is_full;

		a->host.flush(a->host.ctx);
		n = read_piece(l, &p);
		is_full = n >= PIECE_RECORDS || p.batch->text.len > PIECE_BYTES;
		if (n > 0) {
			batch_seal_events(p.batch);
			is_there = send_batch(l, p.batch, /* is_last = */ false);
		}
		batch_unref(p.batch);
		if (!is_there)
			return;
		if (n < 0) {
			end(l, WEBSOCKET_GOING_AWAY, "the record cannot be read");
			return;
		}
		if (is_full)
			continue;
		f = api_describe(a);
		l->next_seq = f.n_events + 1;
		go_live(l);
	}
}

static int note_seq(const struct event_record *r, void *ctx)
{
	*(uint64_t *)ctx = r->seq;
	return 0;
}

/* The lowest of the newest `history` records that it wants. */
static bool find_first(struct live_client *l, uint64_t last)
{
	struct api *a = l->connection->api;
	struct event_query q = { .filter = l->filter,
				 .is_newest_first = true,
				 .limit = l->history };
	struct err err = { 0 };
	uint64_t first = last + 1;

	l->next_seq = last + 1;
	if (!l->history)
		return true;
	if (!l->has_filter) {
		l->next_seq = last > l->history ? last - l->history + 1 : 1;
	} else {
		if (event_reader_query(a->reader, &q, note_seq, &first, &err) < 0)
			return false;
		l->next_seq = first;
	}
	l->next_seq = MAX(l->next_seq, MIN(l->since, last) + 1);
	return true;
}

static void begin(struct live_client *l)
{
	struct api *a = l->connection->api;
	struct api_facts f;

	a->host.flush(a->host.ctx);
	f = api_describe(a);
	if (!find_first(l, f.n_events)) {
		end(l, WEBSOCKET_GOING_AWAY, "the record cannot be read");
		return;
	}
	l->phase = PHASE_HISTORY;
	if (send_hello(l, &f))
		more_history(l);
}

/* ---- What clients say ------------------------------------------------------------- */

static void refuse(struct live_client *l)
{
	struct batch *b = batch_new();

	(void)buf_printf(&b->text, "{\"type\":\"error\",\"problem\":");
	(void)buf_append_span(&b->text, buf_span(&l->connection->call.out));
	(void)buf_append_char(&b->text, '}');
	if (send_once(l, b, WEBSOCKET_TEXT))
		end(l, WEBSOCKET_POLICY, "the message is not understood");
}

static bool set_filter(struct live_client *l, const struct json *object)
{
	struct event_filter filter = { 0 };
	struct arena texts = ARENA_INIT(LIMIT_API_MESSAGE * 4);

	if (!api_filter_read(&l->connection->call, &filter, object, &texts)) {
		arena_done(&texts);
		return false;
	}
	arena_done(&l->texts);
	l->texts = texts;
	l->filter = filter;
	l->has_filter = object->first != NULL;
	return true;
}

/* since and history only before the history has begun. */
static bool read_wishes(struct live_client *l, const struct json *object)
{
	struct api_call *c = &l->connection->call;
	const struct json *since = NULL, *history = NULL, *filter, *rate;
	const struct api_key keys[] = {
		{ "filter", JSON_OBJECT, false, &filter },
		{ "rate", JSON_NUMBER, false, &rate },
		{ "since", JSON_NUMBER, false, &since },
		{ "history", JSON_NUMBER, false, &history },
	};

	if (!api_read_object(c, object, "the message", keys, l->phase == PHASE_HELLO ? 4 : 2))
		return false;
	if (since && !history)
		l->history = LIMIT_API_HISTORY;
	return api_read_uint(c, since, "since", INT64_MAX, &l->since) &&
	       api_read_uint(c, history, "history", LIMIT_API_HISTORY, &l->history) &&
	       api_read_uint(c, rate, "rate", UINT32_MAX, &l->rate) &&
	       (!filter || set_filter(l, filter));
}

/* A change of what a client wants divides what it got before from what it gets now. */
static void on_message(struct live_client *l)
{
	struct api_connection *c = l->connection;
	struct json *object = NULL;
	struct err err = { 0 };
	bool is_good;

	api_call_reset(&c->call);
	flush_open(c->api);
	if (c->state != CONNECTION_LIVE || !flush_own(l))
		return;
	is_good = json_parse(&c->call.arena, buf_span(&l->message), &object, &err) >= 0;
	if (!is_good)
		api_problem(&c->call, 400, "the message is no JSON: %s", err.text);
	if (!is_good || !read_wishes(l, object))
		refuse(l);
	else if (l->phase == PHASE_HELLO)
		begin(l);
	buf_reset(&l->message);
}

static void on_payload(struct live_client *l, struct span data)
{
	char *to;

	if (l->message.len + data.len > LIMIT_API_MESSAGE) {
		end(l, WEBSOCKET_TOO_BIG, "the message is too long");
		return;
	}
	to = buf_reserve(&l->message, data.len);
	if (!to)
		return;
	websocket_mask(l->mask, l->at, data, to);
	buf_grow(&l->message, data.len);
	l->at += data.len;
}

static void on_frame(struct live_client *l)
{
	const struct websocket_header *h = &l->reader.header;

	if (h->opcode == WEBSOCKET_BINARY) {
		end(l, WEBSOCKET_UNSUPPORTED, "text is expected");
		return;
	}
	memcpy(l->mask, h->mask, sizeof(l->mask));
	l->is_final = h->is_final;
	l->at = 0;
}

static void on_control(struct live_client *l, struct span payload)
{
	struct batch *b;

	switch (l->reader.header.opcode) {
	case WEBSOCKET_CLOSE:
		end(l, 1000, "");
		return;
	case WEBSOCKET_PING:
		b = batch_new();
		(void)buf_append_span(&b->text, payload);
		(void)send_once(l, b, WEBSOCKET_PONG);
		return;
	case WEBSOCKET_PONG:
	case WEBSOCKET_CONTINUATION:
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
		return;
	}
}

static bool is_open(const struct api_connection *c)
{
	return c->state == CONNECTION_LIVE && c->live->phase != PHASE_ENDING;
}

void live_feed(struct api_connection *c, struct span bytes)
{
	struct live_client *l = c->live;

	c->deadline = api_now(c->api) + SILENCE_MS;
	while (bytes.len && is_open(c)) {
		struct span data = { 0 };
		size_t used = 0;
		enum websocket_event event = websocket_reader_feed(&l->reader, bytes, &used, &data);

		bytes = span_from(bytes, used);
		switch (event) {
		case WEBSOCKET_FRAME:
			on_frame(l);
			break;
		case WEBSOCKET_DATA:
			on_payload(l, data);
			break;
		case WEBSOCKET_CONTROL:
			on_control(l, data);
			continue;
		case WEBSOCKET_BAD:
			end(l, l->reader.status, l->reader.error ? l->reader.error : "");
			return;
		case WEBSOCKET_MORE:
			continue;
		}
		if (is_open(c) && l->is_final && websocket_reader_is_over(&l->reader))
			on_message(l);
	}
}

/* ---- Timers ---------------------------------------------------------------------- */

static void on_flush(uv_timer_t *timer)
{
	struct api *a = timer->data;
	struct live_client *next;
	bool is_waited_for = false;

	a->live.is_flushing = false;
	a->live.flushed_ms = api_now(a);
	flush_open(a);
	for (struct live_client *l = a->live.clients; l; l = next) {
		next = l->next;
		if (l->phase == PHASE_LIVE)
			(void)flush_own(l);
		else if (l->phase == PHASE_HELLO && api_now(a) >= l->hello_until)
			begin(l);
		else
			is_waited_for |= l->phase == PHASE_HELLO;
	}
	if (is_waited_for)
		wake(a);
}

static void on_beat(uv_timer_t *timer)
{
	struct api *a = timer->data;
	struct live_client *next;

	for (struct live_client *l = a->live.clients; l; l = next) {
		next = l->next;
		if (l->phase != PHASE_ENDING)
			(void)send_once(l, batch_new(), WEBSOCKET_PING);
	}
}

/* ---- Coming and going --------------------------------------------------------------- */

static void add(struct api *a, struct live_client *l)
{
	l->next = a->live.clients;
	if (l->next)
		l->next->prev = l;
	a->live.clients = l;
	if (a->live.n++)
		return;
	a->host.watch(a->host.ctx, true);
	(void)uv_timer_start(&a->live.beat, on_beat, BEAT_MS, BEAT_MS);
}

void live_left(struct api_connection *c)
{
	struct live_client *l = c->live;
	struct api *a = c->api;

	l->phase = PHASE_ENDING;
	if (l->prev)
		l->prev->next = l->next;
	else
		a->live.clients = l->next;
	if (l->next)
		l->next->prev = l->prev;
	if (--a->live.n == 0) {
		a->host.watch(a->host.ctx, false);
		(void)uv_timer_stop(&a->live.beat);
		batch_unref(TAKE_PTR(a->live.open));
	}
}

void live_free(struct live_client *l)
{
	if (!l)
		return;
	batch_unref(l->own);
	buf_done(&l->message);
	arena_done(&l->texts);
	xfree(l);
}

/* False: answered. *ret_is_asked: the query says all that there is to say. */
static bool read_query(struct api_call *c, struct live_client *l, bool *ret_is_asked)
{
	struct api_query q = { .rest = c->query };
	bool has_history = false, is_good = true;
	int r;

	while (is_good && (r = api_query_next(c, &q)) != 0) {
		*ret_is_asked = true;
		if (r < 0)
			return false;
		if (span_eq_str(q.name, "since")) {
			l->has_since = true;
			is_good = api_query_uint(c, &q, INT64_MAX, &l->since);
		} else if (span_eq_str(q.name, "history")) {
			has_history = true;
			is_good = api_query_uint(c, &q, LIMIT_API_HISTORY, &l->history);
		} else if (span_eq_str(q.name, "rate")) {
			is_good = api_query_uint(c, &q, UINT32_MAX, &l->rate);
		} else {
			api_problem_key(c, q.name, "there is no parameter of that name here");
			is_good = false;
		}
	}
	if (l->has_since && !has_history)
		l->history = LIMIT_API_HISTORY;
	return is_good;
}

static void agree(struct api_call *c, const struct websocket_offer *offer)
{
	const struct http_field fields[] = {
		{ SPAN("upgrade"), SPAN("websocket"), false },
		{ SPAN("connection"), SPAN("Upgrade"), false },
		{ SPAN("sec-websocket-accept"), span_make(offer->accept, sizeof(offer->accept)),
		  false },
	};
	const struct http_head h = { .status = 101,
				     .reason = span_of(api_reason(101)),
				     .fields = fields,
				     .n_fields = ARRAY_SIZE(fields) };
	struct batch *b = batch_new();

	if (h1_write_response(&b->text, &h) < 0)
		connection_close(c->connection);
	else
		(void)send_batch(c->connection->live, b, /* is_last = */ false);
	batch_unref(b);
}

static void join(struct api_call *c, struct live_client *l, const struct websocket_offer *offer,
		 bool is_asked)
{
	struct api_connection *connection = c->connection;
	struct api *a = c->api;

	l->connection = connection;
	l->hello_until = api_now(a) + (is_asked ? 0 : HELLO_MS);
	websocket_reader_init(&l->reader, WEBSOCKET_FROM_CLIENT);
	connection->live = l;
	connection->state = CONNECTION_LIVE;
	connection->deadline = api_now(a) + SILENCE_MS;
	add(a, l);
	agree(c, offer);
	if (connection->state != CONNECTION_LIVE)
		return;
	if (is_asked)
		begin(l);
	else
		wake(a);
}

void live_join(struct api_call *c)
{
	struct websocket_offer offer = { 0 };
	struct live_client *l;
	const char *error;
	bool is_asked = false;

	if (!websocket_is_asked_for(c->head)) {
		api_problem(c, 426, "this is a WebSocket");
		api_answer_field(c, "upgrade", SPAN("websocket"));
		return;
	}
	error = websocket_read_offer(c->head, c->body.len > 0, &offer);
	l = xnew(struct live_client);
	l->history = HISTORY_DEFAULT;
	if (error)
		api_problem(c, 400, "%s", error);
	else if (read_query(c, l, &is_asked) && api_events(c)) {
		join(c, l, &offer, is_asked);
		l = NULL; /* the connection's, or gone with it */
	}
	xfree(l);
	websocket_offer_done(&offer);
}

void live_stop(struct api *a)
{
	struct live_client *next;

	live_tell(a);
	for (struct live_client *l = a->live.clients; l; l = next) {
		next = l->next;
		if (l->phase != PHASE_ENDING)
			end(l, WEBSOCKET_GOING_AWAY, "the session has ended");
	}
}
