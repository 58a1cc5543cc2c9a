/*
 * The reader of WebSocket's frames: what it makes of a stream does not depend on
 * how that comes, and whatever an endpoint must fail the connection for is found.
 */
#include "unit.h"

#include "base/buf.h"
#include "http/websocket-handshake.h"
#include "http/websocket.h"

struct outcome {
	struct buf text; /* all that came, as text: compared whole */
	enum websocket_status status;
	const char *error;
};

static void note_header(struct outcome *o, const struct websocket_header *h)
{
	(void)buf_printf(&o->text, "[%d%s %llu]", h->opcode, h->is_final ? "" : "+",
			 (unsigned long long)h->length);
}

static void note_data(struct outcome *o, const struct websocket_reader *r, struct span data)
{
	uint64_t at = r->header.length - r->left - data.len;
	char *to = buf_reserve(&o->text, data.len);

	websocket_mask(r->header.mask, at, data, to);
	buf_grow(&o->text, data.len);
}

static void feed(struct outcome *o, struct websocket_reader *r, struct span piece)
{
	while (piece.len && !o->error) {
		struct span data;
		size_t used;

		switch (websocket_reader_feed(r, piece, &used, &data)) {
		case WEBSOCKET_MORE:
			assert_int_equal(used, piece.len);
			break;
		case WEBSOCKET_FRAME:
			note_header(o, &r->header);
			assert_int_equal(websocket_reader_is_over(r), r->header.length == 0);
			break;
		case WEBSOCKET_DATA:
			note_data(o, r, data);
			break;
		case WEBSOCKET_CONTROL:
			note_header(o, &r->header);
			(void)buf_append_span(&o->text, data);
			break;
		case WEBSOCKET_BAD:
			o->error = r->error;
			o->status = r->status;
			break;
		}
		assert_true(used <= piece.len);
		piece = span_from(piece, used);
	}
}

static struct outcome read_in_pieces(enum websocket_side side, struct span bytes, size_t piece)
{
	struct outcome o = { .text = BUF_INIT(0) };
	struct websocket_reader r;

	websocket_reader_init(&r, side);
	for (size_t at = 0; at < bytes.len; at += piece)
		feed(&o, &r, span_make(bytes.p + at, MIN(piece, bytes.len - at)));
	return o;
}

static const size_t pieces[] = { SIZE_MAX / 2, 1, 2, 7, 143 };

/* status 0: all is in form. How much of a bad text comes before it depends on the pieces. */
static void expect(enum websocket_side side, struct span bytes, const char *text,
		   enum websocket_status status)
{
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome o = read_in_pieces(side, bytes, pieces[i]);

		assert_int_equal(o.status, status);
		assert_int_equal(o.error == NULL, status == 0);
		if (status == WEBSOCKET_NOT_UTF8 && pieces[i] > 1)
			assert_true(span_starts_with(span_of(text), buf_span(&o.text)));
		else
			assert_string_equal(o.text.len ? o.text.data : "", text);
		buf_done(&o.text);
	}
}

#define SERVER(bytes, text) expect(WEBSOCKET_FROM_SERVER, SPAN(bytes), text, 0)
#define CLIENT(bytes, text) expect(WEBSOCKET_FROM_CLIENT, SPAN(bytes), text, 0)
#define BAD(bytes, text) \
	expect(WEBSOCKET_FROM_SERVER, SPAN(bytes), text, WEBSOCKET_PROTOCOL_ERROR)
#define NOT_UTF8(bytes, text) expect(WEBSOCKET_FROM_SERVER, SPAN(bytes), text, WEBSOCKET_NOT_UTF8)

/* RFC 6455 §5.7 */
static void examples(void **state)
{
	(void)state;
	SERVER("\x81\x05Hello", "[1 5]Hello");
	CLIENT("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "[1 5]Hello");
	SERVER("\x01\x03Hel\x80\x02lo", "[1+ 3]Hel[0 2]lo");
	SERVER("\x89\x05Hello", "[9 5]Hello");
	CLIENT("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "[10 5]Hello");
}

static void expect_long(size_t len, struct span header, const char *text)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(0), wanted = BUF_INIT(0);

	(void)buf_append_span(&bytes, header);
	(void)buf_append_str(&wanted, text);
	for (size_t i = 0; i < len; i++) {
		(void)buf_append_char(&bytes, (char)('a' + i % 26));
		(void)buf_append_char(&wanted, (char)('a' + i % 26));
	}
	expect(WEBSOCKET_FROM_SERVER, buf_span(&bytes), wanted.data, 0);
}

static void lengths(void **state)
{
	(void)state;
	SERVER("\x82\x00\x81\x00\x80", "[2 0][1 0]");
	expect_long(125, SPAN("\x82\x7d"), "[2 125]");
	expect_long(126, SPAN("\x82\x7e\x00\x7e"), "[2 126]");
	expect_long(256, SPAN("\x82\x7e\x01\x00"), "[2 256]");
	expect_long(65535, SPAN("\x81\x7e\xff\xff"), "[1 65535]");
	expect_long(65536, SPAN("\x82\x7f\0\0\0\0\0\1\0\0"), "[2 65536]");
	expect_long(10, SPAN("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
		    "[2 9223372036854775807]");
}

static void messages(void **state)
{
	(void)state;
	/* control frames between fragments, empty fragments, one message behind another */
	SERVER("\x01\x01" "a\x89\x01p\x00\x00\x8a\x00\x80\x01" "b\x82\x01" "c\x01\x00\x80\x00",
	       "[1+ 1]a[9 1]p[0+ 0][10 0][0 1]b[2 1]c[1+ 0][0 0]");
	/* behind a close frame other control frames may be under way */
	SERVER("\x88\x00\x8a\x00\x88\x00", "[8 0][10 0][8 0]");
	SERVER("\x88\x02\x03\xe8", "[8 2]\x03\xe8");
	SERVER("\x88\x05\x0f\xa0\xc3\xa9!", "[8 5]\x0f\xa0\xc3\xa9!");
	/* bytes that are no text are nobody's business */
	SERVER("\x82\x02\xff\xfe\x89\x01\xff\x02\x01\xc3\x80\x01\x28", "[2 2]\xff\xfe[9 1]\xff[2+ 1]\xc3[0 1]\x28");
}

static void violations(void **state)
{
	(void)state;
	BAD("\x82\x01" "a\xc1\x00", "[2 1]a"); /* reserved bits */
	BAD("\xa1\x00", "");
	BAD("\x91\x00", "");
	BAD("\xc9\x00", "");
	for (unsigned char i = 0; i < 16; i++) { /* opcodes */
		char bytes[2] = { (char)(0x80 | i), 0 };

		if ((i >= 3 && i <= 7) || i >= 11)
			expect(WEBSOCKET_FROM_SERVER, span_make(bytes, 2), "",
			       WEBSOCKET_PROTOCOL_ERROR);
	}
	BAD("\x09\x00", ""); /* control frames in fragments */
	BAD("\x08\x00", "");
	BAD("\x0a\x00", "");
	BAD("\x89\x7e\x00\x7e", ""); /* too long */
	BAD("\x88\x7f", "");
	BAD("\x8a\x7e", "");
	BAD("\x80\x01" "a", ""); /* nothing to continue */
	BAD("\x00\x01" "a", "");
	BAD("\x81\x01" "a\x80\x01" "b", "[1 1]a");
	BAD("\x01\x01" "a\x81\x01" "b", "[1+ 1]a"); /* a message within another */
	BAD("\x01\x01" "a\x02\x01" "b", "[1+ 1]a");
	BAD("\x82\x7e\x00\x7d", ""); /* lengths that could be shorter */
	BAD("\x82\x7e\x00\x00", "");
	BAD("\x82\x7f\0\0\0\0\0\0\xff\xff", "");
	BAD("\x82\x7f\x80\0\0\0\0\0\0\0", ""); /* the highest bit */
	BAD("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "");
	BAD("\x81\x80\1\2\3\4", ""); /* masks */
	expect(WEBSOCKET_FROM_CLIENT, SPAN("\x81\x01" "a"), "", WEBSOCKET_PROTOCOL_ERROR);
	expect(WEBSOCKET_FROM_CLIENT, SPAN("\x89\x00"), "", WEBSOCKET_PROTOCOL_ERROR);
	BAD("\x88\x00\x81\x01" "a", "[8 0]"); /* data behind a close */
	BAD("\x88\x00\x02\x01" "a", "[8 0]");
	BAD("\x01\x01" "a\x88\x00\x80\x01" "b", "[1+ 1]a[8 0]");
}

static void close_codes(void **state)
{
	static const unsigned int good[] = { 1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999 };
	static const unsigned int bad[] = { 0,	  999,	1004, 1005, 1006, 1015, 1016,
					    1100, 2000, 2999, 5000, 65535 };
	char bytes[] = { (char)0x88, 2, 0, 0 };

	(void)state;
	BAD("\x88\x01\x03", "");
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct outcome o;

		bytes[2] = (char)(good[i] >> 8);
		bytes[3] = (char)(good[i] & 0xff);
		o = read_in_pieces(WEBSOCKET_FROM_SERVER, span_make(bytes, 4), 4);
		assert_null(o.error);
		buf_done(&o.text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		bytes[2] = (char)(bad[i] >> 8);
		bytes[3] = (char)(bad[i] & 0xff);
		expect(WEBSOCKET_FROM_SERVER, span_make(bytes, 4), "", WEBSOCKET_PROTOCOL_ERROR);
	}
	NOT_UTF8("\x88\x03\x03\xe8\xff", "");
	NOT_UTF8("\x88\x04\x03\xe8\xe2\x82", "");
}

static void text_is_checked(void **state)
{
	(void)state;
	SERVER("\x81\x0b\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!\n",
	       "[1 11]\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!\n");
	/* characters over fragments, with a control frame in between */
	SERVER("\x01\x02" "a\xf0\x00\x01\x9f\x89\x01\xff\x00\x01\x98\x80\x01\x80",
	       "[1+ 2]a\xf0[0+ 1]\x9f[9 1]\xff[0+ 1]\x98[0 1]\x80");
	/* a text's end within one */
	NOT_UTF8("\x01\x01\xc3\x80\x00", "[1+ 1]\xc3");
	NOT_UTF8("\x01\x01\xe2\x89\x00\x00\x01\x28", "[1+ 1]\xe2[9 0][0+ 1]");
	/* nothing is left over for the next */
	SERVER("\x81\x02\xc3\xa9\x81\x01!", "[1 2]\xc3\xa9[1 1]!");
	/* what no byte could make right is found at once: surrogates, above U+10FFFF, overlong */
	NOT_UTF8("\x01\x02\xed\xa0", "[1+ 2]\xed");
	NOT_UTF8("\x01\x02\xf4\x90", "[1+ 2]\xf4");
	NOT_UTF8("\x01\x02\xe0\x9f", "[1+ 2]\xe0");
	NOT_UTF8("\x01\x02\xf0\x8f", "[1+ 2]\xf0");
	NOT_UTF8("\x01\x01\xc0", "[1+ 1]");
	NOT_UTF8("\x01\x01\xf5", "[1+ 1]");
	NOT_UTF8("\x01\x01\x80", "[1+ 1]");
}

/* A long text, masked, with its bad character in a far piece. */
static void masked_text_is_checked(void **state)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(0), bytes = BUF_INIT(0);
	const struct websocket_header h = { .opcode = WEBSOCKET_TEXT,
					    .is_final = true,
					    .is_masked = true,
					    .mask = "\x11\xa2\x33\xc4",
					    .length = 9000 };
	char header[WEBSOCKET_HEADER_MAX];

	(void)state;
	while (plain.len < h.length)
		(void)buf_append_str(&plain, "\xe2\x82\xac");
	for (int is_bad = 0; is_bad < 2; is_bad++) {
		struct outcome o;

		if (is_bad)
			plain.data[8001] = '!';
		buf_reset(&bytes);
		(void)buf_append(&bytes, header, websocket_write_header(&h, header));
		websocket_mask(h.mask, 0, buf_span(&plain), buf_reserve(&bytes, plain.len));
		buf_grow(&bytes, plain.len);
		for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
			o = read_in_pieces(WEBSOCKET_FROM_CLIENT, buf_span(&bytes), pieces[i]);
			assert_int_equal(o.status, is_bad ? WEBSOCKET_NOT_UTF8 : 0);
			buf_done(&o.text);
		}
	}
}

static void masks(void **state)
{
	char text[64], masked[64], again[64];
	const char mask[4] = { 1, 2, 4, 8 };

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	websocket_mask(mask, 0, span_make(text, 64), masked);
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal((unsigned char)masked[i], i ^ (unsigned char)mask[i % 4]);
	for (size_t at = 0; at < sizeof(text); at++) {
		websocket_mask(mask, 0, span_make(masked, at), again);
		websocket_mask(mask, at, span_make(masked + at, 64 - at), again + at);
		assert_memory_equal(again, text, 64);
	}
}

/* ---- The handshake ---- */

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct http_head request_with(struct http_field *fields, size_t n)
{
	return (struct http_head){ .method = SPAN("GET"),
				   .target = SPAN("/chat"),
				   .minor = 1,
				   .fields = fields,
				   .n_fields = n };
}

static void offers(void **state)
{
	struct http_field fields[] = { { SPAN("upgrade"), SPAN("WebSocket") },
				       { SPAN("connection"), SPAN("keep-alive, Upgrade") },
				       { SPAN("sec-websocket-version"), SPAN("13") },
				       { SPAN("sec-websocket-key"), SPAN(KEY) },
				       { SPAN("sec-websocket-key"), SPAN(KEY) } };
	static const char *const bad_keys[] = { "", "x", "dGhlIHNhbXBsZSBub25jZQ", KEY "=",
						"dGhlIHNhbXBsZSBub25jZQ!=", "dGhlIHNhbXBsZSBub25jZQAA" };
	static const char *const bad_versions[] = { "", "8", "14", "13, 8", "013" };
	struct http_head h = request_with(fields, 4);
	struct websocket_offer offer = { .accept = "" };

	(void)state;
	assert_true(websocket_is_asked_for(&h));
	assert_null(websocket_read_offer(&h, /* has_body = */ false, &offer));
	assert_memory_equal(offer.accept, ACCEPT, WEBSOCKET_ACCEPT_LEN); /* RFC 6455 §1.3 */
	websocket_offer_done(&offer);
	assert_non_null(websocket_read_offer(&h, /* has_body = */ true, &offer));
	h.n_fields = 5; /* two keys */
	assert_non_null(websocket_read_offer(&h, false, &offer));
	h.n_fields = 3; /* none */
	assert_non_null(websocket_read_offer(&h, false, &offer));
	h.n_fields = 4;
	h.method = SPAN("POST");
	assert_non_null(websocket_read_offer(&h, false, &offer));
	h.method = SPAN("GET");
	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++) {
		fields[3].value = span_of(bad_keys[i]);
		assert_non_null(websocket_read_offer(&h, false, &offer));
	}
	fields[3].value = SPAN(KEY);
	for (size_t i = 0; i < ARRAY_SIZE(bad_versions); i++) {
		fields[2].value = span_of(bad_versions[i]);
		assert_non_null(websocket_read_offer(&h, false, &offer));
	}
	h.minor = 0;
	assert_false(websocket_is_asked_for(&h));
	h.minor = 1;
	fields[1].value = SPAN("keep-alive");
	assert_false(websocket_is_asked_for(&h));
}

static bool is_answer_good(const char *accept, const char *name, const char *value)
{
	struct http_field asked[] = { { SPAN("sec-websocket-version"), SPAN("13") },
				      { SPAN("sec-websocket-key"), SPAN(KEY) },
				      { SPAN("sec-websocket-protocol"), SPAN("chat, v2") },
				      { SPAN("sec-websocket-protocol"), SPAN("other") } };
	const struct http_field fields[] = { { SPAN("upgrade"), SPAN("websocket") },
					     { SPAN("connection"), SPAN("upgrade") },
					     { SPAN("sec-websocket-accept"), span_of(accept) },
					     { span_of(name), span_of(value) } };
	const struct http_head request = request_with(asked, 4);
	const struct http_head h = { .status = 101, .fields = fields, .n_fields = 4 };
	struct websocket_offer offer = { .accept = "" };
	bool is_good;

	assert_null(websocket_read_offer(&request, false, &offer));
	is_good = !websocket_check_answer(&h, &offer);
	websocket_offer_done(&offer);
	return is_good;
}

static void answers(void **state)
{
	(void)state;
	assert_true(is_answer_good(ACCEPT, "x", "y"));
	assert_true(is_answer_good(ACCEPT, "sec-websocket-protocol", "chat"));
	assert_true(is_answer_good(ACCEPT, "sec-websocket-protocol", "v2"));
	assert_true(is_answer_good(ACCEPT, "sec-websocket-protocol", "other"));
	assert_false(is_answer_good("s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", "x", "y"));
	assert_false(is_answer_good("", "x", "y"));
	assert_false(is_answer_good(ACCEPT, "sec-websocket-accept", ACCEPT));
	assert_false(is_answer_good(ACCEPT, "sec-websocket-protocol", ""));
	assert_false(is_answer_good(ACCEPT, "sec-websocket-protocol", "chat, v2"));
	assert_false(is_answer_good(ACCEPT, "sec-websocket-protocol", "third"));
	assert_false(is_answer_good(ACCEPT, "sec-websocket-extensions", "permessage-deflate"));
	assert_false(is_answer_good(ACCEPT, "sec-websocket-extensions", ""));
	assert_false(is_answer_good(ACCEPT, "upgrade", "h2c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples),
		cmocka_unit_test(lengths),
		cmocka_unit_test(messages),
		cmocka_unit_test(violations),
		cmocka_unit_test(close_codes),
		cmocka_unit_test(text_is_checked),
		cmocka_unit_test(masked_text_is_checked),
		cmocka_unit_test(masks),
		cmocka_unit_test(offers),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
