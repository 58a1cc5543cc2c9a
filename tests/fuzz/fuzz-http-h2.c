/*
 * Any frames from an HTTP/2 client or server: what they are read as must not
 * depend on how they are split, and a request that was read and is written anew
 * must be read the same way again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_INPUT ((size_t)64 * 1024)
#define MAX_STREAMS 64

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* What one end was told, in order. */
struct outcome {
	struct buf text;
	struct h2_stream *streams[MAX_STREAMS];
	struct buf bodies[MAX_STREAMS];
	size_t n_streams, left_at;
	bool is_left;	 /* the peer has said that it goes: what it says then may be ignored */
	bool is_checked; /* a request was written anew */
	bool checks;
};

static size_t number(struct outcome *o, struct h2_stream *st)
{
	size_t i = 0;

	while (i < o->n_streams && o->streams[i] != st)
		i++;
	if (i == o->n_streams && i < MAX_STREAMS)
		o->streams[o->n_streams++] = st;
	return i;
}

static void note(struct outcome *o, struct h2_stream *st, const char *what)
{
	(void)buf_printf(&o->text, "\n%zu %s", number(o, st), what);
}

static void outcome_done(struct outcome *o)
{
	buf_done(&o->text);
	for (size_t i = 0; i < MAX_STREAMS; i++)
		buf_done(&o->bodies[i]);
}

static void describe(struct buf *out, const struct http_head *h)
{
	(void)buf_printf(out, "%d %.*s %.*s %.*s %.*s", h->status, SPAN_ARG(h->method),
			 SPAN_ARG(h->scheme), SPAN_ARG(h->authority), SPAN_ARG(h->target));
	for (size_t i = 0; i < h->n_fields; i++) {
		require(http_is_token(h->fields[i].name) && http_is_value(h->fields[i].value));
		(void)buf_printf(out, "|%.*s=%.*s", SPAN_ARG(h->fields[i].name),
				 SPAN_ARG(h->fields[i].value));
	}
}

static void check_again(const struct http_head *h);

static void on_head(void *ctx, struct h2_stream *st, const struct http_head *h, bool is_end)
{
	struct outcome *o = ctx;

	note(o, st, is_end ? "whole " : "head ");
	describe(&o->text, h);
	require(h->status || (http_is_token(h->method) && http_is_target(h->target) &&
			      h->authority.len && (h->target.p[0] == '/' || h->target.len == 1)));
	if (o->checks && !o->is_checked && !h->status && !http_field_find(h, "content-length")) {
		o->is_checked = true;
		check_again(h);
	}
}

static void on_bad_request(void *ctx, struct h2_stream *st, const char *why)
{
	note(ctx, st, why);
	h2_stream_reset(st, H2_PROTOCOL_ERROR);
}

/* A body that goes wrong has given what came before by then: only whole ones are compared. */
static void on_data(void *ctx, struct h2_stream *st, struct span data)
{
	struct outcome *o = ctx;
	size_t i = number(o, st);

	if (i < MAX_STREAMS)
		(void)buf_append_span(&o->bodies[i], data);
	h2_stream_give_back(st, data.len / 2);
}

static void on_end(void *ctx, struct h2_stream *st, const struct http_field *trailers, size_t n)
{
	struct http_head h = { .fields = trailers, .n_fields = n };
	struct outcome *o = ctx;
	size_t i = number(o, st);

	note(o, st, "end ");
	describe(&o->text, &h);
	if (i < MAX_STREAMS)
		(void)buf_append_span(&o->text, buf_span(&o->bodies[i]));
}

static void on_sent(void *ctx, struct h2_stream *st, size_t n)
{
	(void)ctx;
	(void)st;
	(void)n;
}

static void on_closed(void *ctx, struct h2_stream *st, uint32_t code, const char *why)
{
	struct outcome *o = ctx;

	note(ctx, st, why ? why : "closed");
	(void)buf_printf(&o->text, " %u", code);
	/* another may get its place in memory */
	for (size_t i = 0; i < o->n_streams; i++)
		if (o->streams[i] == st)
			o->streams[i] = NULL;
}

static void on_goaway(void *ctx, uint32_t code)
{
	struct outcome *o = ctx;

	if (!o->is_left)
		(void)buf_printf(&o->text, "\ngoaway %u", code);
	if (!o->is_left)
		o->left_at = o->text.len;
	o->is_left = true;
}

static const struct h2_events events = { on_head, on_bad_request, on_data,  on_end,
					 on_sent, on_closed,	  on_goaway };

/* The request, from one of our ends to another. */
static void check_again(const struct http_head *h)
{
	struct outcome there = { .checks = false }, back = { .checks = false };
	struct h2_session *client = h2_session_new(H2_CLIENT, &events, &back);
	struct h2_session *server = h2_session_new(H2_SERVER, &events, &there);
	_cleanup_buf_ struct buf bytes = BUF_INIT(0), wanted = BUF_INIT(0);

	require(h2_session_request(client, h, true, NULL) != NULL);
	(void)h2_session_pull(client, &bytes, SIZE_MAX);
	h2_session_feed(server, buf_span(&bytes), 1);
	(void)buf_append_str(&wanted, "\n0 whole ");
	describe(&wanted, h);
	require(span_starts_with(buf_span(&there.text), buf_span(&wanted)));
	h2_session_free(client);
	h2_session_free(server);
	outcome_done(&there);
	outcome_done(&back);
}

static void ask(struct h2_session *s, struct outcome *o)
{
	const char *const methods[] = { "GET", "HEAD", "POST" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct http_head h = { .method = span_of(methods[i]),
				       .scheme = SPAN("http"),
				       .authority = SPAN("h.test"),
				       .target = SPAN("/") };
		struct h2_stream *st = h2_session_request(s, &h, i < 2, NULL);

		note(o, st, "asked");
	}
}

static struct outcome read_in_pieces(enum h2_role role, struct span bytes, size_t piece)
{
	struct outcome o = { .text = BUF_INIT(0), .checks = piece > bytes.len };
	struct h2_session *s = h2_session_new(role, &events, &o);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	if (role == H2_CLIENT) {
		ask(s, &o);
		(void)h2_session_pull(s, &out, SIZE_MAX);
	} else {
		h2_session_feed(s, SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 1);
	}
	for (size_t at = 0; at < bytes.len; at += piece)
		h2_session_feed(s, span_make(bytes.p + at, MIN(piece, bytes.len - at)), 1);
	(void)h2_session_pull(s, &out, SIZE_MAX);
	if (o.is_left)
		o.text.len = o.left_at;
	(void)buf_printf(&o.text, "\n%s",
			 h2_session_error(s) && !o.is_left ? h2_session_error(s) : "good");
	h2_session_free(s);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 7, 143 };
	enum h2_role role = size && data[0] & 1 ? H2_CLIENT : H2_SERVER;
	struct span bytes = span_make(data + (size > 0), size ? MIN(size - 1, MAX_INPUT) : 0);
	struct outcome whole = read_in_pieces(role, bytes, bytes.len + 1);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome o = read_in_pieces(role, bytes, pieces[i]);

		require(span_eq(buf_span(&o.text), buf_span(&whole.text)));
		outcome_done(&o);
	}
	outcome_done(&whole);
	return 0;
}
