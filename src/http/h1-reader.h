/*
 * Reads HTTP/1 messages out of a stream of bytes that comes in any pieces. Strict
 * (RFC 9112): whatever two programs could read in two ways (two lengths, folded
 * lines, bare line ends, blanks before a colon) is an error, and after an error
 * nothing more is read. A push machine without I/O; memory is bounded by the
 * limits in base/limits.h.
 */
#pragma once

#include <stdint.h>

#include "http/message.h"

enum h1_side {
	H1_REQUESTS,
	H1_RESPONSES,
};

enum h1_event {
	H1_MORE, /* all bytes are used, and no message has ended */
	H1_HEAD,
	H1_DATA, /* some of the body */
	H1_END,	 /* of the message; an interim response (1xx) has none */
	H1_BAD,
};

/* How a body ends (RFC 9112 §6.3). */
enum h1_body {
	H1_BODY_NONE,
	H1_BODY_LENGTH,
	H1_BODY_CHUNKED,
	H1_BODY_UNTIL_CLOSE,
};

struct h1_reader;

struct h1_reader *h1_reader_new(enum h1_side side) _must_check_;
void h1_reader_free(struct h1_reader *r);

/* Before each response: the method that its request had, for a response to HEAD has no body. */
void h1_reader_expect(struct h1_reader *r, struct span method);

/*
 * Takes some of the bytes (*used) and says what they brought. With H1_DATA, *data
 * points into bytes. The head is valid until the message's H1_END, that of an
 * interim response until the next call.
 */
enum h1_event h1_reader_feed(struct h1_reader *r, struct span bytes, size_t *used, struct span *data);
/* Is H1_END to be had from h1_reader_feed without another byte? */
bool h1_reader_has_ended(const struct h1_reader *r);
/* The stream has ended: H1_END for a body that lasts as long, H1_MORE between messages, else H1_BAD. */
enum h1_event h1_reader_finish(struct h1_reader *r);

const struct http_head *h1_reader_head(const struct h1_reader *r);
enum h1_body h1_reader_body(const struct h1_reader *r, uint64_t *ret_length);
/* Fields behind a chunked body; valid from H1_END to the next call. */
const struct http_field *h1_reader_trailers(const struct h1_reader *r, size_t *n);
/* Between messages, with nothing of the next one read. */
bool h1_reader_is_idle(const struct h1_reader *r);
/* After H1_BAD: what is wrong, for people; static. */
const char *h1_reader_error(const struct h1_reader *r);
