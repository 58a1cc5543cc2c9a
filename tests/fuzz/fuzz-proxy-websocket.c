/*
 * Any bytes as what a server sends over a WebSocket, with secrets, whole and in
 * part, wherever a byte of the input asks for them. What goes on must be in form,
 * must carry the same messages however the stream is split, each as long as it was,
 * and none may hold a secret.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/relay.h"
#include "proxy/secrets.h"
#include "proxy/websocket-relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_TEXT ((size_t)4096)
/* Bytes from there on stand for a frame that holds a piece of a text below. */
#define FIRST_MARK 0xe0

#define VALUE "sk-ant-api03-Zq8Lm2Xc7Vb4Nn1Kj6Hh"
#define PLACEHOLDER "sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn"

#define VALUE_LEN (sizeof(VALUE) - 1)

static void require(bool ok)
{
	if (!ok)
		abort();
}

static struct secrets *make(void)
{
	struct secrets *s = secrets_new();
	const struct secret_rule rule = { .name = SPAN("KEY"),
					  .value = SPAN(VALUE),
					  .placeholder = SPAN(PLACEHOLDER),
					  .places = { { SPAN("api.test"), 443, false } },
					  .n_places = 1 };

	require(secrets_add(s, &rule, NULL) == 0);
	return s;
}

/* A mark and the byte behind it: which frame, and from where to where of the text it holds. */
static size_t put_frame(const uint8_t *data, size_t size, struct buf *out)
{
	static const unsigned char firsts[] = { 0x01, 0x81, 0x00, 0x80, 0x02, 0x82, 0x89, 0x81 };
	size_t from = size > 1 ? (data[1] & 15) * VALUE_LEN / 15 : 0;
	size_t to = size > 1 ? from + (data[1] >> 4) * (VALUE_LEN - from) / 15 : VALUE_LEN;
	const struct websocket_header h = { .opcode = firsts[data[0] % 8] & 15,
					    .is_final = firsts[data[0] % 8] & 0x80,
					    .length = to - from };
	char text[WEBSOCKET_HEADER_MAX];

	(void)buf_append(out, text, websocket_write_header(&h, text));
	(void)buf_append(out, &VALUE[from], to - from);
	return MIN(size, (size_t)2);
}

static void expand(const uint8_t *data, size_t size, struct buf *out)
{
	for (size_t i = 0; i < MIN(size, MAX_TEXT);) {
		if (data[i] >= FIRST_MARK)
			i += put_frame(data + i, size - i, out);
		else
			(void)buf_append_char(out, (char)data[i++]);
	}
}

/* Messages one behind the other with a byte between them that no secret has; control frames apart.
 */
struct outcome {
	struct buf messages, controls;
	int result;
};

static void read_frames(struct span bytes, struct outcome *o)
{
	struct websocket_reader r;

	websocket_reader_init(&r, WEBSOCKET_FROM_SERVER);
	while (bytes.len) {
		struct span data;
		size_t used;
		enum websocket_event event = websocket_reader_feed(&r, bytes, &used, &data);

		require(event != WEBSOCKET_BAD);
		if (event == WEBSOCKET_CONTROL)
			(void)(buf_append_span(&o->controls, data) +
			       buf_append_char(&o->controls, '\n'));
		if (event == WEBSOCKET_FRAME && r.header.opcode)
			(void)buf_append_char(&o->messages, (char)r.header.opcode);
		if (event == WEBSOCKET_DATA)
			(void)buf_append_span(&o->messages, data);
		if ((event == WEBSOCKET_FRAME || event == WEBSOCKET_DATA) &&
		    websocket_reader_is_over(&r) && r.header.is_final)
			(void)buf_append_char(&o->messages, '\n');
		bytes = span_from(bytes, used);
	}
}

static struct outcome relay_in_pieces(const struct needles *n, size_t piece, struct span bytes)
{
	struct outcome o = { .messages = BUF_INIT(0), .controls = BUF_INIT(0) };
	struct websocket_relay *w = websocket_relay_new(n);
	_cleanup_buf_ struct buf all = BUF_INIT(0);

	for (size_t at = 0; at < bytes.len && o.result == 0; at += piece) {
		_cleanup_buf_ struct buf made = BUF_INIT(4 * LIMIT_PROXY_RELAY);
		struct span on;

		o.result = websocket_relay_feed(w, RELAY_SERVER,
						span_make(bytes.p + at, MIN(piece, bytes.len - at)),
						&made, &on);
		(void)buf_append_span(&all, on);
	}
	require(o.result == 0 || o.result == -EPROTO);
	if (o.result)
		require(websocket_relay_close(w, RELAY_SERVER, RELAY_CLIENT, &all) == 0);
	read_frames(buf_span(&all), &o);
	websocket_relay_free(w);
	return o;
}

static void outcome_done(struct outcome *o)
{
	buf_done(&o->messages);
	buf_done(&o->controls);
}

/* Of a message that does not end, and of a bad one, more may have gone on in small pieces. */
static void check_same(const struct outcome *whole, const struct outcome *o)
{
	struct span common = buf_span(&whole->messages);

	require(o->result == whole->result);
	while (common.len && common.p[common.len - 1] != '\n')
		common.len--;
	require(span_starts_with(buf_span(&o->messages), common));
	if (!whole->result)
		require(span_eq(buf_span(&o->controls), buf_span(&whole->controls)));
}

static bool holds_secret(struct span text)
{
	return text.len && memmem(text.p, text.len, VALUE, VALUE_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t pieces[] = { 1, 2, 7, 143, size ? (size_t)data[0] + 1 : 1 };
	struct secrets *s = make();
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	struct outcome whole, plain;

	expand(data + (size > 0), size ? size - 1 : 0, &bytes);
	plain = relay_in_pieces(NULL, bytes.len + 1, buf_span(&bytes));
	whole = relay_in_pieces(secrets_values(s), bytes.len + 1, buf_span(&bytes));
	require(plain.result == whole.result);
	if (!whole.result)
		require(whole.messages.len <= plain.messages.len &&
			whole.controls.len == plain.controls.len);
	require(!holds_secret(buf_span(&whole.messages)) &&
		!holds_secret(buf_span(&whole.controls)));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome o = relay_in_pieces(secrets_values(s), pieces[i], buf_span(&bytes));

		check_same(&whole, &o);
		require(!holds_secret(buf_span(&o.messages)));
		outcome_done(&o);
	}
	outcome_done(&whole);
	outcome_done(&plain);
	secrets_free(s);
	return 0;
}
