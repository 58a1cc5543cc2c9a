/*
 * The HTTP/1 reader: what it makes of messages does not depend on how they come
 * in, what is out of form is refused, and what is written is read the same way.
 */
#include "unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "http/h1-reader.h"
#include "http/h1-writer.h"

#define HOST "Host: h.test\r\n"

/* Everything that a stream brought, as text: compared whole. */
static void describe_head(const struct h1_reader *r, enum h1_side side, struct buf *out)
{
	const struct http_head *h = h1_reader_head(r);
	uint64_t length;
	enum h1_body body = h1_reader_body(r, &length);

	if (side == H1_REQUESTS)
		(void)buf_printf(out, "[%.*s %.*s 1.%d", SPAN_ARG(h->method), SPAN_ARG(h->target),
				 h->minor);
	else
		(void)buf_printf(out, "[%d %.*s 1.%d", h->status, SPAN_ARG(h->reason), h->minor);
	(void)buf_printf(out, " body %d %llu", body, (unsigned long long)length);
	for (size_t i = 0; i < h->n_fields; i++)
		(void)buf_printf(out, "|%.*s=%.*s", SPAN_ARG(h->fields[i].name),
				 SPAN_ARG(h->fields[i].value));
	(void)buf_append_str(out, "]");
}

struct outcome {
	struct buf text;
	bool is_bad, is_upgraded;
};

static void take(struct outcome *o, struct h1_reader *r, enum h1_side side, enum h1_event event,
		 struct span data)
{
	const struct http_field *trailers;
	size_t n;

	switch (event) {
	case H1_HEAD:
		describe_head(r, side, &o->text);
		break;
	case H1_DATA:
		(void)buf_append_span(&o->text, data);
		break;
	case H1_END:
		trailers = h1_reader_trailers(r, &n);
		for (size_t i = 0; i < n; i++)
			(void)buf_printf(&o->text, "+%.*s=%.*s", SPAN_ARG(trailers[i].name),
					 SPAN_ARG(trailers[i].value));
		(void)buf_append_str(&o->text, "$");
		break;
	case H1_BAD:
		assert_string_not_equal(h1_reader_error(r), "");
		o->is_bad = true;
		break;
	case H1_MORE:
		break;
	}
}

static void feed(struct outcome *o, struct h1_reader *r, enum h1_side side, struct span piece)
{
	while (!o->is_bad && !o->is_upgraded && (piece.len || h1_reader_has_ended(r))) {
		struct span data;
		size_t used;
		enum h1_event event = h1_reader_feed(r, piece, &used, &data);

		assert_true(used <= piece.len);
		take(o, r, side, event, data);
		piece = span_from(piece, used);
		o->is_upgraded = event == H1_HEAD && h1_reader_head(r)->status == 101;
	}
}

/* Reads the bytes in two pieces, or (at 0) one by one. */
static struct outcome read_all(enum h1_side side, const char *method, struct span bytes, size_t at)
{
	struct outcome o = { .text = BUF_INIT(0) };
	struct h1_reader *r = h1_reader_new(side);

	h1_reader_expect(r, span_of(method));
	if (at == 0)
		for (size_t i = 0; i < bytes.len; i++)
			feed(&o, r, side, span_make(bytes.p + i, 1));
	else
		feed(&o, r, side, span_make(bytes.p, at));
	if (at)
		feed(&o, r, side, span_from(bytes, at));
	if (!o.is_bad && !o.is_upgraded) {
		take(&o, r, side, h1_reader_finish(r), (struct span){ 0 });
		assert_true(o.is_bad || h1_reader_is_idle(r));
	}
	h1_reader_free(r);
	return o;
}

/* want NULL: refused. */
static void expect(enum h1_side side, const char *method, struct span bytes, const char *want)
{
	for (size_t at = bytes.len;; at--) {
		struct outcome o = read_all(side, method, bytes, at);

		if (want ? o.is_bad || !span_eq_str(buf_span(&o.text), want) : !o.is_bad)
			fail_msg("split at %zu of\n%.*s\ngot%s %s", at, SPAN_ARG(bytes),
				 o.is_bad ? " refused" : "", o.text.len ? o.text.data : "");
		buf_done(&o.text);
		if (at == 0)
			return;
	}
}

static void request(const char *text, const char *want)
{
	expect(H1_REQUESTS, "", span_of(text), want);
}

static void response(const char *method, const char *text, const char *want)
{
	expect(H1_RESPONSES, method, span_of(text), want);
}

static void requests(void **state)
{
	(void)state;
	request("GET / HTTP/1.1\r\n" HOST "\r\n", "[GET / 1.1 body 0 0|host=h.test]$");
	request("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "[GET / 1.1 body 0 0|host=h.test]$");
	request("GET / HTTP/1.0\r\n\r\n", "[GET / 1.0 body 0 0]$");
	request("GET / HTTP/1.1\r\nhOsT:  h.test \t\r\nX-A:\r\nX-A: b c\r\n\r\n",
		"[GET / 1.1 body 0 0|host=h.test|x-a=|x-a=b c]$");
	request("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" HOST
		"\r\n",
		"[POST /x 1.1 body 1 3|host=h.test|content-length=3]abc$[GET / 1.1 body 0 "
		"0|host=h.test]$");
	request("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
		"[POST / 1.1 body 1 0|host=h.test|content-length=0]$");
	request("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
		"3;a=b;c=\"d\"\r\nabc\r\n0a\r\n0123456789\r\n0\r\nX-T: u\r\n\r\n",
		"[POST / 1.1 body 2 0|host=h.test|transfer-encoding=Chunked]abc0123456789+x-t=u$");
	request("GET / HTTP/1.1\r\n" HOST "X: \xff\xc3\r\n\r\n",
		"[GET / 1.1 body 0 0|host=h.test|x=\xff\xc3]$");
}

static void refused_requests(void **state)
{
	static const char *const cases[] = {
		/* lines */
		"GET / HTTP/1.1\n" HOST "\r\n",
		"GET / HTTP/1.1\r\nHost: h.test\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r.test\r\n\r\n",
		"GET / HTTP/1.1\r\r\n" HOST "\r\n",
		"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
		"\nGET / HTTP/1.1\r\n" HOST "\r\n",
		" GET / HTTP/1.1\r\n" HOST "\r\n",
		"GET  / HTTP/1.1\r\n" HOST "\r\n",
		"GET /  HTTP/1.1\r\n" HOST "\r\n",
		"GET / HTTP/1.1 \r\n" HOST "\r\n",
		"GET /\tHTTP/1.1\r\n" HOST "\r\n",
		"GET / HTTP/1.2\r\n" HOST "\r\n",
		"GET / HTTP/2.0\r\n" HOST "\r\n",
		"GET / http/1.1\r\n" HOST "\r\n",
		"GET /\r\n" HOST "\r\n",
		"GET / \r\n" HOST "\r\n",
		"G(T / HTTP/1.1\r\n" HOST "\r\n",
		"GET /\x80 HTTP/1.1\r\n" HOST "\r\n",
		"GET /\x7f HTTP/1.1\r\n" HOST "\r\n",
		/* fields */
		"GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n",
		"GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n",
		"GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X\x80: a\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST HOST "\r\n",
		"GET / HTTP/1.0\r\n" HOST HOST "\r\n",
		/* lengths */
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na",
		"POST / HTTP/1.1\r\n" HOST
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		/* chunks */
		CHUNKED "g\r\n",
		CHUNKED "\r\n",
		CHUNKED " 1\r\na\r\n0\r\n\r\n",
		CHUNKED "1 \r\na\r\n0\r\n\r\n",
		CHUNKED "0x1\r\na\r\n0\r\n\r\n",
		CHUNKED "-1\r\na\r\n0\r\n\r\n",
		CHUNKED "1\na\r\n0\r\n\r\n",
		CHUNKED "1;\x01\r\na\r\n0\r\n\r\n",
		CHUNKED "1\r\nab\r\n0\r\n\r\n",
		CHUNKED "1\r\na\n0\r\n\r\n",
		CHUNKED "1\r\na\r0\r\n\r\n",
		CHUNKED "2\r\na\r\n0\r\n\r\n",
		CHUNKED "1000000000000000\r\na",
		CHUNKED "0\r\nContent-Length: 1\r\n\r\n",
		CHUNKED "0\r\nHost: other\r\n\r\n",
		CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		CHUNKED "0\r\nAuthorization: x\r\n\r\n",
		CHUNKED "0\r\nX : a\r\n\r\n",
		CHUNKED "0\r\nX: a\n\r\n",
		CHUNKED "0\r\n",
		CHUNKED "0\r\n\r",
		/* cut off */
		("GET / HTTP/1.1\r\n" HOST),
		"G",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		request(cases[i], NULL);
	expect(H1_REQUESTS, "", SPAN("GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"), NULL);
	expect(H1_REQUESTS, "", SPAN("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), NULL);
}

static void responses(void **state)
{
	(void)state;
	response("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
		 "[200 OK 1.1 body 1 2|content-length=2]ab$");
	response("GET", "HTTP/1.1 200 \r\n\r\nall until the end", "[200  1.1 body 3 0]all until the end$");
	response("GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		 "[200  1.1 body 1 0|content-length=0]$");
	response("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		 "[200 OK 1.1 body 0 5|content-length=5]$");
	response("GET", "HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n",
		 "[304 No 1.1 body 0 5|content-length=5]$");
	response("GET", "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		 "[204 No 1.1 body 0 0]$[200 OK 1.1 body 1 0|content-length=0]$");
	response("GET",
		 "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 "
		 "OK\r\nContent-Length: 1\r\n\r\na",
		 "[100 Continue 1.1 body 0 0][103 Early 1.1 body 0 0|link=x][200 OK 1.1 body 1 "
		 "1|content-length=1]a$");
	response("GET", "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x00",
		 "[101 Switching 1.1 body 0 0|upgrade=websocket]");
	response("GET", "HTTP/1.0 200 OK\r\n\r\n", "[200 OK 1.0 body 3 0]$");
}

static void refused_responses(void **state)
{
	static const char *const cases[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/2 200 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 O\x01K\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		response("GET", cases[i], NULL);
}

static struct outcome of_text(const struct buf *text)
{
	return read_all(H1_REQUESTS, "", buf_span(text), text->len);
}

static void limits(void **state)
{
	static const char *const repeated[] = { "X: a\r\n", "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" };
	static const int most[] = { 199, 190 }, too_many[] = { 200, 2000 };
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++)
		for (int is_over = 0; is_over < 2; is_over++) {
			_cleanup_buf_ struct buf text = BUF_INIT(0);

			(void)buf_append_str(&text, "GET / HTTP/1.1\r\n" HOST);
			for (int n = is_over ? too_many[i] : most[i]; n > 0; n--)
				(void)buf_append_str(&text, repeated[i]);
			(void)buf_append_str(&text, "\r\n");
			o = of_text(&text);
			assert_int_equal(o.is_bad, is_over);
			buf_done(&o.text);
		}
	for (int is_over = 0; is_over < 2; is_over++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		(void)buf_append_str(&text, "GET /");
		for (int n = 0; n < (is_over ? 20000 : 16000); n++)
			(void)buf_append_char(&text, 'a');
		(void)buf_append_str(&text, " HTTP/1.1\r\n" HOST "\r\n");
		o = of_text(&text);
		assert_int_equal(o.is_bad, is_over);
		buf_done(&o.text);
	}
}

/* Nothing that never ends a line, a size or a head is kept without bound. */
static void endless_input_is_refused(void **state)
{
	static const char *const beginnings[] = {
		"", "GET / HTTP/1.1\r\nX: ", CHUNKED, CHUNKED "1;", CHUNKED "0\r\nX: "
	};
	char a[1000];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		struct h1_reader *r = h1_reader_new(H1_REQUESTS);
		struct outcome o = { .text = BUF_INIT(0) };
		int n = 0;

		feed(&o, r, H1_REQUESTS, span_of(beginnings[i]));
		for (; n < 100 && !o.is_bad; n++)
			feed(&o, r, H1_REQUESTS, span_make(a, sizeof(a)));
		assert_true(o.is_bad && n < 100);
		buf_done(&o.text);
		h1_reader_free(r);
	}
}

static void what_is_written_is_read(void **state)
{
	const struct http_field fields[] = { { SPAN("host"), SPAN("h.test") },
					     { SPAN("transfer-encoding"), SPAN("chunked") },
					     { SPAN("x"), SPAN("") } };
	const struct http_field trailer = { SPAN("x-t"), SPAN("v") };
	struct http_head h = { .method = SPAN("PUT"), .target = SPAN("/a?b"), .fields = fields,
			       .n_fields = ARRAY_SIZE(fields) };
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(h1_write_request(&out, &h), 0);
	assert_int_equal(h1_write_chunk(&out, SPAN("abc")), 0);
	assert_int_equal(h1_write_chunk(&out, (struct span){ 0 }), 0);
	assert_int_equal(h1_write_chunk(&out, SPAN("0123456789abcdef")), 0);
	assert_int_equal(h1_write_last_chunk(&out, &trailer, 1), 0);
	expect(H1_REQUESTS, "", buf_span(&out),
	       "[PUT /a?b 1.1 body 2 0|host=h.test|transfer-encoding=chunked|x=]abc0123456789abcdef+x-t=v$");
}

static void nothing_splits_what_is_written(void **state)
{
	const struct http_field bad[] = { { SPAN("x"), SPAN("a\r\nb: c") },
						 { SPAN("x"), SPAN("a\nb") },
						 { SPAN("x"), SPAN("a\0b") },
						 { SPAN("x y"), SPAN("a") },
						 { SPAN("x:"), SPAN("a") },
						 { SPAN(""), SPAN("a") },
						 { SPAN("x\r\n"), SPAN("a") } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct http_head h = { .method = SPAN("GET"), .target = SPAN("/"), .status = 200,
				       .fields = &bad[i], .n_fields = 1 };

		assert_true(h1_write_request(&out, &h) < 0);
		assert_true(h1_write_response(&out, &h) < 0);
		assert_true(h1_write_last_chunk(&out, &bad[i], 1) < 0);
	}
	for (int i = 0; i < 3; i++) {
		const struct span targets[] = { SPAN("/ x"), SPAN("/\r\n"), SPAN("") };
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct http_head h = { .method = SPAN("GET"), .target = targets[i] };

		assert_true(h1_write_request(&out, &h) < 0);
	}
}

static void lists(void **state)
{
	const struct http_field fields[] = { { SPAN("connection"), SPAN("a, Close ,b") },
					     { SPAN("connection"), SPAN("keep-alive") } };
	struct http_head h = { .minor = 1, .fields = fields, .n_fields = 1 };

	(void)state;
	assert_true(http_list_has(&h, "connection", SPAN("close")));
	assert_false(http_list_has(&h, "connection", SPAN("clos")));
	assert_false(http_keeps_alive(&h));
	h.fields = &fields[1];
	assert_true(http_keeps_alive(&h));
	h.minor = 0;
	assert_true(http_keeps_alive(&h));
	h.n_fields = 0;
	assert_false(http_keeps_alive(&h));
	h.minor = 1;
	assert_true(http_keeps_alive(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(refused_requests),
		cmocka_unit_test(responses),
		cmocka_unit_test(refused_responses),
		cmocka_unit_test(limits),
		cmocka_unit_test(endless_input_is_refused),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(nothing_splits_what_is_written),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
