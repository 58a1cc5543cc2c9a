/*
 * One HTTP/2 connection (RFC 9113) as one of its two ends: bytes in, messages
 * out, and the other way round. The glue to nghttp2. No I/O, no clock of its own,
 * no policy. Strict: what is out of form ends its stream, or the connection, and
 * is never reported as a message. No CONNECT, no server push.
 *
 * Events are called from within h2_session_feed, and closed and sent from within
 * h2_session_pull too. They may use this and other sessions, but not feed, pull
 * or free the one they come from.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "http/message.h"

enum h2_role {
	H2_SERVER, /* its peer is a client */
	H2_CLIENT,
};

/* RFC 9113 §7: those that are used here. */
enum h2_code {
	H2_NO_ERROR = 0,
	H2_PROTOCOL_ERROR = 1,
	H2_INTERNAL_ERROR = 2,
	H2_REFUSED_STREAM = 7,
	H2_CANCEL = 8,
	H2_ENHANCE_YOUR_CALM = 11,
};

struct h2_session;
struct h2_stream;

struct h2_events {
	/*
	 * A request, or a response (its status below 200: an interim one), has begun;
	 * valid until the event returns. is_end: nothing follows it.
	 */
	void (*head)(void *ctx, struct h2_stream *s, const struct http_head *head, bool is_end);
	/* A request has begun and is malformed; it may be answered. */
	void (*bad_request)(void *ctx, struct h2_stream *s, const char *why);
	/* Some of the body. The peer may send as much again once h2_stream_give_back is called. */
	void (*data)(void *ctx, struct h2_stream *s, struct span data);
	/* The message is complete. */
	void (*end)(void *ctx, struct h2_stream *s, const struct http_field *trailers, size_t n);
	/* So many bytes of what h2_stream_send was given are on their way. */
	void (*sent)(void *ctx, struct h2_stream *s, size_t n);
	/*
	 * The stream is no more, and must not be used. why: what the peer sent was
	 * malformed. Not called for what is left when the session is freed.
	 */
	void (*closed)(void *ctx, struct h2_stream *s, uint32_t code, const char *why);
	/* The peer wants no more streams. */
	void (*goaway)(void *ctx, uint32_t code);
};

struct h2_session *h2_session_new(enum h2_role role, const struct h2_events *events,
				  void *ctx) _must_check_;
/* NULL allowed. */
void h2_session_free(struct h2_session *s);
/* Who gets the events from now on; there must be no streams. */
void h2_session_set_ctx(struct h2_session *s, void *ctx);

/* Takes all of the bytes, whatever they are. now_ms: of any clock that does not go back. */
void h2_session_feed(struct h2_session *s, struct span bytes, uint64_t now_ms);
/* Appends what is to be written, until out has so many bytes. How many were appended. */
size_t h2_session_pull(struct h2_session *s, struct buf *out, size_t limit);
/* A client's session that could begin a request as it did the first one. */
bool h2_session_is_idle(const struct h2_session *s);
/* Nothing more is to come or to go, once what was pulled is written. */
bool h2_session_is_over(const struct h2_session *s);
/* What the peer did so that the connection is broken, or NULL; static. */
const char *h2_session_error(const struct h2_session *s);
/* No more streams from the peer; those that there are come to their end. */
void h2_session_leave(struct h2_session *s, uint32_t code);

/* For a client: begins a request; NULL where that cannot be any more. */
struct h2_stream *h2_session_request(struct h2_session *s, const struct http_head *head,
				     bool is_end, void *ctx) _must_check_;
/* For a server: the head of the response, or of an interim one, which is no end. */
void h2_stream_respond(struct h2_stream *st, const struct http_head *head, bool is_end);
/* Some of the body. Kept until the peer takes it: what is given back as it is sent is the bound. */
void h2_stream_send(struct h2_stream *st, struct span data);
void h2_stream_end(struct h2_stream *st, const struct http_field *trailers, size_t n);
/* The peer need not send much more of its message, once all of ours is sent (RFC 9113 §8.1). */
void h2_stream_stop(struct h2_stream *st);
void h2_stream_reset(struct h2_stream *st, uint32_t code);
/* So many bytes of the data that came are used; SIZE_MAX: all. */
void h2_stream_give_back(struct h2_stream *st, size_t n);
/* In closed: the bytes that were not given back. Their room is the connection's until this is told.
 */
size_t h2_stream_take_held(struct h2_stream *st);
void h2_session_give_back(struct h2_session *s, size_t n);

void h2_stream_set_ctx(struct h2_stream *st, void *ctx);
void *h2_stream_ctx(const struct h2_stream *st);
