#include "proxy/websocket-relay.h"

#include <errno.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "proxy/relay.h"
#include "proxy/scrub.h"

/* No place of this feed's output is the end of a frame. */
#define NOWHERE SIZE_MAX

/* One direction; flow[i] comes from side i. */
struct flow {
	struct websocket_reader reader;
	struct scrub scrub;	      /* of the message in progress */
	bool is_scrubbed;	      /* that one is, for there are secrets */
	bool has_begun;		      /* a frame of it has gone on */
	bool is_amid;		      /* what has gone on ends within a frame */
	bool has_closed;	      /* a close frame has gone on */
	enum websocket_opcode opcode; /* of the message's first frame */

	/* What goes on of this feed: out, the caller's, and behind it passed, which lies in the fed
	 * bytes. */
	struct buf *out;
	struct span passed;
	size_t whole; /* so much of it ends with a frame's end; or NOWHERE */
};

struct websocket_relay {
	struct flow flow[2];
};

/* ---- What goes on ---- */

static size_t output_len(const struct flow *f)
{
	return f->out->len + f->passed.len;
}

static int put(struct flow *f, struct span bytes)
{
	int r = buf_append_span(f->out, f->passed);

	f->passed = (struct span){ 0 };
	return r < 0 ? r : buf_append_span(f->out, bytes);
}

/* The same of bytes that were fed: they need no copy where they follow each other. */
static int pass(struct flow *f, struct span bytes)
{
	int r = 0;

	if (f->passed.len && f->passed.p + f->passed.len != bytes.p)
		r = put(f, (struct span){ 0 });
	if (!f->passed.len)
		f->passed.p = bytes.p;
	f->passed.len += bytes.len;
	return r;
}

static void note_end_of_frame(struct flow *f)
{
	f->is_amid = false;
	f->whole = output_len(f);
}

/* Takes back what has not gone on yet of a frame that turns out to be bad. */
static void cut_to_whole(struct flow *f)
{
	size_t len = f->whole == NOWHERE ? 0 : f->whole;

	f->passed.len = len > f->out->len ? len - f->out->len : 0;
	f->out->len = MIN(f->out->len, len);
	f->is_amid = f->whole == NOWHERE;
}

static int output(struct flow *f, struct span *ret)
{
	int r = 0;

	*ret = f->passed;
	if (f->out->len) {
		r = put(f, (struct span){ 0 });
		*ret = buf_span(f->out);
	}
	return r;
}

/* ---- Frames ---- */

/* The kept bytes as they came: in this feed, or before it. */
static int pass_kept(struct flow *f, struct span fed, size_t n_before)
{
	struct span kept = websocket_reader_kept(&f->reader);

	return n_before ? put(f, kept) : pass(f, span_make(fed.p, kept.len));
}

/* A header of our own: of so much more of the message. */
static int put_header(struct flow *f, uint64_t length, bool is_final)
{
	char text[WEBSOCKET_HEADER_MAX];
	struct websocket_header h = { .opcode = f->has_begun ? WEBSOCKET_CONTINUATION : f->opcode,
				      .is_final = is_final,
				      .length = length };

	f->has_begun = true;
	return put(f, span_make(text, websocket_write_header(&h, text)));
}

static void begin_message(struct flow *f)
{
	f->opcode = f->reader.header.opcode;
	f->is_scrubbed = f->scrub.needles && f->scrub.needles->all.len;
	f->has_begun = false;
}

/*
 * A header has come. Of a message that is looked through, the last frame takes all
 * that is still held back of those before, and they were sent in pieces as these
 * came free: no frame waits for another.
 */
static int take_frame(struct flow *f, struct span fed, size_t n_before)
{
	const struct websocket_header *h = &f->reader.header;
	size_t n_held;

	if (h->opcode != WEBSOCKET_CONTINUATION)
		begin_message(f);
	if (f->is_scrubbed && !h->is_final)
		return 0;
	f->is_amid = true;
	n_held = scrub_n_held(&f->scrub);
	if (!n_held && f->has_begun == (h->opcode == WEBSOCKET_CONTINUATION)) {
		f->has_begun = true;
		return pass_kept(f, fed, n_before);
	}
	if (h->length > INT64_MAX - n_held)
		return -EMSGSIZE;
	return put_header(f, h->length + n_held, /* is_final = */ true);
}

static int take_data(struct flow *f, struct span data)
{
	bool is_final = f->reader.header.is_final;
	struct span told;
	int r;

	if (!f->is_scrubbed)
		return pass(f, data);
	r = scrub_feed(&f->scrub, data, &told);
	if (r < 0 || !told.len)
		return r;
	if (!is_final)
		r = put_header(f, told.len, is_final);
	if (r < 0)
		return r;
	return told.p == data.p ? pass(f, told) : put(f, told);
}

/* A secret does not go on in the next message, and this one need not wait for that. */
static int end_frame(struct flow *f)
{
	struct span rest;
	int r = 0;

	if (f->is_scrubbed && f->reader.header.is_final) {
		r = scrub_finish(&f->scrub, &rest);
		if (r == 0 && rest.len)
			r = put(f, rest);
	}
	note_end_of_frame(f);
	return r;
}

static int take_control(struct flow *f, struct span fed, size_t n_before, struct span payload)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(2 * WEBSOCKET_KEPT_MAX);
	char text[WEBSOCKET_HEADER_MAX];
	struct span scrubbed = payload;
	int r = f->scrub.needles ? scrub_text(f->scrub.needles, &arena, &scrubbed) : 0;

	if (r < 0)
		return r;
	if (scrubbed.p == payload.p)
		r = pass_kept(f, fed, n_before);
	else if ((r = put(f, span_make(text, websocket_write_header(&f->reader.header, text)))) ==
		 0)
		r = put(f, scrubbed);
	f->has_closed |= f->reader.header.opcode == WEBSOCKET_CLOSE;
	note_end_of_frame(f);
	return r;
}

static int take(struct flow *f, enum websocket_event event, struct span fed, size_t n_before,
		struct span data)
{
	int r = 0;

	if (event == WEBSOCKET_CONTROL)
		return take_control(f, fed, n_before, data);
	if (event == WEBSOCKET_FRAME)
		r = take_frame(f, fed, n_before);
	else if (event == WEBSOCKET_DATA)
		r = take_data(f, data);
	return r == 0 && websocket_reader_is_over(&f->reader) ? end_frame(f) : r;
}

/* ---- All ---- */

static int feed(struct flow *f, struct span bytes)
{
	while (bytes.len) {
		size_t n_before = websocket_reader_n_partial(&f->reader), used;
		struct span data;
		enum websocket_event event = websocket_reader_feed(&f->reader, bytes, &used, &data);
		int r = 0;

		if (event == WEBSOCKET_BAD) {
			cut_to_whole(f);
			return -EPROTO;
		}
		if (event != WEBSOCKET_MORE)
			r = take(f, event, bytes, n_before, data);
		if (r < 0)
			return r;
		bytes = span_from(bytes, used);
	}
	return 0;
}

int websocket_relay_feed(struct websocket_relay *w, int from, struct span bytes, struct buf *made,
			 struct span *ret)
{
	struct flow *f = &w->flow[from];
	int r, e;

	f->out = made;
	f->passed = (struct span){ 0 };
	f->whole = f->is_amid ? NOWHERE : 0;
	r = feed(f, bytes);
	e = output(f, ret);
	f->out = NULL;
	return e < 0 ? e : r;
}

const char *websocket_relay_error(const struct websocket_relay *w, int from)
{
	return w->flow[from].reader.error;
}

int websocket_relay_close(const struct websocket_relay *w, int from, int to, struct buf *out)
{
	const struct websocket_reader *bad = &w->flow[from].reader;
	const struct flow *toward = &w->flow[1 - to];
	struct span why = span_of(bad->error);
	struct websocket_header h = { .opcode = WEBSOCKET_CLOSE,
				      .is_final = true,
				      .is_masked = to == RELAY_SERVER };
	char text[WEBSOCKET_KEPT_MAX];
	size_t n;

	if (toward->is_amid || toward->has_closed)
		return 0;
	why.len = MIN(why.len, WEBSOCKET_CONTROL_MAX - 2);
	h.length = 2 + why.len;
	if (h.is_masked && getrandom(h.mask, sizeof(h.mask), 0) != (ssize_t)sizeof(h.mask))
		return -EIO;
	n = websocket_write_header(&h, text);
	text[n] = (char)(bad->status >> 8);
	text[n + 1] = (char)(bad->status & 0xff);
	memcpy(text + n + 2, why.p, why.len);
	if (h.is_masked)
		websocket_mask(h.mask, 0, span_make(text + n, 2 + why.len), text + n);
	return buf_append(out, text, n + 2 + why.len);
}

struct websocket_relay *websocket_relay_new(const struct needles *secrets)
{
	struct websocket_relay *w = xnew(struct websocket_relay);

	websocket_reader_init(&w->flow[RELAY_CLIENT].reader, WEBSOCKET_FROM_CLIENT);
	websocket_reader_init(&w->flow[RELAY_SERVER].reader, WEBSOCKET_FROM_SERVER);
	w->flow[RELAY_SERVER].scrub.needles = secrets;
	return w;
}

void websocket_relay_free(struct websocket_relay *w)
{
	if (!w)
		return;
	scrub_done(&w->flow[RELAY_SERVER].scrub);
	xfree(w);
}
