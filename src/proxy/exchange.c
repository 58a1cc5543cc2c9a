#include "proxy/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "http/h1-reader.h"
#include "http/h1-writer.h"
#include "http/websocket-handshake.h"
#include "proxy/exchange-head.h"
#include "proxy/relay.h"
#include "proxy/scrub.h"
#include "proxy/websocket-relay.h"

/* One of the two connections. */
struct side {
	struct stream *stream;
	struct buf in; /* read and not used yet; at most one read's */
	bool is_eof;   /* nothing more comes */
	struct h1_reader *reader;
};

struct exchange {
	struct side side[2];
	char *scratch;
	struct exchange_events events;
	void *ctx;
	uv_timer_t timer;
	struct sniff *sniff; /* of a client that has not said yet what it speaks */
	bool is_closing;

	/* The request in progress. */
	bool is_asked;	       /* its head has gone to the server */
	bool is_request_over;  /* so has its end */
	bool is_response_over;
	bool is_answering;     /* the response's head has gone to the client */
	bool wants_upgrade;    /* to WebSocket, with what is offered for it */
	struct websocket_offer offer;
	bool is_chunked[2];    /* how the body from that side is written on */
	bool is_old_client;    /* HTTP/1.0 */
	bool is_last;	       /* the connection ends after this request */
	bool is_left;	       /* by a client that could have gone on */
	bool is_bound;	       /* the server takes the connection for this client's alone */
	bool is_refused;       /* the client is told why, then all ends */
	size_t n_ignored;      /* bytes that came since then */
	bool is_joined;	       /* no HTTP any more: bytes both ways */
	struct websocket_relay *websocket; /* which are frames */
	struct request_record *record;
	bool has_secrets;   /* put into the request */
	struct scrub scrub; /* of what the server sends */
};

static void on_timer(uv_timer_t *timer);

/* ---- Streams ---- */

static void end(struct exchange *x, int error)
{
	if (!x->is_closing)
		x->events.ended(x->ctx, error);
}

static struct buf *out_of(struct exchange *x, int i)
{
	return stream_out(x->side[i].stream);
}

static bool has_output(const struct side *s)
{
	return stream_has_output(s->stream);
}

static bool is_full(const struct side *s)
{
	return stream_is_full(s->stream);
}

static bool has_input(const struct side *s)
{
	return s->in.len > 0;
}

/* Is it this side's turn to be read? What it sent before must have been used. */
static bool may_read(const struct exchange *x, int i)
{
	const struct side *s = &x->side[i];

	return !s->is_eof && !has_input(s) && !is_full(&x->side[1 - i]);
}

/* ---- Heads ---- */

static void refuse(struct exchange *x, const struct buf *answer)
{
	struct side *client = &x->side[RELAY_CLIENT];

	x->is_refused = true;
	/* In the middle of a response an answer would be taken for a part of it. */
	if (answer->len && !x->is_answering)
		(void)buf_append(out_of(x, RELAY_CLIENT), answer->data, answer->len);
	if (!has_output(client))
		end(x, -EPROTO);
	else
		(void)uv_timer_start(&x->timer, on_timer, LIMIT_PROXY_ANSWER_MS, 0);
}

static void refuse_malformed(struct exchange *x, int from, const char *what)
{
	_cleanup_buf_ struct buf answer = BUF_INIT(0);

	x->events.malformed(x->ctx, from == RELAY_CLIENT,
			    from == RELAY_SERVER ? TAKE_PTR(x->record) : NULL, what, &answer);
	refuse(x, &answer);
}

static void forward_request(struct exchange *x, const struct http_head *h, struct span target,
			    struct span host)
{
	struct exchange_head e = { .head = h,
				   .reader = x->side[RELAY_CLIENT].reader,
				   .is_upgrade = x->wants_upgrade,
				   .is_last = !http_keeps_alive(h) };
	int r = exchange_head_write_request(&e, target, host, out_of(x, RELAY_SERVER));

	x->is_old_client = h->minor == 0;
	x->is_last = e.is_last;
	x->is_bound |= exchange_head_binds_connection(h);
	x->is_chunked[RELAY_CLIENT] = e.is_chunked;
	h1_reader_expect(x->side[RELAY_SERVER].reader, h->method);
	x->is_asked = true;
	x->is_request_over = x->is_response_over = x->is_answering = false;
	if (r < 0)
		end(x, -EMSGSIZE);
}

/*
 * Only WebSocket may be upgraded to: what another protocol would do on the
 * connection cannot be judged. NULL, or what is wrong with how it is asked for.
 */
static const char *read_offer(struct exchange *x, const struct http_head *h)
{
	websocket_offer_done(&x->offer);
	return exchange_head_read_offer(h, x->side[RELAY_CLIENT].reader, &x->wants_upgrade,
					&x->offer);
}

static void judge_request(struct exchange *x)
{
	const struct http_head *h = h1_reader_head(x->side[RELAY_CLIENT].reader);
	_cleanup_(exchange_request_done) struct exchange_request r = { .record = NULL };
	const char *why = read_offer(x, h);

	(void)uv_timer_stop(&x->timer);
	if (why) {
		refuse_malformed(x, RELAY_CLIENT, why);
		return;
	}
	if (x->events.request(x->ctx, h, &r)) {
		x->record = r.record;
		x->has_secrets = r.head;
		forward_request(x, r.head ? r.head : h, buf_span(&r.target), buf_span(&r.host));
	} else {
		refuse(x, &r.answer);
	}
}

/* The request asked for none; what is encoded all the same could bring its secret back unseen. */
static bool is_unreadable(const struct exchange *x, const struct http_head *h)
{
	return x->has_secrets && exchange_head_is_encoded(h, x->side[RELAY_SERVER].reader);
}

/* The server agrees to an upgrade. False if it cannot be let. */
static bool join(struct exchange *x, const struct http_head *h)
{
	const char *why = x->wants_upgrade
				  ? websocket_check_answer(h, &x->offer)
				  : "the server changes to a protocol that nobody asked for";

	if (why) {
		refuse_malformed(x, RELAY_SERVER, why);
		return false;
	}
	x->is_joined = true;
	x->websocket = websocket_relay_new(x->scrub.needles);
	x->is_chunked[RELAY_CLIENT] = x->is_chunked[RELAY_SERVER] = false;
	return true;
}

/* What it means for the connection, before it is passed on. False if it is not. */
static bool accept_response(struct exchange *x, const struct http_head *h)
{
	bool is_interim = h->status < 200;

	if (h->status == 101 && !join(x, h))
		return false;
	if (is_interim)
		return !x->is_old_client; /* HTTP/1.0 knows none */
	if (!http_keeps_alive(h))
		x->is_last = true;
	if (!is_unreadable(x, h))
		return true;
	refuse_malformed(x, RELAY_SERVER,
			 "the response is encoded though that was not asked for, and could hold a "
			 "secret");
	return false;
}

static void pass_response(struct exchange *x, const struct http_head *h)
{
	struct exchange_head e = { .head = h,
				   .reader = x->side[RELAY_SERVER].reader,
				   .is_upgrade = x->is_joined,
				   .is_old_client = x->is_old_client,
				   .is_last = x->is_last };
	bool is_interim = h->status < 200;
	int r = exchange_head_write_response(&e, out_of(x, RELAY_CLIENT));

	if (!is_interim) {
		x->is_last = e.is_last;
		x->is_chunked[RELAY_SERVER] = e.is_chunked;
	}
	x->is_answering = !is_interim;
	if (r < 0)
		end(x, -EMSGSIZE);
	else if (!is_interim || x->is_joined)
		x->events.response(x->ctx, TAKE_PTR(x->record), h->status);
}

static void forward_response(struct exchange *x, const struct http_head *as_sent)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(4 * LIMIT_HTTP_HEAD);
	struct http_field items[LIMIT_HTTP_FIELDS];
	struct http_head h;

	if (exchange_head_scrub(x->scrub.needles, &arena, as_sent, items, &h) < 0)
		end(x, -EMSGSIZE);
	else if (accept_response(x, &h))
		pass_response(x, &h);
}

/* ---- Bodies ---- */

static void write_data(struct exchange *x, int from, struct span data)
{
	struct stream *to = x->side[1 - from].stream;
	int r;

	if (stream_is_shut(to))
		return;
	if (x->is_chunked[from])
		r = h1_write_chunk(stream_out(to), data);
	else
		r = stream_write(to, data);
	if (r < 0 && r != -ENOMEM && from == RELAY_CLIENT)
		stream_stop_writing(to);
	else if (r < 0)
		end(x, r);
}

static void forward_data(struct exchange *x, int from, struct span data)
{
	int r = from == RELAY_SERVER ? scrub_feed(&x->scrub, data, &data) : 0;

	if (r < 0)
		end(x, r);
	else
		write_data(x, from, data);
}

/* The server's bytes are at an end: what looked like the beginning of a secret was none. */
static void forward_rest(struct exchange *x)
{
	struct span rest;
	int r = scrub_finish(&x->scrub, &rest);

	if (r < 0)
		end(x, r);
	else if (rest.len)
		write_data(x, RELAY_SERVER, rest);
}

/*
 * What comes over a WebSocket is out of form. Both sides are told where that can
 * be, and all ends when they have gone, or soon.
 */
static void break_off(struct exchange *x, int from)
{
	_cleanup_buf_ struct buf what = BUF_INIT(0), unused = BUF_INIT(0);

	(void)buf_printf(&what, "in a WebSocket, from the %s: %s",
			 from == RELAY_CLIENT ? "client" : "server",
			 websocket_relay_error(x->websocket, from));
	x->events.malformed(x->ctx, from == RELAY_CLIENT, NULL, what.data, &unused);
	x->is_refused = true;
	(void)uv_timer_start(&x->timer, on_timer, LIMIT_PROXY_ANSWER_MS, 0);
	for (int i = 0; i < 2 && !x->is_closing; i++)
		if (!stream_is_shut(x->side[i].stream) &&
		    websocket_relay_close(x->websocket, from, i, out_of(x, i)) < 0)
			end(x, -EIO);
}

static void forward_frames(struct exchange *x, int from, struct span bytes)
{
	_cleanup_buf_ struct buf made = BUF_INIT(4 * LIMIT_PROXY_RELAY);
	struct span on;
	int r = websocket_relay_feed(x->websocket, from, bytes, &made, &on);

	if (r < 0 && r != -EPROTO) {
		end(x, r);
		return;
	}
	if (on.len)
		write_data(x, from, on);
	if (r == -EPROTO && !x->is_closing)
		break_off(x, from);
}

static int write_trailers(struct exchange *x, int from)
{
	return exchange_head_write_trailers(x->side[from].reader,
					    from == RELAY_SERVER ? x->scrub.needles : NULL,
					    out_of(x, 1 - from));
}

static void forward_end(struct exchange *x, int from)
{
	if (from == RELAY_SERVER)
		forward_rest(x);
	if (x->is_chunked[from] && !x->is_closing && write_trailers(x, from) < 0)
		end(x, -EMSGSIZE);
	if (from == RELAY_CLIENT)
		x->is_request_over = true;
	else
		x->is_response_over = true;
	if (!x->is_request_over || !x->is_response_over)
		return;
	x->is_asked = x->is_answering = false;
}

/* ---- Reading ---- */

/* Is what comes only read so that closing does not overtake what the side is told? */
static bool is_ignored(const struct exchange *x, int from)
{
	return x->is_refused && (from == RELAY_CLIENT || x->websocket);
}

/* Is there something that this side's next bytes can be? */
static bool is_awaited(const struct exchange *x, int from)
{
	if (x->is_closing || x->is_refused)
		return false;
	if (x->is_joined || x->sniff)
		return true;
	if (from == RELAY_CLIENT)
		return !x->is_asked ? !x->is_last : !x->is_request_over;
	return x->is_asked && !x->is_response_over;
}

static void take(struct exchange *x, int from, enum h1_event event, struct span data)
{
	switch (event) {
	case H1_MORE:
		break;
	case H1_HEAD:
		if (from == RELAY_CLIENT)
			judge_request(x);
		else
			forward_response(x, h1_reader_head(x->side[from].reader));
		break;
	case H1_DATA:
		forward_data(x, from, data);
		break;
	case H1_END:
		forward_end(x, from);
		break;
	case H1_BAD:
		refuse_malformed(x, from, h1_reader_error(x->side[from].reader));
		break;
	}
}

/* ---- What the client speaks ---- */

static void refuse_unseen(struct exchange *x, const char *what)
{
	_cleanup_buf_ struct buf answer = BUF_INIT(0);

	x->events.malformed(x->ctx, /* is_client = */ true, NULL, what, &answer);
	buf_reset(&answer); /* it would not be understood */
	refuse(x, &answer);
}

/* What it has said so far is enough, or there will be no more. */
static void settle_kind(struct exchange *x, enum sniff_kind kind)
{
	struct sniff *sniff = TAKE_PTR(x->sniff);

	(void)uv_timer_stop(&x->timer);
	if (kind == SNIFF_HTTP1 || kind == SNIFF_BAD)
		; /* the reader finds out what is bad */
	else if (x->events.other(x->ctx, kind))
		x->is_joined = true;
	else
		refuse_unseen(x, kind == SNIFF_RAW
					 ? "what the client speaks inside TLS is not HTTP, and a "
					   "policy looks at requests to this host"
					 : "what the client speaks inside TLS cannot be seen");
	buf_done(&x->side[RELAY_CLIENT].in);
	x->side[RELAY_CLIENT].in = sniff->seen;
	sniff->seen = (struct buf){ 0 };
	sniff_done(sniff);
	xfree(sniff);
}

/* Looks at what has come from a client that has not said yet what it speaks. True if it has now. */
static bool use_unknown(struct exchange *x)
{
	struct side *client = &x->side[RELAY_CLIENT];
	enum sniff_kind kind = sniff_feed(x->sniff, buf_span(&client->in));

	buf_reset(&client->in);
	if (kind == SNIFF_MORE && client->is_eof)
		kind = x->sniff->is_tls || x->sniff->head.has_request_line ? SNIFF_BAD : SNIFF_RAW;
	if (kind == SNIFF_MORE)
		return false;
	settle_kind(x, kind);
	return true;
}

/* Uses of the bytes what can be used now, and returns how many. */
static size_t use(struct exchange *x, int from, struct span bytes, bool *ret_used)
{
	struct h1_reader *reader = x->side[from].reader;
	struct span rest = bytes;

	while ((rest.len || h1_reader_has_ended(reader)) && is_awaited(x, from) &&
	       !is_full(&x->side[1 - from])) {
		struct span data = { 0 };
		size_t n = rest.len;

		*ret_used = true;
		if (x->websocket) {
			forward_frames(x, from, rest);
		} else if (x->is_joined || x->sniff) {
			forward_data(x, from, rest);
		} else {
			enum h1_event event = h1_reader_feed(reader, rest, &n, &data);

			take(x, from, event, data);
		}
		if (x->is_closing)
			return bytes.len;
		rest = span_from(rest, n);
	}
	return bytes.len - rest.len;
}

/* The same of what was kept. True if anything was used. */
static bool use_kept(struct exchange *x, int from)
{
	struct side *s = &x->side[from];
	bool is_used = false;
	size_t n;

	if (x->sniff && from == RELAY_CLIENT)
		return use_unknown(x);
	n = use(x, from, buf_span(&s->in), &is_used);
	if (x->is_closing)
		return false;
	buf_consume(&s->in, is_ignored(x, from) ? s->in.len : n);
	return is_used;
}

/* A side has ended, and all that it sent is used. Between requests that is the end of both. */
static void take_end(struct exchange *x, int from)
{
	struct h1_reader *reader = x->side[from].reader;

	if (x->is_joined || x->sniff) {
		if (from == RELAY_SERVER)
			forward_rest(x);
		return;
	}
	if (from == RELAY_CLIENT && !x->is_last && !x->is_asked)
		x->is_left = true;
	x->is_last = true;
	if (from == RELAY_CLIENT) {
		if (x->is_asked ? !x->is_request_over : !h1_reader_is_idle(reader))
			end(x, -ECONNRESET);
		return;
	}
	if (!x->is_asked)
		return;
	if (!x->is_response_over &&
	    (h1_reader_finish(reader) != H1_END || stream_was_cut(x->side[RELAY_SERVER].stream))) {
		end(x, -ECONNRESET); /* cut off: the client must see that */
		return;
	}
	if (!x->is_response_over)
		forward_end(x, from);
	x->is_asked = false; /* whatever there still is of the request, it is not wanted */
}

/* Uses what has come, and writes what is to go, until one of them has to wait. */
static void run(struct exchange *x)
{
	bool is_used = true;

	while (is_used && !x->is_closing) {
		int r = stream_flush(x->side[RELAY_CLIENT].stream);

		if (r < 0) {
			end(x, r);
			return;
		}
		if (stream_flush(x->side[RELAY_SERVER].stream) < 0)
			stream_stop_writing(x->side[RELAY_SERVER].stream);
		is_used = use_kept(x, RELAY_CLIENT);
		if (!x->is_closing)
			is_used |= use_kept(x, RELAY_SERVER);
	}
	for (int i = 0; i < 2 && !x->is_closing && !x->is_refused; i++)
		if (x->side[i].is_eof && !has_input(&x->side[i]))
			take_end(x, i);
}

/* How many bytes came; 0 at the end, negative errno. */
static ssize_t fill(struct exchange *x, int from)
{
	struct side *s = &x->side[from];
	ssize_t n = stream_read(s->stream, x->scratch, LIMIT_PROXY_RELAY);
	bool is_used = false;
	size_t used = 0;

	if (n < 0)
		return n;
	s->is_eof = n == 0;
	if (is_ignored(x, from)) {
		x->n_ignored += (size_t)n;
		return x->n_ignored > LIMIT_PROXY_IGNORED ? -ECONNRESET : n;
	}
	if (n > 0 && !(x->sniff && from == RELAY_CLIENT))
		used = use(x, from, span_make(x->scratch, (size_t)n), &is_used);
	if (n > (ssize_t)used && !x->is_closing && !is_ignored(x, from) &&
	    buf_append(&s->in, x->scratch + used, (size_t)n - used) < 0)
		return -ENOMEM;
	return n;
}

/* ---- The end of things ---- */

/* Bytes both ways: an end is passed on when all before it has been. */
static void shut_joined(struct exchange *x)
{
	for (int i = 0; i < 2; i++)
		if (x->side[i].is_eof && !has_input(&x->side[i]) && !has_output(&x->side[1 - i]))
			stream_shut(x->side[1 - i].stream);
	if (stream_is_shut(x->side[0].stream) && stream_is_shut(x->side[1].stream))
		end(x, 0);
}

/* A WebSocket was broken off: both are told, and have time to go. */
static void shut_broken(struct exchange *x)
{
	bool is_over = true;

	for (int i = 0; i < 2; i++) {
		if (!has_output(&x->side[i]))
			stream_shut(x->side[i].stream);
		is_over &= stream_is_shut(x->side[i].stream) && x->side[i].is_eof;
	}
	if (is_over)
		end(x, 0);
}

static void shut_when_over(struct exchange *x)
{
	struct side *client = &x->side[RELAY_CLIENT];

	if (x->websocket && x->is_refused) {
		shut_broken(x);
		return;
	}
	if (x->is_joined || x->sniff) {
		shut_joined(x);
		return;
	}
	if (has_output(client))
		return;
	if (x->is_refused)
		stream_shut(client->stream);
	if (x->is_refused ? client->is_eof
			  : x->is_last && !x->is_asked && !has_output(&x->side[RELAY_SERVER]))
		end(x, 0);
}

/* A head that has begun must come to its end; between requests a client may wait for ever. */
static void watch_head(struct exchange *x)
{
	bool is_partial = x->sniff ? x->sniff->seen.len > 0
				   : !x->is_joined && !x->is_refused && !x->is_asked &&
					     !h1_reader_is_idle(x->side[RELAY_CLIENT].reader);

	if (is_partial && !uv_is_active((uv_handle_t *)&x->timer))
		(void)uv_timer_start(&x->timer, on_timer, LIMIT_PROXY_HEAD_MS, 0);
}

static void settle(struct exchange *x)
{
	run(x);
	if (!x->is_closing)
		shut_when_over(x);
	if (x->is_closing)
		return;
	watch_head(x);
	for (int i = 0; i < 2; i++)
		stream_wait(x->side[i].stream, may_read(x, i));
}

static void on_timer(uv_timer_t *timer)
{
	end(timer->data, -ETIMEDOUT);
}

static void on_ready(void *ctx, struct stream *stream, int status)
{
	struct exchange *x = ctx;
	int i = stream == x->side[RELAY_SERVER].stream;
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

struct exchange *exchange_new(uv_loop_t *loop, struct stream *client, struct stream *server,
			      char *scratch, const struct exchange_events *events, void *ctx)
{
	struct exchange *x = xnew(struct exchange);
	struct stream *streams[2] = { client, server };

	x->scratch = scratch;
	x->events = *events;
	x->ctx = ctx;
	x->scrub.needles = events->secrets;
	for (int i = 0; i < 2; i++) {
		x->side[i].stream = streams[i];
		x->side[i].reader = h1_reader_new(i == RELAY_CLIENT ? H1_REQUESTS : H1_RESPONSES);
		stream_set_owner(streams[i], on_ready, x);
	}
	(void)uv_timer_init(loop, &x->timer);
	x->timer.data = x;
	return x;
}

void exchange_start(struct exchange *x, enum exchange_kind kind, struct span first_bytes)
{
	struct side *client = &x->side[RELAY_CLIENT];

	if (kind == EXCHANGE_UNKNOWN) {
		x->sniff = xnew(struct sniff);
		sniff_init(x->sniff);
	}
	stream_count(client->stream, first_bytes.len);
	(void)buf_append(&client->in, first_bytes.p, first_bytes.len);
	settle(x);
}

uint64_t exchange_bytes(const struct exchange *x, int from)
{
	return stream_bytes(x->side[from].stream);
}

static void on_closed(uv_handle_t *handle)
{
	struct exchange *x = handle->data;

	for (int i = 0; i < 2; i++) {
		h1_reader_free(x->side[i].reader);
		buf_done(&x->side[i].in);
	}
	if (x->sniff)
		sniff_done(x->sniff);
	xfree(x->sniff);
	websocket_relay_free(x->websocket);
	websocket_offer_done(&x->offer);
	scrub_done(&x->scrub);
	xfree(x);
}

struct stream *exchange_release(struct exchange *x)
{
	const struct side *server = &x->side[RELAY_SERVER];

	if (x->is_closing || !x->is_left || x->is_bound || x->is_refused || x->is_joined ||
	    x->sniff || server->is_eof || has_input(server) || has_output(server) ||
	    !h1_reader_is_idle(server->reader))
		return NULL;
	return TAKE_PTR(x->side[RELAY_SERVER].stream);
}

void exchange_free(struct exchange *x, bool abort)
{
	if (!x || x->is_closing)
		return;
	x->is_closing = true;
	for (int i = 0; i < 2; i++)
		stream_free(TAKE_PTR(x->side[i].stream), abort);
	uv_close((uv_handle_t *)&x->timer, on_closed);
}
