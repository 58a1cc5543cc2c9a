#include "http/h2.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "http/h2-block.h"
#include "http/h2-meter.h"

struct h2_stream {
	TAILQ_ENTRY(h2_stream) entry;
	struct h2_session *session;
	int32_t id;
	void *ctx;

	/* What is to be sent: out from out_at on, then the trailers. */
	struct buf out;
	size_t out_at;
	struct h2_block *trailers;
	bool is_out_ended; /* nothing is added any more */
	bool is_out_sent;  /* END_STREAM is on its way */
	bool is_deferred;  /* nghttp2 waits until it is told that there is data */
	bool stops;	   /* the rest of the peer's message is not wanted */

	/* What comes. */
	size_t held;	    /* bytes of it that were not given back */
	size_t n_unwanted;  /* bytes of it that came all the same */
	bool is_head_known; /* the final head was reported */
	bool is_in_ended;
	bool is_reset;	 /* by either end */
	const char *why; /* malformed */
};

TAILQ_HEAD(h2_streams, h2_stream);

struct h2_session {
	nghttp2_session *ng;
	enum h2_role role;
	struct h2_events events;
	void *ctx;
	struct h2_meter meter;
	struct h2_block *block; /* of the head that is being read; none while there is no stream */
	struct h2_streams streams;
	size_t n_streams;
	uint32_t leave_code; /* of our own GOAWAY, which is no error of the peer's */
	const char *error;
	size_t returned; /* bytes of room in the connection's window that the peer does not know of
			  */
	bool is_dead;	 /* nghttp2 has given up */
};

/* ---- Streams ---- */

static struct h2_stream *stream_new(struct h2_session *s, int32_t id, void *ctx)
{
	struct h2_stream *st = xnew(struct h2_stream);

	st->session = s;
	st->id = id;
	st->ctx = ctx;
	TAILQ_INSERT_TAIL(&s->streams, st, entry);
	s->n_streams++;
	return st;
}

static void stream_free(struct h2_stream *st)
{
	TAILQ_REMOVE(&st->session->streams, st, entry);
	st->session->n_streams--;
	buf_done(&st->out);
	h2_block_free(st->trailers);
	xfree(st);
}

static struct h2_stream *find(struct h2_session *s, int32_t id)
{
	return nghttp2_session_get_stream_user_data(s->ng, id);
}

static void fail(struct h2_session *s, const char *why)
{
	if (!s->error)
		s->error = why;
}

/* ---- What comes ---- */

static struct h2_block *block_of(struct h2_session *s)
{
	if (!s->block)
		s->block = h2_block_new();
	return s->block;
}

static bool is_request(const nghttp2_frame *frame)
{
	return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st;

	h2_block_reset(block_of(s));
	if (s->role == H2_CLIENT || !is_request(frame))
		return 0;
	st = stream_new(s, frame->hd.stream_id, NULL);
	return nghttp2_session_set_stream_user_data(ng, st->id, st);
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *ctx)
{
	struct h2_session *s = ctx;

	(void)ng;
	(void)frame;
	h2_block_add(block_of(s), span_make(name, name_len), span_make(value, value_len),
		     flags & NGHTTP2_NV_FLAG_NO_INDEX);
	return 0;
}

/* nghttp2 would leave the field out and go on. */
static int on_invalid_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
			     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
			     void *ctx)
{
	(void)ng;
	(void)frame;
	(void)name;
	(void)name_len;
	(void)value;
	(void)value_len;
	(void)flags;
	(void)ctx;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void end_in(struct h2_stream *st, const struct http_head *trailers)
{
	st->is_in_ended = true;
	st->session->events.end(st->session->ctx, st, trailers ? trailers->fields : NULL,
				trailers ? trailers->n_fields : 0);
}

/* What nghttp2 let pass and we do not. */
static void refuse_block(struct h2_stream *st, const char *why)
{
	st->why = why;
	h2_meter_count_reset(&st->session->meter);
	h2_stream_reset(st, H2_PROTOCOL_ERROR);
}

static void take_request(struct h2_stream *st, struct h2_block *b, bool is_end)
{
	struct h2_session *s = st->session;

	h2_block_finish_request(b);
	st->is_head_known = true;
	if (b->error) {
		h2_meter_count_reset(&s->meter);
		s->events.bad_request(s->ctx, st, b->error);
	} else {
		s->events.head(s->ctx, st, &b->head, is_end);
	}
}

static void take_response(struct h2_stream *st, struct h2_block *b, bool is_end)
{
	h2_block_finish_response(b);
	if (!b->error && b->head.status < 200 && is_end)
		b->error = "an interim response is the end";
	if (b->error) {
		refuse_block(st, b->error);
		return;
	}
	st->is_head_known = b->head.status >= 200;
	st->session->events.head(st->session->ctx, st, &b->head, is_end);
}

static void take_headers(struct h2_stream *st, const nghttp2_frame *frame)
{
	struct h2_block *b = block_of(st->session);
	bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (st->is_head_known) {
		h2_block_finish_trailers(b);
		if (b->error || !is_end)
			refuse_block(st, b->error ? b->error : "trailers are not the end");
		else
			end_in(st, &b->head);
		return;
	}
	if (st->session->role == H2_SERVER)
		take_request(st, b, is_end);
	else
		take_response(st, b, is_end);
	if (is_end && !st->is_reset)
		end_in(st, NULL);
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st = frame->hd.stream_id ? find(s, frame->hd.stream_id) : NULL;

	(void)ng;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		s->events.goaway(s->ctx, frame->goaway.error_code);
	if (!st || st->is_reset)
		return 0;
	if (frame->hd.type == NGHTTP2_RST_STREAM)
		st->is_reset = true;
	else if (frame->hd.type == NGHTTP2_HEADERS)
		take_headers(st, frame);
	else if (frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		end_in(st, NULL);
	return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
		   void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st = find(s, id);

	(void)ng;
	(void)flags;
	if (!st || st->is_reset) {
		h2_session_give_back(s, len);
		return 0;
	}
	st->held += len;
	if (st->stops && st->is_out_sent && (st->n_unwanted += len) >= LIMIT_H2_STREAM_BYTES / 2)
		h2_stream_reset(st, H2_NO_ERROR);
	s->events.data(s->ctx, st, span_make(data, len));
	return 0;
}

static int on_invalid_frame(nghttp2_session *ng, const nghttp2_frame *frame, int code, void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st = frame->hd.stream_id ? find(s, frame->hd.stream_id) : NULL;

	(void)ng;
	if (!st)
		h2_meter_count_reset(&s->meter);
	if (!st || st->why)
		return 0;
	st->why = code == NGHTTP2_ERR_HTTP_HEADER      ? "a field that HTTP/2 does not allow there"
		  : code == NGHTTP2_ERR_HTTP_MESSAGING ? "the message is not one of HTTP"
						       : "a frame that does not belong there";
	return 0;
}

/* nghttp2 says nothing of these. */
static const char *why_closed(const struct h2_stream *st, uint32_t code)
{
	if (st->why || st->is_reset)
		return st->why;
	if (code == NGHTTP2_FLOW_CONTROL_ERROR)
		return "more data than there was leave for";
	return code == NGHTTP2_PROTOCOL_ERROR ? "the body is not as long as its content-length says"
					      : NULL;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st = find(s, id);

	(void)ng;
	if (!st)
		return 0;
	if (!st->is_reset && code != NGHTTP2_NO_ERROR)
		h2_meter_count_reset(&s->meter);
	s->events.closed(s->ctx, st, code, why_closed(st, code));
	h2_session_give_back(s, st->held);
	stream_free(st);
	return 0;
}

/* Too much of what costs the peer nothing: it is told to calm down, and not listened to any more.
 */
static void enforce_meter(struct h2_session *s)
{
	if (!s->meter.error || s->error)
		return;
	fail(s, s->meter.error);
	if (nghttp2_session_terminate_session(s->ng, s->meter.code) < 0)
		s->is_dead = true;
}

static void parse(struct h2_session *s, struct span bytes)
{
	ssize_t r = 0;

	if (bytes.len && !s->error)
		r = nghttp2_session_mem_recv(s->ng, (const uint8_t *)bytes.p, bytes.len);
	if (r >= 0)
		return;
	fail(s, "the bytes are not HTTP/2's");
	if (nghttp2_session_terminate_session(s->ng, NGHTTP2_PROTOCOL_ERROR) < 0)
		s->is_dead = true;
}

void h2_session_feed(struct h2_session *s, struct span bytes, uint64_t now_ms)
{
	struct span good;

	if (s->error || s->is_dead)
		return;
	/* A frame's head goes to nghttp2 as a whole: in pieces it counts as several CONTINUATIONs.
	 */
	good = h2_meter_feed(&s->meter, bytes, now_ms);
	parse(s, h2_meter_kept(&s->meter));
	parse(s, good);
	enforce_meter(s);
	if (s->n_streams == 0) {
		h2_block_free(s->block);
		s->block = NULL;
	}
}

void h2_stream_give_back(struct h2_stream *st, size_t n)
{
	n = MIN(n, st->held);
	if (n == 0)
		return;
	st->held -= n;
	if (nghttp2_session_consume_stream(st->session->ng, st->id, n) < 0)
		st->session->is_dead = true;
	h2_session_give_back(st->session, n);
}

size_t h2_stream_take_held(struct h2_stream *st)
{
	size_t n = st->held;

	st->held = 0;
	return n;
}

/*
 * nghttp2 would wait until half of the window can be given back, which a few
 * streams that nobody takes from would prevent for ever.
 */
void h2_session_give_back(struct h2_session *s, size_t n)
{
	s->returned += n;
	if (s->returned < LIMIT_H2_CONNECTION_BYTES / 32 || s->is_dead)
		return;
	if (nghttp2_submit_window_update(s->ng, NGHTTP2_FLAG_NONE, 0, (int32_t)s->returned) < 0)
		s->is_dead = true;
	s->returned = 0;
}

/* ---- What goes ---- */

static nghttp2_nv pair(struct span name, struct span value, bool is_secret)
{
	union {
		const char *from;
		uint8_t *to;
	} n = { name.p }, v = { value.p };

	return (nghttp2_nv){ n.to, v.to, name.len, value.len,
			     is_secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE };
}

struct pairs {
	nghttp2_nv items[H2_BLOCK_FIELDS + 4];
	size_t n;
};

static void add_fields(struct pairs *p, const struct http_field *fields, size_t n)
{
	for (size_t i = 0; i < n && p->n < ARRAY_SIZE(p->items); i++)
		p->items[p->n++] = pair(fields[i].name, fields[i].value, fields[i].is_secret);
}

static void submit_trailers(struct h2_stream *st)
{
	const struct http_head *h = &st->trailers->head;
	struct pairs p;

	p.n = 0;
	add_fields(&p, h->fields, h->n_fields);
	if (nghttp2_submit_trailer(st->session->ng, st->id, p.items, p.n) < 0)
		st->session->is_dead = true;
}

static void drop_sent(struct h2_stream *st)
{
	if (st->out_at == st->out.len) {
		buf_reset(&st->out);
		st->out_at = 0;
	} else if (st->out_at >= LIMIT_H2_STREAM_BYTES / 4) {
		buf_consume(&st->out, st->out_at);
		st->out_at = 0;
	}
}

static ssize_t read_out(nghttp2_session *ng, int32_t id, uint8_t *to, size_t len, uint32_t *flags,
			nghttp2_data_source *source, void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st = source->ptr;
	size_t n = MIN(len, st->out.len - st->out_at);

	(void)ng;
	(void)id;
	if (n) {
		memcpy(to, st->out.data + st->out_at, n);
		st->out_at += n;
		drop_sent(st);
		s->events.sent(s->ctx, st, n);
	}
	if (st->out.len == 0 && st->is_out_ended) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (st->trailers) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			submit_trailers(st);
		}
	} else if (n == 0) {
		st->is_deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	return (ssize_t)n;
}

static void resume(struct h2_stream *st)
{
	if (!st->is_deferred)
		return;
	st->is_deferred = false;
	if (nghttp2_session_resume_data(st->session->ng, st->id) < 0)
		st->session->is_dead = true;
}

void h2_stream_send(struct h2_stream *st, struct span data)
{
	if (st->is_reset || st->is_out_ended || data.len == 0)
		return;
	(void)buf_append_span(&st->out, data);
	resume(st);
}

/* Copies them, for they are sent behind the data. */
static void keep_trailers(struct h2_stream *st, const struct http_field *fields, size_t n)
{
	if (n == 0)
		return;
	st->trailers = h2_block_new();
	for (size_t i = 0; i < n; i++)
		h2_block_add(st->trailers, fields[i].name, fields[i].value, fields[i].is_secret);
	h2_block_finish_trailers(st->trailers);
	if (st->trailers->error) {
		h2_block_free(st->trailers);
		st->trailers = NULL;
	}
}

void h2_stream_end(struct h2_stream *st, const struct http_field *trailers, size_t n)
{
	if (st->is_reset || st->is_out_ended)
		return;
	st->is_out_ended = true;
	keep_trailers(st, trailers, n);
	resume(st);
}

void h2_stream_reset(struct h2_stream *st, uint32_t code)
{
	if (st->is_reset)
		return;
	st->is_reset = true;
	if (nghttp2_submit_rst_stream(st->session->ng, NGHTTP2_FLAG_NONE, st->id, code) < 0)
		st->session->is_dead = true;
}

/*
 * Not at once: there are clients that see no more than the reset, if it comes along
 * with the end of the response.
 */
void h2_stream_stop(struct h2_stream *st)
{
	st->stops = true;
}

static void status_text(int status, char text[3])
{
	text[0] = (char)('0' + status / 100 % 10);
	text[1] = (char)('0' + status / 10 % 10);
	text[2] = (char)('0' + status % 10);
}

void h2_stream_respond(struct h2_stream *st, const struct http_head *head, bool is_end)
{
	nghttp2_data_provider body = { { .ptr = st }, read_out };
	nghttp2_session *ng = st->session->ng;
	struct pairs p;
	char status[3];
	int r;

	if (st->is_reset || st->is_out_ended)
		return;
	p.n = 0;
	status_text(head->status, status);
	p.items[p.n++] = pair(SPAN(":status"), span_make(status, 3), false);
	add_fields(&p, head->fields, head->n_fields);
	if (head->status < 200) {
		r = nghttp2_submit_headers(ng, NGHTTP2_FLAG_NONE, st->id, NULL, p.items, p.n, NULL);
	} else {
		st->is_out_ended = is_end;
		r = nghttp2_submit_response(ng, st->id, p.items, p.n, is_end ? NULL : &body);
	}
	if (r < 0)
		st->session->is_dead = true;
}

struct h2_stream *h2_session_request(struct h2_session *s, const struct http_head *h, bool is_end,
				     void *ctx)
{
	struct h2_stream *st;
	nghttp2_data_provider body = { .read_callback = read_out };
	struct pairs p;

	if (s->is_dead || s->error || !nghttp2_session_check_request_allowed(s->ng))
		return NULL;
	st = stream_new(s, 0, ctx);
	body.source.ptr = st;
	st->is_out_ended = is_end;
	p.n = 0;
	p.items[p.n++] = pair(SPAN(":method"), h->method, false);
	p.items[p.n++] = pair(SPAN(":scheme"), h->scheme, false);
	p.items[p.n++] = pair(SPAN(":authority"), h->authority, false);
	p.items[p.n++] = pair(SPAN(":path"), h->target, false);
	add_fields(&p, h->fields, h->n_fields);
	st->id = nghttp2_submit_request(s->ng, NULL, p.items, p.n, is_end ? NULL : &body, st);
	if (st->id < 0) {
		stream_free(st);
		return NULL;
	}
	return st;
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct h2_session *s = ctx;
	struct h2_stream *st;

	(void)ng;
	if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != s->leave_code)
		fail(s, "the connection's frames are malformed");
	if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	h2_meter_forgive(&s->meter);
	st = find(s, frame->hd.stream_id);
	if (st && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		st->is_out_sent = true;
	return 0;
}

size_t h2_session_pull(struct h2_session *s, struct buf *out, size_t limit)
{
	size_t before = out->len;

	while (out->len < limit && !s->is_dead) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(s->ng, &data);

		if (n < 0)
			s->is_dead = true;
		if (n <= 0)
			break;
		(void)buf_append(out, data, (size_t)n);
	}
	enforce_meter(s);
	return out->len - before;
}

/* ---- Life ---- */

static nghttp2_option *make_options(void)
{
	nghttp2_option *o;

	if (nghttp2_option_new(&o) < 0)
		abort();
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_max_settings(o, LIMIT_H2_SETTINGS);
	nghttp2_option_set_max_reserved_remote_streams(o, 0);
	/* Until the peer says how many it takes. */
	nghttp2_option_set_peer_max_concurrent_streams(o, LIMIT_H2_STREAMS);
	/* Room for what a head of LIMIT_HTTP_HEAD could be in the worst case. */
	nghttp2_option_set_max_send_header_block_length(o, 2 * LIMIT_HTTP_HEAD);
	return o;
}

static nghttp2_session_callbacks *make_callbacks(void)
{
	nghttp2_session_callbacks *c;

	if (nghttp2_session_callbacks_new(&c) < 0)
		abort();
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(c, on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
	return c;
}

static void say_settings(struct h2_session *s)
{
	const nghttp2_settings_entry entries[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
		  s->role == H2_SERVER ? LIMIT_H2_STREAMS : 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, LIMIT_H2_STREAM_BYTES },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_HTTP_HEAD },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 }, /* a client's to say */
	};
	size_t n = ARRAY_SIZE(entries) - (s->role == H2_SERVER);

	if (nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, entries, n) < 0 ||
	    nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0,
						  (int32_t)LIMIT_H2_CONNECTION_BYTES) < 0)
		abort(); /* out of memory */
}

struct h2_session *h2_session_new(enum h2_role role, const struct h2_events *events, void *ctx)
{
	struct h2_session *s = xnew(struct h2_session);
	nghttp2_session_callbacks *callbacks = make_callbacks();
	nghttp2_option *options = make_options();

	s->role = role;
	s->events = *events;
	s->ctx = ctx;
	TAILQ_INIT(&s->streams);
	h2_meter_init(&s->meter, role == H2_SERVER);
	if ((role == H2_SERVER ? nghttp2_session_server_new2(&s->ng, callbacks, s, options)
			       : nghttp2_session_client_new2(&s->ng, callbacks, s, options)) < 0)
		abort();
	nghttp2_option_del(options);
	nghttp2_session_callbacks_del(callbacks);
	say_settings(s);
	return s;
}

void h2_session_free(struct h2_session *s)
{
	if (!s)
		return;
	nghttp2_session_del(s->ng);
	while (!TAILQ_EMPTY(&s->streams))
		stream_free(TAILQ_FIRST(&s->streams));
	h2_block_free(s->block);
	xfree(s);
}

void h2_session_set_ctx(struct h2_session *s, void *ctx)
{
	s->ctx = ctx;
}

bool h2_session_is_idle(const struct h2_session *s)
{
	return !s->is_dead && !s->error && s->n_streams == 0 &&
	       nghttp2_session_check_request_allowed(s->ng) && !nghttp2_session_want_write(s->ng);
}

bool h2_session_is_over(const struct h2_session *s)
{
	return s->is_dead ||
	       (!nghttp2_session_want_read(s->ng) && !nghttp2_session_want_write(s->ng));
}

const char *h2_session_error(const struct h2_session *s)
{
	return s->error;
}

void h2_session_leave(struct h2_session *s, uint32_t code)
{
	int32_t last = nghttp2_session_get_last_proc_stream_id(s->ng);

	s->leave_code = code;
	if (!s->is_dead && nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE, last, code, NULL, 0) < 0)
		s->is_dead = true;
}

void h2_stream_set_ctx(struct h2_stream *st, void *ctx)
{
	st->ctx = ctx;
}

void *h2_stream_ctx(const struct h2_stream *st)
{
	return st->ctx;
}
