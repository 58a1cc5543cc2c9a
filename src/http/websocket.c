#include "http/websocket.h"

#define FINAL 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define CONTROL 0x08
#define MASKED 0x80
#define LENGTH 0x7f
/* Lengths that say that the length follows. */
#define LENGTH_16 126
#define LENGTH_64 127

/* Text is unmasked in such pieces to be looked at. */
#define LOOKED_AT ((size_t)1024)

void websocket_reader_init(struct websocket_reader *r, enum websocket_side side)
{
	*r = (struct websocket_reader){ .side = side };
}

static enum websocket_event bad(struct websocket_reader *r, enum websocket_status status,
				const char *what)
{
	r->error = what;
	r->status = status;
	return WEBSOCKET_BAD;
}

/* ---- Masks ---- */

void websocket_mask(const char mask[4], uint64_t at, struct span bytes, char *to)
{
	char turned[8];
	uint64_t word, eight;
	size_t i = 0;

	for (size_t k = 0; k < sizeof(turned); k++)
		turned[k] = mask[(at + k) % 4];
	memcpy(&word, turned, sizeof(word));
	for (; i + sizeof(eight) <= bytes.len; i += sizeof(eight)) {
		memcpy(&eight, bytes.p + i, sizeof(eight));
		eight ^= word;
		memcpy(to + i, &eight, sizeof(eight));
	}
	for (; i < bytes.len; i++)
		to[i] = (char)(bytes.p[i] ^ turned[i % 4]);
}

/* ---- Headers ---- */

/* How long the header is by what has come of it. */
static size_t header_len(const struct websocket_reader *r)
{
	unsigned char second = (unsigned char)r->kept[1];
	size_t n = 2;

	if (r->n_kept < 2)
		return 2;
	if ((second & LENGTH) == LENGTH_16)
		n += 2;
	else if ((second & LENGTH) == LENGTH_64)
		n += 8;
	return n + (second & MASKED ? 4 : 0);
}

static uint64_t load_be(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* What follows the first two bytes. */
static const char *read_rest(struct websocket_reader *r)
{
	struct websocket_header *h = &r->header;
	unsigned char second = (unsigned char)r->kept[1] & LENGTH;

	h->length = second;
	if (second == LENGTH_16)
		h->length = load_be(r->kept + 2, 2);
	else if (second == LENGTH_64)
		h->length = load_be(r->kept + 2, 8);
	if (h->is_masked)
		memcpy(h->mask, r->kept + r->n_kept - sizeof(h->mask), sizeof(h->mask));
	if (h->length >> 63)
		return "a frame's length has its highest bit set";
	if ((second == LENGTH_16 && h->length < LENGTH_16) ||
	    (second == LENGTH_64 && h->length <= UINT16_MAX))
		return "a frame's length is written longer than need be";
	return NULL;
}

static const char *check_control(const struct websocket_header *h, size_t length)
{
	if (!h->is_final)
		return "a control frame is not whole";
	if (length > WEBSOCKET_CONTROL_MAX)
		return "a control frame is too long";
	return NULL;
}

static const char *check_data(const struct websocket_reader *r, const struct websocket_header *h)
{
	if (r->has_closed)
		return "a data frame comes behind a close frame";
	if (h->opcode == WEBSOCKET_CONTINUATION && !r->in_message)
		return "a frame continues a message that has not begun";
	if (h->opcode != WEBSOCKET_CONTINUATION && r->in_message)
		return "a message begins within another";
	return NULL;
}

static bool is_control(const struct websocket_header *h)
{
	return h->opcode & CONTROL;
}

static bool is_known_opcode(unsigned char opcode)
{
	return opcode <= WEBSOCKET_BINARY ||
	       (opcode >= WEBSOCKET_CLOSE && opcode <= WEBSOCKET_PONG);
}

/* RFC 6455 §5.2, §5.4, §5.5 */
static const char *read_first_two(struct websocket_reader *r)
{
	unsigned char first = (unsigned char)r->kept[0], second = (unsigned char)r->kept[1];
	struct websocket_header *h = &r->header;

	if (first & RESERVED)
		return "a frame has reserved bits set, for an extension that was not agreed on";
	if (!is_known_opcode(first & OPCODE))
		return "a frame has an unknown opcode";
	*h = (struct websocket_header){ .opcode = first & OPCODE,
					.is_final = first & FINAL,
					.is_masked = second & MASKED };
	if (h->is_masked != (r->side == WEBSOCKET_FROM_CLIENT))
		return h->is_masked ? "a frame of the server's is masked"
				    : "a frame of the client's is not masked";
	return is_control(h) ? check_control(h, second & LENGTH) : check_data(r, h);
}

/* Keeps more of the frame, until so much of it is kept. True if it is. */
static bool keep_until(struct websocket_reader *r, size_t len, struct span *rest)
{
	size_t n = MIN(len - r->n_kept, rest->len);

	if (n)
		memcpy(r->kept + r->n_kept, rest->p, n);
	r->n_kept += n;
	*rest = span_from(*rest, n);
	return r->n_kept == len;
}

size_t websocket_write_header(const struct websocket_header *h, char out[WEBSOCKET_HEADER_MAX])
{
	size_t n_length = h->length > UINT16_MAX ? 8 : h->length >= LENGTH_16 ? 2 : 0;
	size_t n = 2;
	uint64_t second = n_length == 8 ? LENGTH_64 : n_length == 2 ? LENGTH_16 : h->length;

	out[0] = (char)((h->is_final ? FINAL : 0) | h->opcode);
	out[1] = (char)((h->is_masked ? MASKED : 0) | second);
	for (size_t i = n_length; i > 0; i--)
		out[n++] = (char)(h->length >> (8 * (i - 1)) & 0xff);
	if (h->is_masked) {
		memcpy(out + n, h->mask, sizeof(h->mask));
		n += sizeof(h->mask);
	}
	return n;
}

/* ---- Data frames ---- */

static bool is_utf8(struct websocket_reader *r, struct span piece)
{
	uint64_t at = r->header.length - r->left;

	if (!r->header.is_masked)
		return utf8_check_feed(&r->text, piece);
	while (piece.len) {
		char plain[LOOKED_AT];
		size_t n = MIN(piece.len, sizeof(plain));

		websocket_mask(r->header.mask, at, span_make(piece.p, n), plain);
		if (!utf8_check_feed(&r->text, span_make(plain, n)))
			return false;
		at += n;
		piece = span_from(piece, n);
	}
	return true;
}

static enum websocket_event bad_text(struct websocket_reader *r)
{
	return bad(r, WEBSOCKET_NOT_UTF8, "a text is not UTF-8");
}

/* Nothing more of the frame comes. */
static enum websocket_event end_data(struct websocket_reader *r, enum websocket_event event)
{
	if (!r->header.is_final)
		return event;
	if (r->is_text && !utf8_check_is_whole(&r->text))
		return bad_text(r);
	r->in_message = false;
	return event;
}

static enum websocket_event take_payload(struct websocket_reader *r, struct span bytes,
					 size_t *used, struct span *data)
{
	struct span piece = span_make(bytes.p, (size_t)MIN(r->left, (uint64_t)bytes.len));

	if (!piece.len)
		return WEBSOCKET_MORE;
	if (r->is_text && !is_utf8(r, piece))
		return bad_text(r);
	r->left -= piece.len;
	*used = piece.len;
	*data = piece;
	return r->left ? WEBSOCKET_DATA : end_data(r, WEBSOCKET_DATA);
}

static enum websocket_event begin_data(struct websocket_reader *r)
{
	r->left = r->header.length;
	if (!r->in_message) {
		r->is_text = r->header.opcode == WEBSOCKET_TEXT;
		r->text = (struct utf8_check){ .n_tail = 0 };
	}
	r->in_message = true;
	return r->left ? WEBSOCKET_FRAME : end_data(r, WEBSOCKET_FRAME);
}

/* ---- Control frames ---- */

/* RFC 6455 §7.4: those that may be sent. */
static bool is_close_code(uint64_t code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

static enum websocket_event take_close(struct websocket_reader *r, struct span payload)
{
	struct utf8_check reason = { .n_tail = 0 };

	r->has_closed = true;
	if (payload.len == 0)
		return WEBSOCKET_CONTROL;
	if (payload.len < 2 || !is_close_code(load_be(payload.p, 2)))
		return bad(r, WEBSOCKET_PROTOCOL_ERROR, "a close frame's code is none");
	if (!utf8_check_feed(&reason, span_from(payload, 2)) || !utf8_check_is_whole(&reason))
		return bad(r, WEBSOCKET_NOT_UTF8, "a close frame's reason is not UTF-8");
	return WEBSOCKET_CONTROL;
}

/* It is all there. */
static enum websocket_event take_control(struct websocket_reader *r, struct span *data)
{
	size_t len = (size_t)r->header.length;

	memcpy(r->plain, r->kept + r->n_kept - len, len);
	if (r->header.is_masked)
		websocket_mask(r->header.mask, 0, span_make(r->plain, len), r->plain);
	*data = span_make(r->plain, len);
	return r->header.opcode == WEBSOCKET_CLOSE ? take_close(r, *data) : WEBSOCKET_CONTROL;
}

/* ---- All ---- */

/* True if the header is complete; else more is needed, or the reader has an error. */
static bool take_header(struct websocket_reader *r, struct span *rest)
{
	const char *why = NULL;

	if (r->n_kept < 2) {
		if (!keep_until(r, 2, rest))
			return false;
		why = read_first_two(r);
	}
	if (!why && !keep_until(r, header_len(r), rest))
		return false;
	if (!why)
		why = read_rest(r);
	if (why)
		(void)bad(r, WEBSOCKET_PROTOCOL_ERROR, why);
	r->has_header = !why;
	return r->has_header;
}

static enum websocket_event take_frame(struct websocket_reader *r, struct span *rest,
				       struct span *data)
{
	if (!r->has_header && !take_header(r, rest))
		return r->error ? WEBSOCKET_BAD : WEBSOCKET_MORE;
	if (is_control(&r->header) &&
	    !keep_until(r, header_len(r) + (size_t)r->header.length, rest))
		return WEBSOCKET_MORE;
	r->is_whole = true;
	return is_control(&r->header) ? take_control(r, data) : begin_data(r);
}

enum websocket_event websocket_reader_feed(struct websocket_reader *r, struct span bytes,
					   size_t *used, struct span *data)
{
	struct span rest = bytes;
	enum websocket_event event;

	*used = 0;
	*data = (struct span){ 0 };
	if (r->error)
		return WEBSOCKET_BAD;
	if (r->left)
		return take_payload(r, bytes, used, data);
	if (!bytes.len)
		return WEBSOCKET_MORE;
	if (r->is_whole) {
		r->is_whole = r->has_header = false;
		r->n_kept = 0;
	}
	event = take_frame(r, &rest, data);
	*used = bytes.len - rest.len;
	return event;
}

size_t websocket_reader_n_partial(const struct websocket_reader *r)
{
	return r->is_whole ? 0 : r->n_kept;
}
