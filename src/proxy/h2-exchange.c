#include "proxy/h2-exchange.h"

#include <errno.h>
#include <stdio.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "http/h2.h"
#include "proxy/answer.h"
#include "proxy/relay.h"
#include "proxy/scrub.h"

/* One of the two connections. */
struct side {
	struct h2_exchange *exchange;
	struct stream *stream;
	struct h2_session *session;
	bool is_eof; /* nothing more comes */
};

/* One request with its response. */
struct transfer {
	TAILQ_ENTRY(transfer) entry;
	struct h2_exchange *exchange;
	struct h2_stream *stream[2]; /* NULL: closed, or never opened */
	size_t held[2];	   /* came from a stream that is closed now, and waits to be sent */
	bool is_over[2];   /* that side's message is complete */
	bool is_answering; /* the response's head has gone to the client */
	struct request_record *record; /* until then */
	bool has_secrets;	       /* put into the request */
	bool is_refused;	       /* the response, by us */
	struct scrub scrub;	       /* of what the server sends */
};

TAILQ_HEAD(transfers, transfer);

struct h2_exchange {
	struct side side[2];
	char *scratch;
	struct exchange_events events;
	void *ctx;
	uv_timer_t timer;
	struct transfers transfers;
	size_t n_transfers;
	bool is_server_leaving; /* it takes no more requests */
	bool is_server_gone;	/* and answers none */
	bool is_client_bad;	/* its connection is broken, and the owner knows */
	bool is_parting;	/* the client has been told all, and is waited for to go */
	size_t n_ignored;	/* bytes of it since then */
	bool is_closing;
};

/* ---- Transfers ---- */

static struct transfer *transfer_new(struct h2_exchange *x, struct h2_stream *client)
{
	struct transfer *t = xnew(struct transfer);

	t->exchange = x;
	t->stream[RELAY_CLIENT] = client;
	t->scrub.needles = x->events.secrets;
	h2_stream_set_ctx(client, t);
	TAILQ_INSERT_TAIL(&x->transfers, t, entry);
	x->n_transfers++;
	return t;
}

static void transfer_free(struct transfer *t)
{
	TAILQ_REMOVE(&t->exchange->transfers, t, entry);
	t->exchange->n_transfers--;
	scrub_done(&t->scrub);
	xfree(t);
}

static void lose(struct transfer *t, const char *why)
{
	struct h2_exchange *x = t->exchange;

	if (t->record)
		x->events.lost(x->ctx, TAKE_PTR(t->record), why);
}

/* ---- Heads ---- */

/* What is between the client and us alone, other ways to the service that lead around the proxy,
 * and what no policy sees because it never goes on. */
static bool is_sent_on(const struct http_field *f)
{
	static const char *const names[] = { "alt-svc", "proxy-authenticate", "proxy-authorization",
					     "sec-websocket-extensions" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq_str(f->name, names[i]))
			return false;
	return true;
}

struct fields {
	struct http_field items[LIMIT_HTTP_FIELDS + 1];
	size_t n;
};

static void copy_fields(const struct http_field *from, size_t n, struct fields *to)
{
	to->n = 0;
	for (size_t i = 0; i < n && to->n < ARRAY_SIZE(to->items); i++)
		if (is_sent_on(&from[i]))
			to->items[to->n++] = from[i];
}

/* The answer of the proxy's own; what more the client would say is not wanted. */
static void answer(struct transfer *t, struct span text, bool has_no_body)
{
	struct h2_stream *client = t->stream[RELAY_CLIENT];
	struct http_field fields[] = { { SPAN("content-type"), SPAN("application/json") },
				       { SPAN("cache-control"), SPAN("no-store") },
				       { SPAN("content-length") } };
	struct http_head head = { .fields = fields, .n_fields = ARRAY_SIZE(fields) };
	struct span body;
	char length[24];

	t->is_answering = true;
	head.status = answer_split(text, &body);
	(void)snprintf(length, sizeof(length), "%zu", body.len);
	fields[2].value = span_of(length);
	h2_stream_respond(client, &head, has_no_body);
	h2_stream_send(client, body);
	h2_stream_end(client, NULL, 0);
	h2_stream_stop(client);
}

static void forward_request(struct transfer *t, const struct http_head *h,
			    const struct exchange_request *r, bool is_end)
{
	struct h2_exchange *x = t->exchange;
	struct http_head out = { .method = h->method,
				 .scheme = h->scheme,
				 .authority = buf_span(&r->host),
				 .target = buf_span(&r->target) };
	struct fields f;

	copy_fields(h->fields, h->n_fields, &f);
	out.fields = f.items;
	out.n_fields = f.n;
	t->record = r->record;
	t->has_secrets = r->head;
	t->stream[RELAY_SERVER] =
		h2_session_request(x->side[RELAY_SERVER].session, &out, is_end, t);
	if (!t->stream[RELAY_SERVER]) {
		lose(t, "the server takes no more requests");
		h2_stream_reset(t->stream[RELAY_CLIENT], H2_REFUSED_STREAM);
	}
}

static void begin_request(struct h2_exchange *x, struct h2_stream *client,
			  const struct http_head *h, bool is_end)
{
	_cleanup_(exchange_request_done) struct exchange_request r = { .record = NULL };
	struct transfer *t = transfer_new(x, client);

	/* A request whose response is over may still be on its way to a slow server. */
	if (x->is_server_leaving || x->n_transfers > (size_t)2 * LIMIT_H2_STREAMS) {
		h2_stream_reset(client, H2_REFUSED_STREAM);
		return;
	}
	if (x->events.request(x->ctx, h, &r))
		forward_request(t, r.head ? r.head : h, &r, is_end);
	else
		answer(t, buf_span(&r.answer), span_eq_str(h->method, "HEAD"));
}

/* The request asked for none; what is encoded all the same could bring its secret back unseen. */
static bool is_unreadable(const struct transfer *t, const struct http_head *h, bool is_end)
{
	const struct http_field *f = http_field_find(h, "content-encoding");

	return t->has_secrets && !is_end && f && f->value.len &&
	       !span_eq_nocase(f->value, SPAN("identity"));
}

static void refuse_unreadable(struct transfer *t)
{
	struct h2_exchange *x = t->exchange;
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	t->is_refused = true;
	x->events.malformed(
		x->ctx, /* is_client = */ false, TAKE_PTR(t->record),
		"the response is encoded though that was not asked for, and could hold a secret",
		&text);
	answer(t, buf_span(&text), /* has_no_body = */ false);
	h2_stream_reset(t->stream[RELAY_SERVER], H2_CANCEL);
}

/* Secrets in it become placeholders. */
static int scrub_head(const struct transfer *t, struct arena *arena, struct fields *f)
{
	return t->scrub.needles ? scrub_fields(t->scrub.needles, arena, f->items, f->n) : 0;
}

static void take_response(struct transfer *t, const struct http_head *h, bool is_end)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(4 * LIMIT_HTTP_HEAD);
	struct h2_exchange *x = t->exchange;
	struct http_head out = { .status = h->status };
	struct fields f;

	if (!t->stream[RELAY_CLIENT] || t->is_refused)
		return;
	if (is_unreadable(t, h, is_end)) {
		refuse_unreadable(t);
		return;
	}
	copy_fields(h->fields, h->n_fields, &f);
	if (scrub_head(t, &arena, &f) < 0) {
		h2_stream_reset(t->stream[RELAY_CLIENT], H2_INTERNAL_ERROR);
		return;
	}
	out.fields = f.items;
	out.n_fields = f.n;
	h2_stream_respond(t->stream[RELAY_CLIENT], &out, is_end);
	if (h->status < 200)
		return;
	t->is_answering = true;
	if (t->record)
		x->events.response(x->ctx, TAKE_PTR(t->record), h->status);
}

static void on_head(void *ctx, struct h2_stream *st, const struct http_head *h, bool is_end)
{
	struct side *s = ctx;

	if (s == &s->exchange->side[RELAY_CLIENT])
		begin_request(s->exchange, st, h, is_end);
	else if (h2_stream_ctx(st))
		take_response(h2_stream_ctx(st), h, is_end);
}

static void on_bad_request(void *ctx, struct h2_stream *st, const char *why)
{
	struct h2_exchange *x = ((struct side *)ctx)->exchange;
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	x->events.malformed(x->ctx, /* is_client = */ true, NULL, why, &text);
	answer(transfer_new(x, st), buf_span(&text), /* has_no_body = */ false);
}

/* ---- Bodies ---- */

static int index_of(const struct side *s)
{
	return s == &s->exchange->side[RELAY_SERVER];
}

static void on_data(void *ctx, struct h2_stream *st, struct span data)
{
	struct transfer *t = h2_stream_ctx(st);
	int i = index_of(ctx);
	struct h2_stream *other =
		t && !(t->is_refused && i == RELAY_SERVER) ? t->stream[1 - i] : NULL;

	if (!other)
		h2_stream_give_back(st, data.len);
	else if (i == RELAY_SERVER && scrub_feed(&t->scrub, data, &data) < 0)
		h2_stream_reset(other, H2_INTERNAL_ERROR);
	else if (data.len)
		h2_stream_send(other, data);
}

/* The server's bytes are at an end: what looked like the beginning of a secret was none. */
static void send_rest(struct transfer *t, struct fields *trailers, struct arena *arena)
{
	struct h2_stream *client = t->stream[RELAY_CLIENT];
	struct span rest;

	if (scrub_finish(&t->scrub, &rest) < 0 || scrub_head(t, arena, trailers) < 0) {
		h2_stream_reset(client, H2_INTERNAL_ERROR);
		return;
	}
	if (rest.len)
		h2_stream_send(client, rest);
	h2_stream_end(client, trailers->items, trailers->n);
}

static void on_end(void *ctx, struct h2_stream *st, const struct http_field *trailers, size_t n)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(4 * LIMIT_HTTP_HEAD);
	struct transfer *t = h2_stream_ctx(st);
	int i = index_of(ctx);
	struct fields f;

	if (!t)
		return;
	t->is_over[i] = true;
	copy_fields(trailers, n, &f);
	if (!t->stream[1 - i] || (t->is_refused && i == RELAY_SERVER))
		return;
	if (i == RELAY_SERVER)
		send_rest(t, &f, &arena);
	else
		h2_stream_end(t->stream[1 - i], f.items, f.n);
}

/* n bytes have gone to this side: the other, where they came from, may send as many again. */
static void give_back(struct transfer *t, int from, size_t n)
{
	if (t->stream[from]) {
		h2_stream_give_back(t->stream[from], n);
		return;
	}
	n = MIN(n, t->held[from]);
	t->held[from] -= n;
	h2_session_give_back(t->exchange->side[from].session, n);
}

static void on_sent(void *ctx, struct h2_stream *st, size_t n)
{
	if (h2_stream_ctx(st))
		give_back(h2_stream_ctx(st), 1 - index_of(ctx), n);
}

/* ---- Ends ---- */

static void client_closed(struct transfer *t, uint32_t code, const char *why)
{
	struct h2_stream *server = t->stream[RELAY_SERVER];

	lose(t, why ? why : "the client gave the request up");
	if (server && (code != H2_NO_ERROR || !t->is_over[RELAY_SERVER]))
		h2_stream_reset(server, why || code == H2_NO_ERROR ? H2_CANCEL : code);
}

/* The server's response is malformed, or there will be no (more) of it. */
static void fail_transfer(struct transfer *t, uint32_t code, const char *malformed,
			  const char *lost)
{
	struct h2_exchange *x = t->exchange;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct h2_stream *client = t->stream[RELAY_CLIENT];

	if (malformed && t->record) {
		x->events.malformed(x->ctx, /* is_client = */ false, TAKE_PTR(t->record), malformed,
				    &text);
		if (client)
			answer(t, buf_span(&text), /* has_no_body = */ false);
		return;
	}
	lose(t, lost);
	if (client)
		h2_stream_reset(client,
				malformed || code == H2_NO_ERROR ? H2_INTERNAL_ERROR : code);
}

static void server_closed(struct transfer *t, uint32_t code, const char *why)
{
	struct h2_stream *client = t->stream[RELAY_CLIENT];

	if (!client)
		return;
	if (!t->is_over[RELAY_SERVER])
		fail_transfer(t, code, why, "the server gave the request up");
	else
		h2_stream_stop(client);
}

static void on_closed(void *ctx, struct h2_stream *st, uint32_t code, const char *why)
{
	struct transfer *t = h2_stream_ctx(st);
	struct h2_exchange *x = ((struct side *)ctx)->exchange;
	int i = index_of(ctx);

	if (why && i == RELAY_CLIENT) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		x->events.malformed(x->ctx, /* is_client = */ true, NULL, why, &text);
	}
	if (!t)
		return; /* it broke before it was a request */
	t->stream[i] = NULL;
	t->held[i] = h2_stream_take_held(st);
	/* What was to go to this side will not. */
	give_back(t, 1 - i, SIZE_MAX);
	if (i == RELAY_CLIENT)
		client_closed(t, code, why);
	else
		server_closed(t, code, why);
	if (t->stream[1 - i])
		return;
	give_back(t, i, SIZE_MAX);
	transfer_free(t);
}

static void on_goaway(void *ctx, uint32_t code)
{
	struct side *s = ctx;
	struct h2_exchange *x = s->exchange;

	if (s != &x->side[RELAY_SERVER] || x->is_server_leaving)
		return;
	x->is_server_leaving = true;
	h2_session_leave(x->side[RELAY_CLIENT].session, code);
}

static void end(struct h2_exchange *x, int error)
{
	if (!x->is_closing)
		x->events.ended(x->ctx, error);
}

static void on_timer(uv_timer_t *timer)
{
	end(timer->data, -ETIMEDOUT);
}

/* Its server's stream is no more, though the session does not say so. */
static void lose_stream(struct transfer *t, const char *why)
{
	struct h2_stream *client = t->stream[RELAY_CLIENT];

	h2_stream_set_ctx(t->stream[RELAY_SERVER], NULL);
	t->stream[RELAY_SERVER] = NULL;
	give_back(t, RELAY_CLIENT, SIZE_MAX);
	if (!client)
		transfer_free(t);
	else if (t->is_over[RELAY_SERVER])
		h2_stream_stop(client);
	else
		fail_transfer(t, H2_INTERNAL_ERROR, why,
			      "the connection ended before the response");
}

/* Nothing more comes from the server: what it has not ended is lost. why: it is malformed. */
static void lose_server(struct h2_exchange *x, const char *why)
{
	struct transfer *t, *next;

	if (x->is_server_gone)
		return;
	x->is_server_gone = true;
	for (t = TAILQ_FIRST(&x->transfers); t; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->stream[RELAY_SERVER])
			lose_stream(t, why);
	}
	if (!x->is_server_leaving)
		h2_session_leave(x->side[RELAY_CLIENT].session, H2_NO_ERROR);
	x->is_server_leaving = true;
}

/* ---- Running ---- */

static struct stream *stream_of(const struct h2_exchange *x, int i)
{
	return x->side[i].stream;
}

/* What is to go to the other may wait: its bytes, and room in its windows. */
static bool may_read(const struct h2_exchange *x, int i)
{
	if (x->side[i].is_eof)
		return false;
	if (x->is_parting || (i == RELAY_CLIENT && x->is_server_gone))
		return i == RELAY_CLIENT;
	return !(i == RELAY_SERVER && x->is_server_gone) && !stream_is_full(stream_of(x, 1 - i));
}

/* Writes what can be written. True if there may be more. */
static bool write_side(struct h2_exchange *x, int i)
{
	struct side *s = &x->side[i];
	int r = stream_flush(s->stream);

	if (r < 0 && i == RELAY_CLIENT) {
		end(x, r);
		return false;
	}
	if (r < 0)
		stream_stop_writing(s->stream);
	return !stream_is_shut(s->stream) &&
	       h2_session_pull(s->session, stream_out(s->stream), LIMIT_PROXY_RELAY) > 0;
}

static void run(struct h2_exchange *x)
{
	bool goes_on = true;

	while (goes_on && !x->is_closing) {
		goes_on = write_side(x, RELAY_CLIENT);
		if (!x->is_closing)
			goes_on |= write_side(x, RELAY_SERVER);
	}
}

/* A peer that does not keep to HTTP/2: there is nothing more to be had from it. */
static void notice_errors(struct h2_exchange *x)
{
	const char *client = h2_session_error(x->side[RELAY_CLIENT].session);
	const char *server = h2_session_error(x->side[RELAY_SERVER].session);

	if (client && !x->is_client_bad) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		x->is_client_bad = true;
		x->events.malformed(x->ctx, /* is_client = */ true, NULL, client, &text);
		(void)uv_timer_start(&x->timer, on_timer, LIMIT_PROXY_ANSWER_MS, 0);
	}
	if (server || h2_session_is_over(x->side[RELAY_SERVER].session))
		lose_server(x, server);
}

/* ---- The end of things ---- */

/* The client has been told all: closing now, with unread input, could overtake that. */
static void part(struct h2_exchange *x)
{
	x->is_parting = true;
	stream_shut(stream_of(x, RELAY_CLIENT));
	(void)uv_timer_start(&x->timer, on_timer, LIMIT_PROXY_ANSWER_MS, 0);
}

static void settle(struct h2_exchange *x)
{
	bool was_gone;

	do {
		was_gone = x->is_server_gone;
		run(x);
		if (x->is_closing)
			return;
		notice_errors(x);
	} while (was_gone != x->is_server_gone);
	if (x->side[RELAY_CLIENT].is_eof) {
		end(x, x->is_client_bad ? -EPROTO : 0);
		return;
	}
	if (!x->is_parting && h2_session_is_over(x->side[RELAY_CLIENT].session) &&
	    !stream_has_output(stream_of(x, RELAY_CLIENT)))
		part(x);
	for (int i = 0; i < 2; i++)
		stream_wait(stream_of(x, i), may_read(x, i));
}

static void feed(struct h2_exchange *x, int from, struct span bytes)
{
	if (x->is_parting)
		return;
	h2_session_feed(x->side[from].session, bytes, uv_now(x->timer.loop));
}

/* How many bytes came; 0 at the end, negative errno. */
static ssize_t fill(struct h2_exchange *x, int from)
{
	ssize_t n = stream_read(stream_of(x, from), x->scratch, LIMIT_PROXY_RELAY);

	if (n > 0)
		feed(x, from, span_make(x->scratch, (size_t)n));
	if (n > 0 && from == RELAY_CLIENT && (x->is_parting || x->is_client_bad)) {
		x->n_ignored += (size_t)n;
		if (x->n_ignored > LIMIT_PROXY_IGNORED)
			return -ECONNRESET;
	}
	if (n == -EAGAIN || n > 0)
		return n;
	if (n < 0 && from == RELAY_CLIENT)
		return n;
	x->side[from].is_eof = true;
	if (from == RELAY_SERVER)
		lose_server(x, NULL);
	return 0;
}

static void on_ready(void *ctx, struct stream *stream, int status)
{
	struct h2_exchange *x = ctx;
	int i = stream == stream_of(x, RELAY_SERVER);
	ssize_t n = STREAM_SHORT;

	for (int round = 0;
	     round < STREAM_ROUNDS && n >= STREAM_SHORT && !x->is_closing && may_read(x, i);
	     round++) {
		n = fill(x, i);
		if (n < 0 && n != -EAGAIN)
			end(x, (int)n);
		else
			run(x);
	}
	/* libuv reports a socket in error so, and has stopped watching it. */
	if (!x->is_closing && status < 0)
		end(x, -ECONNRESET);
	if (!x->is_closing)
		settle(x);
}

/* ---- Life ---- */

struct h2_exchange *h2_exchange_new(uv_loop_t *loop, struct stream *client, struct stream *server,
				    struct h2_session *server_session, char *scratch,
				    const struct exchange_events *events, void *ctx)
{
	static const struct h2_events session_events = { on_head, on_bad_request, on_data,  on_end,
							 on_sent, on_closed,	  on_goaway };
	struct h2_exchange *x = xnew(struct h2_exchange);
	struct stream *streams[2] = { client, server };
	struct h2_session *sessions[2] = { NULL, server_session };

	x->scratch = scratch;
	x->events = *events;
	x->ctx = ctx;
	TAILQ_INIT(&x->transfers);
	for (int i = 0; i < 2; i++) {
		x->side[i].exchange = x;
		x->side[i].stream = streams[i];
		x->side[i].session = sessions[i];
		if (sessions[i])
			h2_session_set_ctx(sessions[i], &x->side[i]);
		else
			x->side[i].session =
				h2_session_new(i == RELAY_CLIENT ? H2_SERVER : H2_CLIENT,
					       &session_events, &x->side[i]);
		stream_set_owner(streams[i], on_ready, x);
	}
	(void)uv_timer_init(loop, &x->timer);
	x->timer.data = x;
	return x;
}

void h2_exchange_start(struct h2_exchange *x, struct span first_bytes)
{
	stream_count(stream_of(x, RELAY_CLIENT), first_bytes.len);
	feed(x, RELAY_CLIENT, first_bytes);
	settle(x);
}

uint64_t h2_exchange_bytes(const struct h2_exchange *x, int from)
{
	return stream_bytes(stream_of(x, from));
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct h2_exchange *x = handle->data;

	for (int i = 0; i < 2; i++)
		h2_session_free(x->side[i].session);
	while (!TAILQ_EMPTY(&x->transfers))
		transfer_free(TAILQ_FIRST(&x->transfers));
	xfree(x);
}

struct stream *h2_exchange_release(struct h2_exchange *x, struct h2_session **ret_session)
{
	struct side *server = &x->side[RELAY_SERVER];

	*ret_session = NULL;
	if (x->is_closing || x->is_server_leaving || x->is_server_gone || server->is_eof ||
	    !h2_session_is_idle(server->session) || stream_has_output(server->stream) ||
	    stream_is_shut(server->stream))
		return NULL;
	*ret_session = TAKE_PTR(server->session);
	return TAKE_PTR(server->stream);
}

void h2_exchange_free(struct h2_exchange *x, bool abort)
{
	if (!x || x->is_closing)
		return;
	x->is_closing = true;
	for (int i = 0; i < 2; i++)
		stream_free(TAKE_PTR(x->side[i].stream), abort);
	uv_close((uv_handle_t *)&x->timer, on_timer_closed);
}
