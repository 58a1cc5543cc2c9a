/*
 * Any bytes as a stream of HTTP/1 requests or responses: what they are read as
 * must not depend on how they are split, and what is written of what was read
 * must be read the same way again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "http/h1-reader.h"
#include "http/h1-writer.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_INPUT ((size_t)128 * 1024)

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* What a stream brought: heads as they would be written, bodies as they are. */
struct outcome {
	struct buf text;
	size_t n_heads, n_ends;
	bool is_bad;
};

static void note_head(struct outcome *o, enum h1_side side, const struct http_head *h)
{
	struct http_target t;
	_cleanup_buf_ struct buf once = BUF_INIT(MAX_INPUT);
	_cleanup_buf_ struct buf twice = BUF_INIT(MAX_INPUT);

	o->n_heads++;
	if (side == H1_RESPONSES) {
		require(h1_write_response(&o->text, h) == 0);
		return;
	}
	require(h1_write_request(&o->text, h) == 0);
	if (http_target_split(h->method, h->target, &t) < 0 ||
	    http_path_normalise(t.path, &once) < 0)
		return;
	require(http_path_normalise(buf_span(&once), &twice) == 0);
	require(span_eq(buf_span(&once), buf_span(&twice)));
}

static bool note(struct outcome *o, struct h1_reader *r, enum h1_side side, enum h1_event event,
		 struct span bytes)
{
	const struct http_head *h = h1_reader_head(r);

	switch (event) {
	case H1_HEAD:
		note_head(o, side, h);
		return h->status != 101;
	case H1_DATA:
		(void)buf_append_span(&o->text, bytes);
		break;
	case H1_END:
		o->n_ends++;
		break;
	case H1_BAD:
		o->is_bad = true;
		break;
	case H1_MORE:
		break;
	}
	return !o->is_bad;
}

static struct outcome read_in_pieces(enum h1_side side, struct span bytes, size_t piece)
{
	struct outcome o = { .text = BUF_INIT(0) };
	struct h1_reader *r = h1_reader_new(side);
	bool goes_on = true;

	for (size_t at = 0; at < bytes.len && goes_on; at += piece) {
		struct span rest = span_make(bytes.p + at, MIN(piece, bytes.len - at));

		while (goes_on && (rest.len || h1_reader_has_ended(r))) {
			struct span data;
			size_t used;

			goes_on = note(&o, r, side, h1_reader_feed(r, rest, &used, &data), data);
			require(used <= rest.len);
			rest = span_from(rest, used);
		}
	}
	if (goes_on)
		(void)note(&o, r, side, h1_reader_finish(r), (struct span){ 0 });
	h1_reader_free(r);
	return o;
}

/* A head that was written is read as one head, with the same parts. */
static void check_written(enum h1_side side, struct span bytes)
{
	struct h1_reader *r = h1_reader_new(side), *again = h1_reader_new(side);
	_cleanup_buf_ struct buf text = BUF_INIT(0), second = BUF_INIT(0);
	struct span data;
	size_t used;

	if (h1_reader_feed(r, bytes, &used, &data) == H1_HEAD) {
		const struct http_head *h = h1_reader_head(r);

		require((side == H1_REQUESTS ? h1_write_request(&text, h) : h1_write_response(&text, h)) == 0);
		/* HTTP/1.1 is written; what was 1.0 may lack a Host */
		if (h->minor == 1) {
			require(h1_reader_feed(again, buf_span(&text), &used, &data) == H1_HEAD);
			require(used == text.len);
			h = h1_reader_head(again);
			require((side == H1_REQUESTS ? h1_write_request(&second, h)
						     : h1_write_response(&second, h)) == 0);
			require(span_eq(buf_span(&text), buf_span(&second)));
		}
	}
	h1_reader_free(r);
	h1_reader_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 7, 143 };
	enum h1_side side = size && data[0] & 1 ? H1_RESPONSES : H1_REQUESTS;
	struct span bytes = span_make(data + (size > 0), size ? MIN(size - 1, MAX_INPUT) : 0);
	struct outcome whole = read_in_pieces(side, bytes, bytes.len + 1);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct outcome o = read_in_pieces(side, bytes, pieces[i]);

		require(o.is_bad == whole.is_bad && o.n_heads == whole.n_heads &&
			o.n_ends == whole.n_ends);
		/* a body that goes wrong has given what came before by then */
		require(whole.is_bad || span_eq(buf_span(&o.text), buf_span(&whole.text)));
		buf_done(&o.text);
	}
	check_written(side, bytes);
	buf_done(&whole.text);
	return 0;
}
