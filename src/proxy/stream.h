/*
 * One end of a connection: a socket, clear or inside TLS, with what is still to be
 * written to it. Non-blocking, watched by the loop. What speaks over it (HTTP/1,
 * HTTP/2, bytes) need not know whether it is encrypted.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"

/* Reads of one connection before others have their turn, */
#define STREAM_ROUNDS 4
/* and how few bytes come where there are hardly more. */
#define STREAM_SHORT 8192

struct ssl_st;
struct stream;

/* Something may be possible on the stream; status is negative where libuv has given the socket up.
 */
typedef void (*stream_fn)(void *ctx, struct stream *s, int status);

/* Takes the socket. */
struct stream *stream_new(uv_loop_t *loop, int fd);
/* From now on all bytes are TLS's; takes tls, which must have been given no BIO yet. first: bytes
 * that were read from the socket already. -ENOMEM. */
int stream_start_tls(struct stream *s, struct ssl_st *tls, struct span first) _must_check_;
/* NULL on a clear one. */
struct ssl_st *stream_tls(const struct stream *s);
/* Who is called from now on. */
void stream_set_owner(struct stream *s, stream_fn fn, void *ctx);

/* 0 when done; -EAGAIN; -EPROTO where the two do not agree (stream_error says why); or a socket's
 * errno. */
int stream_handshake(struct stream *s);
/* Bytes read, 0 at the end, -EAGAIN (also when interrupted), or another errno. */
ssize_t stream_read(struct stream *s, char *data, size_t size);
/* It ended without TLS's own end: somebody may have cut it off. */
bool stream_was_cut(const struct stream *s);
/* Where to append what is to be written. Valid as long as the stream. */
struct buf *stream_out(struct stream *s);
bool stream_has_output(const struct stream *s);
/* So much waits that its source must not be read. */
bool stream_is_full(const struct stream *s);
/* Writes at once what it can, if nothing waits, and keeps the rest. 0 or negative errno. */
int stream_write(struct stream *s, struct span bytes) _must_check_;
/* Writes what can be written. 0 or negative errno. */
int stream_flush(struct stream *s);
/* The last byte was written: tells the other end. Reading goes on. */
void stream_shut(struct stream *s);
bool stream_is_shut(const struct stream *s);
/* The other end does not listen any more: what waits is dropped, what it said before can still be
 * read. */
void stream_stop_writing(struct stream *s);
/* Waits for what is to come: bytes to read if may_read, room if there is output. Where TLS holds
 * bytes that were not read yet, the owner is called soon. */
void stream_wait(struct stream *s, bool may_read);
/* Bytes read so far, as the peer meant them. */
uint64_t stream_bytes(const struct stream *s);
/* Counts from 0 again. */
void stream_reset_count(struct stream *s);
/* Counts bytes that others read before. */
void stream_count(struct stream *s, size_t n);
/* What TLS said last, for people; static or the library's. */
const char *stream_error(const struct stream *s);
/* The same as OpenSSL numbers it; 0: none. */
unsigned long stream_tls_error(const struct stream *s);
/* Closes the socket, by RST if abort. The owner is not called any more. NULL allowed. */
void stream_free(struct stream *s, bool abort);

/* The next close of this socket sends RST. */
void socket_set_abort(int fd);
