/*
 * HTTP/2's two ends: what they make of frames does not depend on how those come
 * in, what is out of form is no message, floods end the connection, and what the
 * other end does not take back is not sent.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/h2.h"

/* ---- One end, with all that happens to it as text ---- */

struct end {
	struct h2_session *session;
	struct buf text;
	struct h2_stream *streams[16]; /* by their first appearance */
	size_t n_streams;
	size_t n_sent, n_data;
	struct h2_stream *data_of; /* the event before was data of this stream */
};

static int number(struct end *e, struct h2_stream *st)
{
	size_t i = 0;

	while (i < e->n_streams && e->streams[i] != st)
		i++;
	if (i == e->n_streams && i < ARRAY_SIZE(e->streams))
		e->streams[e->n_streams++] = st;
	return (int)i;
}

static void note(struct end *e, struct h2_stream *st, const char *what)
{
	e->data_of = NULL;
	(void)buf_printf(&e->text, "%d%s", number(e, st), what);
}

static void note_fields(struct end *e, const struct http_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)buf_printf(&e->text, "|%.*s=%.*s%s", SPAN_ARG(fields[i].name),
				 SPAN_ARG(fields[i].value), fields[i].is_secret ? "!" : "");
}

static void on_head(void *ctx, struct h2_stream *st, const struct http_head *h, bool is_end)
{
	struct end *e = ctx;

	note(e, st, "[");
	if (h->status)
		(void)buf_printf(&e->text, "%d", h->status);
	else
		(void)buf_printf(&e->text, "%.*s %.*s %.*s %.*s", SPAN_ARG(h->method),
				 SPAN_ARG(h->scheme), SPAN_ARG(h->authority), SPAN_ARG(h->target));
	note_fields(e, h->fields, h->n_fields);
	(void)buf_append_str(&e->text, is_end ? "].\n" : "]\n");
}

static void on_bad_request(void *ctx, struct h2_stream *st, const char *why)
{
	struct end *e = ctx;

	note(e, st, " bad: ");
	(void)buf_printf(&e->text, "%s\n", why);
}

static void on_data(void *ctx, struct h2_stream *st, struct span data)
{
	struct end *e = ctx;

	e->n_data += data.len;
	if (e->data_of != st)
		note(e, st, ":");
	e->data_of = st;
	if (e->text.len < 100000)
		(void)buf_append_span(&e->text, data);
}

static void on_end(void *ctx, struct h2_stream *st, const struct http_field *trailers, size_t n)
{
	struct end *e = ctx;

	note(e, st, "$");
	note_fields(e, trailers, n);
	(void)buf_append_str(&e->text, "\n");
}

static void on_sent(void *ctx, struct h2_stream *st, size_t n)
{
	(void)st;
	((struct end *)ctx)->n_sent += n;
}

static void on_closed(void *ctx, struct h2_stream *st, uint32_t code, const char *why)
{
	struct end *e = ctx;

	note(e, st, " closed");
	(void)buf_printf(&e->text, " %u%s%s\n", code, why ? " " : "", why ? why : "");
}

static void on_goaway(void *ctx, uint32_t code)
{
	(void)buf_printf(&((struct end *)ctx)->text, "goaway %u\n", code);
}

static struct end new_end(enum h2_role role, struct end *e)
{
	static const struct h2_events events = { on_head, on_bad_request, on_data,  on_end,
						 on_sent, on_closed,	  on_goaway };

	*e = (struct end){ 0 };
	e->session = h2_session_new(role, &events, e);
	return *e;
}

static void free_end(struct end *e)
{
	h2_session_free(e->session);
	buf_done(&e->text);
}

static void feed_in_pieces(struct end *e, struct span bytes, size_t piece)
{
	for (; bytes.len; bytes = span_from(bytes, MIN(piece, bytes.len)))
		h2_session_feed(e->session, span_make(bytes.p, MIN(piece, bytes.len)), 1000);
}

/* Carries what either has to say to the other, until both are silent. */
static void talk(struct end *client, struct end *server, size_t piece)
{
	bool goes_on = true;

	while (goes_on) {
		_cleanup_buf_ struct buf there = BUF_INIT(0), back = BUF_INIT(0);

		goes_on = h2_session_pull(client->session, &there, SIZE_MAX) > 0;
		feed_in_pieces(server, buf_span(&there), piece);
		goes_on |= h2_session_pull(server->session, &back, SIZE_MAX) > 0;
		feed_in_pieces(client, buf_span(&back), piece);
	}
}

static void assert_text(struct end *e, const char *wanted)
{
	assert_string_equal(e->text.data ? e->text.data : "", wanted);
	buf_reset(&e->text);
}

static struct h2_stream *request(struct end *client, const char *method, bool is_end)
{
	struct http_field fields[] = { { SPAN("x"), SPAN("1") },
				       { SPAN("authorization"), SPAN("key"), true } };
	struct http_head h = { .method = span_of(method),
			       .scheme = SPAN("http"),
			       .authority = SPAN("h.test"),
			       .target = SPAN("/p?q"),
			       .fields = fields,
			       .n_fields = ARRAY_SIZE(fields) };
	struct h2_stream *st = h2_session_request(client->session, &h, is_end, NULL);

	assert_non_null(st);
	(void)number(client, st);
	return st;
}

/* ---- Messages ---- */

static const size_t pieces[] = { 1, 2, 7, 143, SIZE_MAX };

static void whole_messages_pass(void **state)
{
	struct http_field field = { SPAN("y"), SPAN("2") }, sum = { SPAN("sum"), SPAN("3") };
	struct http_head interim = { .status = 103, .fields = &field, .n_fields = 1 };
	struct http_head final = { .status = 200 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct end client, server;
		struct h2_stream *st;

		(void)new_end(H2_CLIENT, &client);
		(void)new_end(H2_SERVER, &server);
		st = request(&client, "POST", false);
		talk(&client, &server, pieces[i]);
		assert_text(&server, "0[POST http h.test /p?q|x=1|authorization=key!]\n");
		h2_stream_send(st, SPAN("some "));
		h2_stream_send(st, SPAN("body"));
		h2_stream_end(st, &sum, 1);
		talk(&client, &server, pieces[i]);
		assert_text(&server, "0:some body0$|sum=3\n");
		h2_stream_respond(server.streams[0], &interim, false);
		h2_stream_respond(server.streams[0], &final, false);
		h2_stream_send(server.streams[0], SPAN("answer"));
		h2_stream_end(server.streams[0], &sum, 1);
		talk(&client, &server, pieces[i]);
		assert_text(&client, "0[103|y=2]\n0[200]\n0:answer0$|sum=3\n0 closed 0\n");
		assert_text(&server, "0 closed 0\n");
		assert_null(h2_session_error(client.session));
		assert_null(h2_session_error(server.session));
		h2_session_leave(server.session, H2_NO_ERROR);
		talk(&client, &server, pieces[i]);
		assert_text(&client, "goaway 0\n");
		assert_true(h2_session_is_over(server.session));
		assert_true(h2_session_is_over(client.session));
		free_end(&client);
		free_end(&server);
	}
}

static void ends_and_resets_pass(void **state)
{
	struct http_head final = { .status = 204 };
	struct end client, server;
	struct h2_stream *st;

	(void)state;
	(void)new_end(H2_CLIENT, &client);
	(void)new_end(H2_SERVER, &server);
	(void)request(&client, "GET", true);
	talk(&client, &server, SIZE_MAX);
	assert_text(&server, "0[GET http h.test /p?q|x=1|authorization=key!].\n0$\n");
	h2_stream_respond(server.streams[0], &final, true);
	talk(&client, &server, SIZE_MAX);
	assert_text(&client, "0[204].\n0$\n0 closed 0\n");
	buf_reset(&server.text);
	server.n_streams = client.n_streams = 0;
	/* one that is given up before it was sent is never seen */
	h2_stream_reset(request(&client, "GET", true), H2_CANCEL);
	st = request(&client, "PUT", false);
	talk(&client, &server, SIZE_MAX);
	assert_text(&server, "0[PUT http h.test /p?q|x=1|authorization=key!]\n");
	assert_text(&client, "0 closed 8\n");
	h2_stream_reset(st, 13);
	talk(&client, &server, SIZE_MAX);
	assert_text(&server, "0 closed 13\n");
	assert_text(&client, "1 closed 13\n");
	free_end(&client);
	free_end(&server);
}

static void room_is_given_back_by_hand(void **state)
{
	static char much[64 * 1024];
	struct http_head final = { .status = 200 };
	struct end client, server;
	struct h2_stream *st[10];

	(void)state;
	memset(much, 'x', sizeof(much));
	(void)new_end(H2_CLIENT, &client);
	(void)new_end(H2_SERVER, &server);
	talk(&client, &server, SIZE_MAX);
	for (int i = 0; i < 10; i++) {
		st[i] = request(&client, "PUT", false);
		for (size_t n = 0; n < 2 * LIMIT_H2_STREAM_BYTES; n += sizeof(much))
			h2_stream_send(st[i], span_make(much, sizeof(much)));
		talk(&client, &server, SIZE_MAX);
		assert_int_equal(server.n_data, MIN((size_t)(i + 1) * LIMIT_H2_STREAM_BYTES,
						    LIMIT_H2_CONNECTION_BYTES));
		assert_int_equal(client.n_sent, server.n_data);
	}
	/* what one stream gives back is the connection's, too */
	h2_stream_give_back(server.streams[0], SIZE_MAX);
	talk(&client, &server, SIZE_MAX);
	assert_int_equal(server.n_data, LIMIT_H2_CONNECTION_BYTES + LIMIT_H2_STREAM_BYTES);
	/* so is what a stream held that is closed, unless it is taken over */
	h2_stream_reset(server.streams[1], H2_CANCEL);
	talk(&client, &server, SIZE_MAX);
	assert_in_range(server.n_data, LIMIT_H2_CONNECTION_BYTES + LIMIT_H2_STREAM_BYTES + 1,
			LIMIT_H2_CONNECTION_BYTES + 2 * LIMIT_H2_STREAM_BYTES);
	/* and the way back is open all the time */
	h2_stream_respond(server.streams[0], &final, true);
	talk(&client, &server, SIZE_MAX);
	assert_non_null(strstr(client.text.data, "0[200].\n0$\n"));
	free_end(&client);
	free_end(&server);
}

static void unwanted_data_is_stopped(void **state)
{
	static char much[LIMIT_H2_STREAM_BYTES];
	struct http_head final = { .status = 413 };
	struct end client, server;
	struct h2_stream *st;

	(void)state;
	(void)new_end(H2_CLIENT, &client);
	(void)new_end(H2_SERVER, &server);
	st = request(&client, "PUT", false);
	talk(&client, &server, SIZE_MAX);
	h2_stream_respond(server.streams[0], &final, true);
	h2_stream_stop(server.streams[0]);
	h2_stream_send(st, SPAN("a little"));
	talk(&client, &server, SIZE_MAX);
	assert_text(&client, "0[413].\n0$\n");
	h2_stream_give_back(server.streams[0], SIZE_MAX);
	h2_stream_send(st, span_make(much, sizeof(much)));
	talk(&client, &server, SIZE_MAX);
	assert_text(&client, "0 closed 0\n");
	free_end(&client);
	free_end(&server);
}

/* ---- Frames as a hostile peer makes them ---- */

static void put_frame(struct buf *to, uint8_t type, uint8_t flags, uint32_t stream,
		      struct span payload)
{
	const char head[9] = { (char)(payload.len >> 16),
			       (char)(payload.len >> 8),
			       (char)payload.len,
			       (char)type,
			       (char)flags,
			       (char)(stream >> 24),
			       (char)(stream >> 16),
			       (char)(stream >> 8),
			       (char)stream };

	(void)buf_append(to, head, sizeof(head));
	(void)buf_append_span(to, payload);
}

/* "name=value" pairs, NULL at the end, as literals without compression (RFC 7541 §6.2.2). */
static void put_block(struct buf *to, const char *const *pairs)
{
	for (; *pairs; pairs++) {
		/* a pseudo field's name has its colon first */
		const char *equals = strchr(*pairs, '=');
		size_t name_len = (size_t)(equals - *pairs);

		(void)buf_append_char(to, 0);
		(void)buf_append_char(to, (char)name_len);
		(void)buf_append(to, *pairs, name_len);
		(void)buf_append_char(to, (char)strlen(equals + 1));
		(void)buf_append_str(to, equals + 1);
	}
}

static void put_preface(struct buf *to)
{
	(void)buf_append_str(to, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	put_frame(to, 4, 0, 0, SPAN(""));
}

static void put_request(struct buf *to, uint32_t stream, uint8_t flags, const char *const *pairs)
{
	_cleanup_buf_ struct buf block = BUF_INIT(0);

	put_block(&block, pairs);
	put_frame(to, 1, flags, stream, buf_span(&block));
}

enum { END_STREAM = 1, END_HEADERS = 4 };

#define GOOD ":method=GET", ":scheme=http", ":authority=h.test", ":path=/"

static void malformed_requests_are_none(void **state)
{
	static const char *const cases[][9] = {
		{ ":scheme=http", ":authority=h.test", ":path=/" },
		{ ":method=GET", ":authority=h.test", ":path=/" },
		{ ":method=GET", ":scheme=http", ":authority=h.test" },
		{ ":method=GET", ":scheme=http", ":authority=h.test", ":path=" },
		{ ":method=GET", ":scheme=http", ":authority=h.test", ":path=x" },
		{ ":method=GET", ":scheme=http", ":authority=h.test", ":path=*" },
		{ ":method=GET", ":scheme=ftp", ":authority=h.test", ":path=x" },
		{ ":method=GET", ":scheme=http", ":authority=h.test", ":path=/a b" },
		{ ":method=GET", ":scheme=http", ":authority=h.test", ":path=/\x80" },
		{ ":method=G T", ":scheme=http", ":authority=h.test", ":path=/" },
		{ ":method=", ":scheme=http", ":authority=h.test", ":path=/" },
		{ ":method=GET", ":scheme=http", ":path=/" },
		{ ":method=GET", ":scheme=http", ":authority=", ":path=/" },
		{ ":method=CONNECT", ":authority=h.test:1" },
		{ ":method=CONNECT", ":scheme=http", ":authority=h.test", ":path=/" },
		{ ":method=CONNECT", ":protocol=websocket", ":scheme=http", ":authority=h.test",
		  ":path=/" },
		{ GOOD, ":path=/" },
		{ GOOD, ":status=200" },
		{ GOOD, ":x=y" },
		{ ":method=GET", ":scheme=http", ":path=/", "x=y", ":authority=h.test" },
		{ ":method=GET", ":scheme=http", ":path=/", "cookie=y", ":authority=h.test" },
		{ ":method=GET", ":scheme=http", ":path=/", "host=h.test", ":authority=h.test" },
		{ GOOD, "host=other.test" },
		{ GOOD, "host=h.test", "host=h.test" },
		{ GOOD, "connection=x" },
		{ GOOD, "keep-alive=1" },
		{ GOOD, "proxy-connection=x" },
		{ GOOD, "transfer-encoding=chunked" },
		{ GOOD, "upgrade=h2c" },
		{ GOOD, "http2-settings=x" },
		{ GOOD, "te=gzip" },
		{ GOOD, "Xx=y" },
		{ GOOD, "x y=z" },
		{ GOOD, "x:y=z" },
		{ GOOD, "=z" },
		{ GOOD, "x=a\r\nb" },
		{ GOOD, "x=a\nb" },
		{ GOOD, "x=a\x01" },
		{ GOOD, "x=a\x7f" },
		{ GOOD, "x= a" },
		{ GOOD, "x=a " },
		{ GOOD, "content-length=x" },
		{ GOOD, "content-length=1" },
		{ GOOD, "content-length=0", "content-length=0" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
			static const char *const good[] = { GOOD, "x=\xc3\xa4\t2", NULL };
			_cleanup_buf_ struct buf bytes = BUF_INIT(0), out = BUF_INIT(0);
			struct end e;

			put_preface(&bytes);
			put_request(&bytes, 1, END_STREAM | END_HEADERS, cases[i]);
			put_request(&bytes, 3, END_STREAM | END_HEADERS, good);
			(void)new_end(H2_SERVER, &e);
			feed_in_pieces(&e, buf_span(&bytes), pieces[j]);
			(void)h2_session_pull(e.session, &out, SIZE_MAX);
			/* the good one is seen, and nothing but it */
			if (!strstr(e.text.data, "[GET http h.test /|x=\xc3\xa4\t2].\n"))
				fail_msg("case %zu: %s", i, e.text.data);
			assert_ptr_equal(strchr(strchr(e.text.data, '[') + 1, '['), NULL);
			if (!strstr(e.text.data, " bad: ") && !strstr(e.text.data, " closed 1 "))
				fail_msg("case %zu: %s", i, e.text.data);
			assert_null(h2_session_error(e.session));
			free_end(&e);
		}
	}
}

static void equal_heads_are_read_alike(void **state)
{
	static const char *const pairs[] = {
		":method=GET", ":scheme=http", ":path=/",     "cookie=a=1", "x=y",
		"host=h.test", "cookie=b=2",   "te=trailers", "cookie=",    NULL
	};

	(void)state;
	for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(0), block = BUF_INIT(0);
		struct end e;

		put_block(&block, pairs);
		put_preface(&bytes);
		put_frame(&bytes, 1, END_STREAM, 1, span_make(block.data, 10));
		put_frame(&bytes, 9, 0, 1, SPAN(""));
		put_frame(&bytes, 9, END_HEADERS, 1, span_from(buf_span(&block), 10));
		(void)new_end(H2_SERVER, &e);
		feed_in_pieces(&e, buf_span(&bytes), pieces[j]);
		assert_text(&e, "0[GET http h.test /|x=y|te=trailers|cookie=a=1; b=2!].\n0$\n");
		free_end(&e);
	}
}

static void lengths_must_match(void **state)
{
	static const char *const pairs[] = { ":method=POST",	  ":scheme=http",
					     ":authority=h.test", ":path=/",
					     "content-length=5",  NULL };
	static const char *const bodies[] = { "1234", "123456", "12345" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(0), out = BUF_INIT(0);
		struct end e;

		put_preface(&bytes);
		put_request(&bytes, 1, END_HEADERS, pairs);
		put_frame(&bytes, 0, END_STREAM, 1, span_of(bodies[i]));
		(void)new_end(H2_SERVER, &e);
		feed_in_pieces(&e, buf_span(&bytes), SIZE_MAX);
		(void)h2_session_pull(e.session, &out, SIZE_MAX);
		assert_int_equal(strstr(e.text.data, "$") != NULL, i == 2);
		assert_int_equal(strstr(e.text.data, "closed 1 the body") != NULL, i < 2);
		free_end(&e);
	}
}

static void malformed_responses_are_none(void **state)
{
	static const char *const cases[][5] = {
		{ ":status=20" },
		{ ":status=abc" },
		{ ":status=101" },
		{ "x=y" },
		{ ":status=200", ":status=200" },
		{ ":status=200", ":path=/" },
		{ ":status=200", "connection=x" },
		{ ":status=200", "x=a\nb" },
		{ "x=y", ":status=200" },
		{ ":status=103" },
		{ ":status=200", "content-length=7" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
			_cleanup_buf_ struct buf bytes = BUF_INIT(0), out = BUF_INIT(0);
			struct end e;

			(void)new_end(H2_CLIENT, &e);
			(void)request(&e, "GET", true);
			(void)h2_session_pull(e.session, &out, SIZE_MAX);
			put_frame(&bytes, 4, 0, 0, SPAN(""));
			put_request(&bytes, 1, END_STREAM | END_HEADERS, cases[i]);
			feed_in_pieces(&e, buf_span(&bytes), pieces[j]);
			(void)h2_session_pull(e.session, &out, SIZE_MAX);
			assert_null(strstr(e.text.data, "["));
			if (!strstr(e.text.data, "0 closed 1 "))
				fail_msg("case %zu: %s", i, e.text.data);
			free_end(&e);
		}
	}
}

/* ---- Floods ---- */

struct flood {
	const char *name;
	uint8_t type, flags;
	uint32_t stream;
	struct span payload;
	uint32_t least; /* so many are taken */
	uint32_t most;
};

/* How many of the frames are taken before the connection is broken, SIZE_MAX: all of 4000. */
static size_t count_until_broken(const struct flood *f, size_t piece, uint64_t ms_between)
{
	struct end e;
	uint64_t now = 1000;
	size_t n = 0;

	(void)new_end(H2_SERVER, &e);
	for (; n < 4000 && !h2_session_error(e.session); n++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(0), out = BUF_INIT(0);

		if (n == 0)
			put_preface(&bytes);
		if (n == 0 && f->type == 9)
			put_frame(&bytes, 1, 0, 1, SPAN(""));
		put_frame(&bytes, f->type, f->flags, f->stream, f->payload);
		for (struct span rest = buf_span(&bytes); rest.len;
		     rest = span_from(rest, MIN(piece, rest.len)))
			h2_session_feed(e.session, span_make(rest.p, MIN(piece, rest.len)), now);
		(void)h2_session_pull(e.session, &out, SIZE_MAX);
		now += ms_between;
	}
	if (h2_session_error(e.session)) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		(void)h2_session_pull(e.session, &out, SIZE_MAX);
		assert_true(h2_session_is_over(e.session));
	}
	n = h2_session_error(e.session) ? n : SIZE_MAX;
	free_end(&e);
	return n;
}

static void floods_end_the_connection(void **state)
{
	static char long_piece[16000];
	const struct flood floods[] = {
		{ "ping", 6, 0, 0, SPAN("12345678"), 900, 1001 },
		{ "ping's answers", 6, 1, 0, SPAN("12345678"), 900, 1001 },
		{ "settings", 4, 0, 0, SPAN(""), 900, 1001 },
		{ "priority", 2, 0, 5, SPAN("\0\0\0\0\1"), 900, 1001 },
		{ "unknown", 77, 0, 0, SPAN(""), 900, 1001 },
		{ "continuation", 9, 0, 1, SPAN(""), 8, 9 },
		{ "long continuation", 9, 0, 1, span_make(long_piece, sizeof(long_piece)), 4, 5 },
		{ "push", 5, 4, 1, SPAN("\0\0\0\2"), 1, 1 },
	};

	(void)state;
	memset(long_piece, 0x82, sizeof(long_piece)); /* :method: GET */
	for (size_t i = 0; i < ARRAY_SIZE(floods); i++)
		for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
			size_t n = count_until_broken(&floods[i], pieces[j], 0);

			if (n < floods[i].least || n > floods[i].most)
				fail_msg("%s: %zu", floods[i].name, n);
		}
	/* the same over a longer time is no flood */
	assert_int_equal(count_until_broken(&floods[0], SIZE_MAX, 11), SIZE_MAX);
}

static void noise_with_traffic_is_no_flood(void **state)
{
	struct end client, server;
	struct http_head final = { .status = 200 };
	struct h2_stream *st;

	(void)state;
	(void)new_end(H2_CLIENT, &client);
	(void)new_end(H2_SERVER, &server);
	st = request(&client, "GET", true);
	talk(&client, &server, SIZE_MAX);
	h2_stream_respond(server.streams[0], &final, false);
	for (int i = 0; i < 5000; i++) {
		_cleanup_buf_ struct buf ping = BUF_INIT(0);

		put_frame(&ping, 6, 0, 0, SPAN("12345678"));
		h2_session_feed(server.session, buf_span(&ping), 1000);
		h2_stream_send(server.streams[0], SPAN("x"));
		if (i % 100 == 0)
			talk(&client, &server, SIZE_MAX);
		h2_stream_give_back(st, SIZE_MAX);
	}
	assert_null(h2_session_error(server.session));
	free_end(&client);
	free_end(&server);
}

static void resets_are_counted(void **state)
{
	static const char *const good[] = { GOOD, NULL };
	static const char *const bad[] = { ":method=CONNECT", ":authority=h.test", NULL };
	size_t counts[2];

	(void)state;
	for (int is_bad = 0; is_bad < 2; is_bad++) {
		struct end e;
		uint32_t id = 1;

		(void)new_end(H2_SERVER, &e);
		for (; id < 4000 && !h2_session_error(e.session); id += 2) {
			_cleanup_buf_ struct buf bytes = BUF_INIT(0), out = BUF_INIT(0);

			if (id == 1)
				put_preface(&bytes);
			put_request(&bytes, id, END_HEADERS, is_bad ? bad : good);
			if (!is_bad)
				put_frame(&bytes, 3, 0, id, SPAN("\0\0\0\x08"));
			e.n_streams = 0;
			feed_in_pieces(&e, buf_span(&bytes), SIZE_MAX);
			if (is_bad && e.n_streams)
				h2_stream_reset(e.streams[0], H2_PROTOCOL_ERROR);
			(void)h2_session_pull(e.session, &out, SIZE_MAX);
		}
		counts[is_bad] = id / 2;
		free_end(&e);
	}
	assert_in_range(counts[0], LIMIT_H2_RESETS, LIMIT_H2_RESETS + 2);
	assert_in_range(counts[1], LIMIT_H2_RESETS, LIMIT_H2_RESETS + 2);
}

static void streams_are_limited(void **state)
{
	static const char *const good[] = { GOOD, NULL };
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	struct end e;
	size_t n = 0;

	(void)state;
	(void)new_end(H2_SERVER, &e);
	put_preface(&bytes);
	for (uint32_t id = 1; id < 400; id += 2)
		put_request(&bytes, id, END_HEADERS, good);
	feed_in_pieces(&e, buf_span(&bytes), 999);
	for (const char *p = e.text.data; (p = strchr(p, '[')); p++)
		n++;
	assert_int_equal(n, LIMIT_H2_STREAMS);
	free_end(&e);
}

static void garbage_is_an_error(void **state)
{
	(void)state;
	for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct end e;

		(void)new_end(H2_SERVER, &e);
		feed_in_pieces(&e, SPAN("GET / HTTP/1.1\r\nHost: h.test\r\n\r\n"), pieces[j]);
		assert_non_null(h2_session_error(e.session));
		free_end(&e);
		(void)new_end(H2_CLIENT, &e);
		(void)request(&e, "GET", true);
		(void)h2_session_pull(e.session, &out, SIZE_MAX);
		feed_in_pieces(&e, SPAN("HTTP/1.1 400 Bad Request\r\n\r\n"), pieces[j]);
		(void)h2_session_pull(e.session, &out, SIZE_MAX);
		assert_non_null(h2_session_error(e.session));
		assert_true(h2_session_is_over(e.session));
		free_end(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_messages_pass),
		cmocka_unit_test(ends_and_resets_pass),
		cmocka_unit_test(room_is_given_back_by_hand),
		cmocka_unit_test(unwanted_data_is_stopped),
		cmocka_unit_test(malformed_requests_are_none),
		cmocka_unit_test(equal_heads_are_read_alike),
		cmocka_unit_test(lengths_must_match),
		cmocka_unit_test(malformed_responses_are_none),
		cmocka_unit_test(floods_end_the_connection),
		cmocka_unit_test(noise_with_traffic_is_no_flood),
		cmocka_unit_test(resets_are_counted),
		cmocka_unit_test(streams_are_limited),
		cmocka_unit_test(garbage_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
