/*
 * Any bytes as one direction of a WebSocket: what is read must not depend on how
 * it is split, and frames that are in form must be read the same way again once
 * they are written anew. The first byte says whose they are, the second in how large
 * pieces they come besides.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "http/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_INPUT ((size_t)128 * 1024)

static void require(bool ok)
{
	if (!ok)
		abort();
}

struct outcome {
	struct buf frames;  /* written anew, without masks */
	struct buf content; /* of data frames, and of control frames, unmasked */
	size_t n_frames;
	enum websocket_status status;
};

static void note_frame(struct outcome *o, const struct websocket_reader *r)
{
	struct websocket_header h = r->header;
	char text[WEBSOCKET_HEADER_MAX];

	require(r->header.is_masked == (r->side == WEBSOCKET_FROM_CLIENT));
	h.is_masked = false;
	o->n_frames++;
	(void)buf_append(&o->frames, text, websocket_write_header(&h, text));
}

static void note_content(struct outcome *o, struct span plain)
{
	(void)buf_append_span(&o->frames, plain);
	(void)buf_append_span(&o->content, plain);
}

static void note_data(struct outcome *o, const struct websocket_reader *r, struct span data)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(0);
	char *to = buf_reserve(&plain, data.len);

	websocket_mask(r->header.mask, r->header.length - r->left - data.len, data, to);
	buf_grow(&plain, data.len);
	note_content(o, buf_span(&plain));
}

static void note(struct outcome *o, const struct websocket_reader *r, enum websocket_event event,
		 struct span data)
{
	switch (event) {
	case WEBSOCKET_MORE:
		break;
	case WEBSOCKET_FRAME:
		note_frame(o, r);
		break;
	case WEBSOCKET_DATA:
		require(data.len > 0);
		note_data(o, r, data);
		break;
	case WEBSOCKET_CONTROL:
		require(r->header.is_final && data.len == r->header.length);
		note_frame(o, r);
		note_content(o, data);
		break;
	case WEBSOCKET_BAD:
		require(r->error);
		o->status = r->status;
		break;
	}
}

static struct outcome read_in_pieces(enum websocket_side side, struct span bytes, size_t piece)
{
	struct outcome o = { .frames = BUF_INIT(0), .content = BUF_INIT(0) };
	struct websocket_reader r;

	websocket_reader_init(&r, side);
	for (size_t at = 0; at < bytes.len && !o.status; at += piece) {
		struct span rest = span_make(bytes.p + at, MIN(piece, bytes.len - at));

		while (rest.len && !o.status) {
			struct span data;
			size_t used;
			enum websocket_event event = websocket_reader_feed(&r, rest, &used, &data);

			require(used <= rest.len && (used > 0 || event == WEBSOCKET_BAD));
			note(&o, &r, event, data);
			rest = span_from(rest, used);
		}
	}
	return o;
}

static void outcome_done(struct outcome *o)
{
	buf_done(&o->frames);
	buf_done(&o->content);
}

/* A bad text has given what came before by then, of which a larger piece has less. */
static void check_same(const struct outcome *whole, const struct outcome *o)
{
	require(o->status == whole->status && o->n_frames == whole->n_frames);
	if (whole->status == WEBSOCKET_NOT_UTF8)
		require(span_starts_with(buf_span(&o->content), buf_span(&whole->content)));
	else
		require(span_eq(buf_span(&o->content), buf_span(&whole->content)) &&
			span_eq(buf_span(&o->frames), buf_span(&whole->frames)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum websocket_side side =
		size && data[0] & 1 ? WEBSOCKET_FROM_SERVER : WEBSOCKET_FROM_CLIENT;
	size_t own = size > 1 ? (size_t)data[1] + 1 : 1;
	const size_t pieces[] = { 1, 2, 7, 143, own };
	struct span bytes =
		span_make(data + MIN(size, (size_t)2), size > 2 ? MIN(size - 2, MAX_INPUT) : 0);
	struct outcome whole = read_in_pieces(side, bytes, bytes.len + 1);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome o = read_in_pieces(side, bytes, pieces[i]);

		check_same(&whole, &o);
		outcome_done(&o);
	}
	if (!whole.status) {
		struct outcome again =
			read_in_pieces(WEBSOCKET_FROM_SERVER, buf_span(&whole.frames), own);

		check_same(&whole, &again);
		outcome_done(&again);
	}
	outcome_done(&whole);
	return 0;
}
