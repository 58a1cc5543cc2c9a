/*
 * What of a WebSocket goes on: the frames that came, no secret of a message,
 * however that is cut, and nothing of a message after it went wrong.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "proxy/relay.h"
#include "proxy/secrets.h"
#include "proxy/websocket-relay.h"

#define REAL "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6Hh"
#define FAKE "sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn"
#define REAL_LEN (sizeof(REAL) - 1)

static struct secrets *make(void)
{
	struct secrets *s = secrets_new();
	const struct secret_rule rule = { .name = SPAN("KEY"),
					  .value = SPAN(REAL),
					  .placeholder = SPAN(FAKE),
					  .places = { { SPAN("api.test"), 443, false } },
					  .n_places = 1 };

	assert_int_equal(secrets_add(s, &rule, NULL), 0);
	return s;
}

static int feed(struct websocket_relay *w, int from, struct span bytes, struct buf *out)
{
	_cleanup_buf_ struct buf made = BUF_INIT(4 * LIMIT_PROXY_RELAY);
	struct span on;
	int r = websocket_relay_feed(w, from, bytes, &made, &on);

	(void)buf_append_span(out, on);
	return r;
}

static int feed_in_pieces(struct websocket_relay *w, int from, struct span bytes, size_t piece,
			  struct buf *out)
{
	int r = 0;

	for (size_t at = 0; at < bytes.len && r == 0; at += piece)
		r = feed(w, from, span_make(bytes.p + at, MIN(piece, bytes.len - at)), out);
	return r;
}

static void put_frame(struct buf *b, unsigned char first, struct span payload)
{
	const struct websocket_header h = { .opcode = first & 15,
					    .is_final = first & 0x80,
					    .length = payload.len };
	char text[WEBSOCKET_HEADER_MAX];

	(void)buf_append(b, text, websocket_write_header(&h, text));
	(void)buf_append_span(b, payload);
}

/* Frames as text: control frames as "<9 payload>", messages as "{1 payload}" however they are cut.
 */
static void read_frames(struct span bytes, struct buf *text)
{
	struct websocket_reader r;

	websocket_reader_init(&r, WEBSOCKET_FROM_SERVER);
	while (bytes.len) {
		struct span data;
		size_t used;
		enum websocket_event event = websocket_reader_feed(&r, bytes, &used, &data);

		assert_int_not_equal(event, WEBSOCKET_BAD);
		if (event == WEBSOCKET_CONTROL)
			(void)buf_printf(text, "<%d %.*s>", r.header.opcode, SPAN_ARG(data));
		if (event == WEBSOCKET_FRAME && r.header.opcode)
			(void)buf_printf(text, "{%d ", r.header.opcode);
		if (event == WEBSOCKET_DATA)
			(void)buf_append_span(text, data);
		if ((event == WEBSOCKET_FRAME || event == WEBSOCKET_DATA) &&
		    websocket_reader_is_over(&r) && r.header.is_final)
			(void)buf_append_str(text, "}");
		bytes = span_from(bytes, used);
	}
}

static const size_t pieces[] = { SIZE_MAX / 2, 1, 2, 3, 7, 20, 143 };

/* What goes on of the server's frames, cut in any way, must be these messages. */
static void expect(const struct buf *frames, const char *wanted)
{
	struct secrets *s = make();

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0), text = BUF_INIT(0);
		struct websocket_relay *w = websocket_relay_new(secrets_values(s));

		assert_int_equal(feed_in_pieces(w, RELAY_SERVER, buf_span(frames), pieces[i], &out),
				 0);
		read_frames(buf_span(&out), &text);
		assert_string_equal(text.data, wanted);
		websocket_relay_free(w);
	}
	secrets_free(s);
}

static void secrets_in_one_frame(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	put_frame(&b, 0x81, SPAN("a " REAL " b " REAL));
	put_frame(&b, 0x82, SPAN(REAL));
	put_frame(&b, 0x89, SPAN(REAL));
	put_frame(&b, 0x88, SPAN("\x03\xe8" REAL));
	expect(&b, "{1 a " FAKE " b " FAKE "}{2 " FAKE "}<9 " FAKE "><8 \x03\xe8" FAKE ">");
}

static void secrets_across_frames(void **state)
{
	(void)state;
	for (size_t at = 0; at <= REAL_LEN; at++)
		for (size_t next = at; next <= REAL_LEN; next++) {
			_cleanup_buf_ struct buf b = BUF_INIT(0);

			put_frame(&b, 0x01, span_make(REAL, at));
			put_frame(&b, 0x89, SPAN("ping"));
			put_frame(&b, 0x00, span_make(REAL + at, next - at));
			put_frame(&b, 0x00, SPAN(""));
			put_frame(&b, 0x80, span_of(REAL + next));
			put_frame(&b, 0x82, SPAN("next"));
			/* where the ping comes is not of the message's text */
			{
				struct secrets *s = make();
				_cleanup_buf_ struct buf out = BUF_INIT(0), text = BUF_INIT(0);
				struct websocket_relay *w = websocket_relay_new(secrets_values(s));
				char *ping;

				assert_int_equal(feed(w, RELAY_SERVER, buf_span(&b), &out), 0);
				read_frames(buf_span(&out), &text);
				ping = strstr(text.data, "<9 ping>");
				assert_non_null(ping);
				memmove(ping, ping + 8, strlen(ping + 8) + 1);
				assert_string_equal(text.data, "{1 " FAKE "}{2 next}");
				websocket_relay_free(w);
				secrets_free(s);
			}
		}
}

static void beginnings_are_told(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	/* no secret after all; and none over two messages */
	put_frame(&b, 0x01, span_make(REAL, 20));
	put_frame(&b, 0x80, SPAN("!"));
	put_frame(&b, 0x82, span_make(REAL, 20));
	put_frame(&b, 0x82, span_of(REAL + 20));
	put_frame(&b, 0x01, span_make(REAL, 20));
	put_frame(&b, 0x80, SPAN(""));
	expect(&b, "{1 sk-ant-api03-Zq8Lm2X!}{2 sk-ant-api03-Zq8Lm2X}{2 c7Vb4Nn1Kj6Hh}"
		   "{1 sk-ant-api03-Zq8Lm2X}");
}

/* A message that looks as if it ended within a secret is complete, and does not wait for another.
 */
static void messages_are_not_delayed(void **state)
{
	struct secrets *s = make();
	struct websocket_relay *w = websocket_relay_new(secrets_values(s));
	_cleanup_buf_ struct buf b = BUF_INIT(0), out = BUF_INIT(0);

	(void)state;
	put_frame(&b, 0x81, span_make(REAL, 20));
	assert_int_equal(feed(w, RELAY_SERVER, buf_span(&b), &out), 0);
	assert_true(span_eq(buf_span(&out), buf_span(&b)));
	/* nor does a ping within one whose fragment looks so */
	buf_reset(&b);
	buf_reset(&out);
	put_frame(&b, 0x01, span_make(REAL, 20));
	put_frame(&b, 0x89, SPAN("ping"));
	assert_int_equal(feed(w, RELAY_SERVER, buf_span(&b), &out), 0);
	assert_true(span_ends_with(buf_span(&out), SPAN("\x89\x04ping")));
	websocket_relay_free(w);
	secrets_free(s);
}

/* Without secrets, and of frames that are whole messages with none in them, the very bytes go on.
 */
static void frames_stay_as_they_are(void **state)
{
	static const char client[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
				     "\x01\x81\1\2\3\4`\x89\x80\1\2\3\4\x80\x81\1\2\3\4`";
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	struct secrets *s = make();

	(void)state;
	put_frame(&b, 0x81, SPAN("hello"));
	put_frame(&b, 0x82, SPAN(""));
	put_frame(&b, 0x89, SPAN("ping"));
	put_frame(&b, 0x82, SPAN("sk-ant-no"));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct websocket_relay *w = websocket_relay_new(secrets_values(s));

		assert_int_equal(feed_in_pieces(w, RELAY_SERVER, buf_span(&b), pieces[i], &out), 0);
		assert_true(span_eq(buf_span(&out), buf_span(&b)));
		buf_reset(&out);
		assert_int_equal(feed_in_pieces(w, RELAY_CLIENT,
						span_make(client, sizeof(client) - 1), pieces[i],
						&out),
				 0);
		assert_true(span_eq(buf_span(&out), span_make(client, sizeof(client) - 1)));
		websocket_relay_free(w);
	}
	secrets_free(s);
}

static void big_frames_are_not_copied(void **state)
{
	static char big[LIMIT_PROXY_RELAY];
	struct secrets *s = make();
	struct websocket_relay *w = websocket_relay_new(secrets_values(s));
	const struct websocket_header h = { .opcode = WEBSOCKET_BINARY,
					    .is_final = true,
					    .length = 2 * sizeof(big) };
	_cleanup_buf_ struct buf made = BUF_INIT(0);
	size_t n = websocket_write_header(&h, big);
	struct span on;

	(void)state;
	assert_int_equal(
		websocket_relay_feed(w, RELAY_SERVER, span_make(big, sizeof(big)), &made, &on), 0);
	assert_ptr_equal(on.p, big);
	assert_int_equal(on.len, sizeof(big));
	assert_int_equal(websocket_relay_feed(w, RELAY_SERVER, span_make(big + n, sizeof(big) - n),
					      &made, &on),
			 0);
	assert_ptr_equal(on.p, big + n);
	assert_null(made.data);
	websocket_relay_free(w);
	secrets_free(s);
}

/* ---- Violations ---- */

static void expect_close(const struct websocket_relay *w, int from, int to, unsigned int status)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct websocket_reader r;
	struct span data;
	size_t used;

	assert_int_equal(websocket_relay_close(w, from, to, &out), 0);
	if (!status) {
		assert_int_equal(out.len, 0);
		return;
	}
	websocket_reader_init(&r,
			      to == RELAY_SERVER ? WEBSOCKET_FROM_CLIENT : WEBSOCKET_FROM_SERVER);
	assert_int_equal(websocket_reader_feed(&r, buf_span(&out), &used, &data),
			 WEBSOCKET_CONTROL);
	assert_int_equal(used, out.len);
	assert_int_equal(r.header.opcode, WEBSOCKET_CLOSE);
	assert_int_equal((unsigned char)data.p[0] << 8 | (unsigned char)data.p[1], status);
}

struct violation {
	struct span good, bad; /* bad comes in one piece, or byte by byte */
	unsigned int status;
	bool is_amid; /* byte by byte, some of it has gone on when it turns out to be bad */
};

static void expect_bad(const struct violation *v, const struct needles *secrets, size_t piece)
{
	struct websocket_relay *w = websocket_relay_new(secrets);
	_cleanup_buf_ struct buf all = BUF_INIT(0), out = BUF_INIT(0);
	bool is_amid = v->is_amid && piece == 1;

	(void)buf_append_span(&all, v->good);
	(void)buf_append_span(&all, v->bad);
	(void)buf_append_str(&all, "\x81\x05never"); /* what comes behind */
	assert_int_equal(feed_in_pieces(w, RELAY_SERVER, buf_span(&all), piece, &out), -EPROTO);
	assert_non_null(websocket_relay_error(w, RELAY_SERVER));
	if (is_amid)
		assert_true(out.len < v->good.len + v->bad.len);
	else
		assert_true(span_eq(buf_span(&out), v->good));
	expect_close(w, RELAY_SERVER, RELAY_CLIENT, is_amid ? 0 : v->status);
	expect_close(w, RELAY_SERVER, RELAY_SERVER, v->status);
	buf_reset(&out);
	assert_int_equal(feed(w, RELAY_SERVER,
			      SPAN("\x81\x01"
				   "a"),
			      &out),
			 -EPROTO);
	assert_int_equal(out.len, 0);
	websocket_relay_free(w);
}

static void nothing_bad_goes_on(void **state)
{
	static const struct violation cases[] = {
		{ SPAN("\x81\x02hi"), SPAN("\xc1\x02no"), 1002, false },
		{ SPAN("\x82\x02hi\x89\x00"), SPAN("\x09\x00"), 1002, false },
		{ SPAN(""), SPAN("\x88\x02\x03\xed"), 1002, false },
		{ SPAN("\x81\x02hi"), SPAN("\x81\x84\1\2\3\4mask"), 1002, false },
		{ SPAN("\x81\x02hi"), SPAN("\x81\x06hello\xff"), 1007, true },
		{ SPAN(""), SPAN("\x81\x06hello\xc3"), 1007, true },
	};
	struct secrets *s = make();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t k = 0; k < 2; k++) {
			expect_bad(&cases[i], NULL, k ? 1 : SIZE_MAX / 2);
			expect_bad(&cases[i], secrets_values(s), k ? 1 : SIZE_MAX / 2);
		}
	secrets_free(s);
}

/* A side that was told to close by the other is not told again. */
static void one_close_frame(void **state)
{
	struct websocket_relay *w = websocket_relay_new(NULL);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(feed(w, RELAY_CLIENT, SPAN("\x88\x80\1\2\3\4"), &out), 0);
	assert_int_equal(feed(w, RELAY_SERVER,
			      SPAN("\x81\x01"
				   "a\xf1"),
			      &out),
			 0);
	assert_int_equal(feed(w, RELAY_SERVER, SPAN("\x00"), &out), -EPROTO);
	expect_close(w, RELAY_SERVER, RELAY_CLIENT, 1002);
	expect_close(w, RELAY_SERVER, RELAY_SERVER, 0);
	websocket_relay_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_in_one_frame),
		cmocka_unit_test(secrets_across_frames),
		cmocka_unit_test(beginnings_are_told),
		cmocka_unit_test(messages_are_not_delayed),
		cmocka_unit_test(frames_stay_as_they_are),
		cmocka_unit_test(big_frames_are_not_copied),
		cmocka_unit_test(nothing_bad_goes_on),
		cmocka_unit_test(one_close_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
