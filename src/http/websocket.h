/*
 * Reads the frames of a WebSocket (RFC 6455) out of one direction of a connection,
 * whose bytes come in any pieces. Strict: after anything that an endpoint would
 * have to fail the connection for, nothing more is read. Payloads of data frames
 * are pointed to where they came in, masked as they are, and never kept; only a
 * control frame, which is short, is kept until it is whole. Extensions are not
 * known here: who follows a connection must see to it that none is agreed on
 * (websocket-handshake.h). A push machine without I/O and without memory of its own.
 */
#pragma once

#include <stdint.h>

#include "base/span.h"
#include "base/utf8.h"

enum websocket_side {
	WEBSOCKET_FROM_CLIENT, /* masks */
	WEBSOCKET_FROM_SERVER, /* does not */
};

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

enum websocket_event {
	WEBSOCKET_MORE,	   /* all bytes are used */
	WEBSOCKET_FRAME,   /* a data frame's header is complete */
	WEBSOCKET_DATA,	   /* some of its payload */
	WEBSOCKET_CONTROL, /* a whole control frame, which may stand between those of a message */
	WEBSOCKET_BAD,
};

/* What endpoints say of why they close (RFC 6455 §7.4.1). */
enum websocket_status {
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_UNSUPPORTED = 1003,
	WEBSOCKET_NOT_UTF8 = 1007,
	WEBSOCKET_POLICY = 1008,
	WEBSOCKET_TOO_BIG = 1009,
};

/* RFC 6455 §5.5: the payload of a control frame; and §5.2: the longest header. */
#define WEBSOCKET_CONTROL_MAX ((size_t)125)
#define WEBSOCKET_HEADER_MAX ((size_t)14)
#define WEBSOCKET_KEPT_MAX (WEBSOCKET_HEADER_MAX + WEBSOCKET_CONTROL_MAX)

struct websocket_header {
	enum websocket_opcode opcode;
	bool is_final; /* the last of its message */
	bool is_masked;
	char mask[4];
	uint64_t length; /* of the payload; the highest bit is not set */
};

struct websocket_reader {
	enum websocket_side side;
	/* The frame's bytes as they came: its header, and of a control frame all. */
	char kept[WEBSOCKET_KEPT_MAX];
	size_t n_kept;
	bool has_header;		   /* it is complete, and read */
	bool is_whole;			   /* all that is to be kept of the frame is there */
	char plain[WEBSOCKET_CONTROL_MAX]; /* a control frame's payload, unmasked */
	struct websocket_header header;
	uint64_t left;	 /* of its payload */
	bool in_message; /* a data frame that was not the last of its message has come */
	bool is_text;	 /* and this is what its message is */
	bool has_closed; /* a close frame has come */
	struct utf8_check text;
	const char *error;
	enum websocket_status status;
};

void websocket_reader_init(struct websocket_reader *r, enum websocket_side side);
/*
 * Takes some of the bytes (*used) and says what they brought. With WEBSOCKET_DATA,
 * *data points into bytes; with WEBSOCKET_CONTROL, into the reader: the payload, unmasked.
 */
enum websocket_event websocket_reader_feed(struct websocket_reader *r, struct span bytes,
					   size_t *used, struct span *data);
/*
 * The quick way for what is within a long frame: true if the next n bytes are its
 * payload, not the last of it, and need not be looked at. Then they are taken.
 */
static inline bool websocket_reader_skip(struct websocket_reader *r, size_t n)
{
	if (r->error || r->is_text || n >= r->left)
		return false;
	r->left -= n;
	return true;
}
/* After WEBSOCKET_FRAME or WEBSOCKET_DATA: was that all of the frame? */
static inline bool websocket_reader_is_over(const struct websocket_reader *r)
{
	return r->left == 0;
}
/* The bytes that the last frame's header, or the last control frame, came as; of one that is not
 * complete, what has come. */
static inline struct span websocket_reader_kept(const struct websocket_reader *r)
{
	return span_make(r->kept, r->n_kept);
}
/* Of a frame that is not complete yet, or else 0. */
size_t websocket_reader_n_partial(const struct websocket_reader *r);

/* Masks, or takes the mask off again. at: how far into the payload the bytes begin. */
void websocket_mask(const char mask[4], uint64_t at, struct span bytes, char *to);
/* Writes a header, as short as can be, and returns its length. */
size_t websocket_write_header(const struct websocket_header *h, char out[WEBSOCKET_HEADER_MAX]);
