#include "proxy/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"

#define KEPT ((size_t)4096) /* of an idle stream's buffer */
/* Three of TLS's longest records (RFC 8446 5.2), as nobody pads them. */
#define FETCH_SIZE ((size_t)3 * (5 + 16384 + 17))

struct stream {
	int fd;
	SSL *tls;
	uv_poll_t poll;
	int events; /* waited for now */
	struct buf out;
	bool is_shut;
	bool was_cut;
	bool wants_room; /* TLS has something to say before it can read on */
	struct span ahead; /* came from the socket, and TLS has not taken it yet */
	struct buf kept;   /* where that is between two calls */
	bool is_at_end;	   /* of what the socket has */
	bool has_more;	   /* something can be read of which the loop does not know */
	int later;	   /* what the next read returns; 1: nothing yet */
	uint64_t n_bytes;
	unsigned long tls_error;
	stream_fn fn;
	void *ctx;
};

void socket_set_abort(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

struct stream *stream_new(uv_loop_t *loop, int fd)
{
	struct stream *s = xnew(struct stream);
	int on = 1;

	s->fd = fd;
	s->later = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	/* A socket can always be watched, unless we watch it already. */
	if (uv_poll_init(loop, &s->poll, fd) < 0)
		abort();
	s->poll.data = s;
	return s;
}

void stream_set_owner(struct stream *s, stream_fn fn, void *ctx)
{
	s->fn = fn;
	s->ctx = ctx;
}

/* ---- TLS's way to the socket ---- */

/*
 * Bytes are taken from the socket many records at once, and TLS takes them from there. What it has
 * not taken when a call ends is kept for the next, and only then; so this is one loop's.
 */
static char fetched[FETCH_SIZE];

/* When all is taken. 0, also at the end; -EAGAIN or another errno. */
static int fetch(struct stream *s)
{
	ssize_t n = recv(s->fd, fetched, sizeof(fetched), 0);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	buf_done(&s->kept);
	s->is_at_end = n == 0;
	s->ahead = span_make(fetched, (size_t)n);
	return 0;
}

static void keep(struct stream *s)
{
	if (s->ahead.len == 0) {
		buf_done(&s->kept);
	} else if (s->kept.len == 0) {
		(void)buf_append_span(&s->kept, s->ahead);
		s->ahead = buf_span(&s->kept);
	}
}

static int on_bio_read(BIO *bio, char *data, size_t size, size_t *ret_n)
{
	struct stream *s = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	*ret_n = MIN(size, s->ahead.len);
	if (*ret_n == 0) {
		if (!s->is_at_end)
			BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(data, s->ahead.p, *ret_n);
	s->ahead = span_from(s->ahead, *ret_n);
	return 1;
}

static int on_bio_write(BIO *bio, const char *data, size_t len, size_t *ret_n)
{
	const struct stream *s = BIO_get_data(bio);
	ssize_t n = send(s->fd, data, len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	*ret_n = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static long on_bio_control(BIO *bio, int command, long number, void *pointer)
{
	const struct stream *s = BIO_get_data(bio);

	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_EOF:
		return s->is_at_end && s->ahead.len == 0;
	case BIO_CTRL_FLUSH:
		return 1;
	default:
		return 0;
	}
}

static const BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method;

	if (method)
		return method;
	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "stream");
	if (!method || !BIO_meth_set_read_ex(method, on_bio_read) ||
	    !BIO_meth_set_write_ex(method, on_bio_write) ||
	    !BIO_meth_set_ctrl(method, on_bio_control)) {
		BIO_meth_free(method);
		method = NULL;
	}
	return method;
}

/* ---- TLS ---- */

int stream_start_tls(struct stream *s, SSL *tls, struct span first)
{
	const BIO_METHOD *method = bio_method();
	BIO *bio = method ? BIO_new(method) : NULL;

	s->tls = tls;
	if (!bio)
		return -ENOMEM;
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls, bio, bio);
	s->ahead = first;
	keep(s);
	return 0;
}

SSL *stream_tls(const struct stream *s)
{
	return s->tls;
}

/* What others left would be taken for the next call's. */
static void forget_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
	errno = 0;
}

/* A call of TLS's returned n: the errno that stands for it. */
static int tls_errno(struct stream *s, int n)
{
	int saved = errno;

	switch (SSL_get_error(s->tls, n)) {
	case SSL_ERROR_WANT_READ:
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		s->wants_room = true;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved ? -saved : -ECONNRESET;
	default:
		s->tls_error = ERR_peek_error();
		if (ERR_GET_REASON(s->tls_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
			s->was_cut = true;
			return 0;
		}
		return -EPROTO;
	}
}

/*
 * A client's request waits for the acknowledgement of its handshake's end (Nagle's
 * algorithm), which the kernel delays as long as we have nothing to send.
 */
static void acknowledge_now(const struct stream *s)
{
	int on = 1;

	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

/* 1 when done, 0 at the end. */
static int shake(struct stream *s)
{
	int n;

	forget_errors();
	n = SSL_do_handshake(s->tls);
	return n == 1 ? 1 : tls_errno(s, n);
}

int stream_handshake(struct stream *s)
{
	int r;

	s->wants_room = false;
	r = shake(s);
	while (r == -EAGAIN && !s->wants_room) {
		r = fetch(s);
		if (r < 0)
			break;
		r = shake(s);
	}
	keep(s);
	s->has_more = s->ahead.len > 0;
	if (r == 1)
		acknowledge_now(s);
	return r == 1 ? 0 : r == 0 ? -ECONNRESET : r;
}

static ssize_t read_tls(struct stream *s, char *data, size_t size)
{
	size_t done = 0;
	int n, r;

	if (s->later <= 0)
		return s->later;
	r = s->has_more ? 0 : fetch(s);
	if (r < 0)
		return r;
	forget_errors();
	do {
		n = SSL_read(s->tls, data + done, (int)MIN(size - done, (size_t)INT_MAX));
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < size && (s->ahead.len || SSL_pending(s->tls)));
	r = n > 0 ? -EAGAIN : tls_errno(s, n);
	keep(s);
	s->has_more = done == size || s->ahead.len > 0 || (done && r != -EAGAIN);
	if (done == 0)
		return r;
	if (r != -EAGAIN)
		s->later = r;
	return (ssize_t)done;
}

static ssize_t write_tls(struct stream *s, const char *data, size_t len)
{
	int n;

	forget_errors();
	n = SSL_write(s->tls, data, (int)MIN(len, (size_t)INT_MAX));
	if (n > 0)
		return n;
	n = tls_errno(s, n);
	return n ? n : -EPIPE;
}

bool stream_was_cut(const struct stream *s)
{
	return s->was_cut;
}

const char *stream_error(const struct stream *s)
{
	const char *text = s->tls_error ? ERR_reason_error_string(s->tls_error) : NULL;

	return text ? text : "the other side closed the connection";
}

unsigned long stream_tls_error(const struct stream *s)
{
	return s->tls_error;
}

/* ---- Bytes ---- */

ssize_t stream_read(struct stream *s, char *data, size_t size)
{
	ssize_t n;

	s->wants_room = false;
	if (s->tls) {
		n = read_tls(s, data, size);
	} else {
		n = recv(s->fd, data, size, 0);
		if (n < 0)
			n = errno == EINTR ? -EAGAIN : -errno;
	}
	if (n > 0)
		s->n_bytes += (uint64_t)n;
	return n;
}

struct buf *stream_out(struct stream *s)
{
	return &s->out;
}

bool stream_has_output(const struct stream *s)
{
	return s->out.len > 0;
}

bool stream_is_full(const struct stream *s)
{
	return s->out.len >= LIMIT_PROXY_RELAY;
}

/* How much the socket took; negative errno, also with some taken. */
static int push(struct stream *s, struct span bytes, size_t *ret_done)
{
	ssize_t n = 0;

	*ret_done = 0;
	while (*ret_done < bytes.len && n >= 0) {
		struct span rest = span_from(bytes, *ret_done);

		do {
			if (s->tls)
				n = write_tls(s, rest.p, rest.len);
			else
				n = send(s->fd, rest.p, rest.len, MSG_NOSIGNAL);
			if (!s->tls && n < 0)
				n = -errno;
		} while (n == -EINTR);
		*ret_done += n > 0 ? (size_t)n : 0;
	}
	return n < 0 && n != -EAGAIN ? (int)n : 0;
}

int stream_flush(struct stream *s)
{
	size_t done;
	int r = push(s, buf_span(&s->out), &done);

	if (done)
		buf_consume(&s->out, done);
	if (s->out.len == 0 && s->out.cap > KEPT)
		buf_done(&s->out);
	return r;
}

int stream_write(struct stream *s, struct span bytes)
{
	size_t done = 0;
	int r = s->out.len ? 0 : push(s, bytes, &done);

	return r < 0 ? r : buf_append_span(&s->out, span_from(bytes, done));
}

void stream_shut(struct stream *s)
{
	if (s->is_shut)
		return;
	s->is_shut = true;
	ERR_clear_error();
	if (s->tls)
		(void)SSL_shutdown(s->tls);
	(void)shutdown(s->fd, SHUT_WR);
}

bool stream_is_shut(const struct stream *s)
{
	return s->is_shut;
}

void stream_stop_writing(struct stream *s)
{
	s->is_shut = true;
	buf_reset(&s->out);
}

/* ---- The loop ---- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;

	(void)events;
	if (status < 0)
		s->events = 0; /* libuv has stopped watching it */
	s->fn(s->ctx, s, status);
}

void stream_wait(struct stream *s, bool may_read)
{
	int events =
		(may_read ? UV_READABLE : 0) |
		(stream_has_output(s) || s->wants_room || (may_read && s->has_more) ? UV_WRITABLE
										    : 0);

	if (events == s->events)
		return;
	s->events = events;
	if (events)
		(void)uv_poll_start(&s->poll, events, on_ready);
	else
		(void)uv_poll_stop(&s->poll);
}

uint64_t stream_bytes(const struct stream *s)
{
	return s->n_bytes;
}

void stream_reset_count(struct stream *s)
{
	s->n_bytes = 0;
}

void stream_count(struct stream *s, size_t n)
{
	s->n_bytes += n;
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *s = handle->data;

	xfree(s);
}

void stream_free(struct stream *s, bool abort)
{
	if (!s)
		return;
	(void)uv_poll_stop(&s->poll);
	if (abort)
		socket_set_abort(s->fd);
	else if (s->tls && !s->is_shut)
		(void)SSL_shutdown(s->tls);
	SSL_free(s->tls);
	fd_close(TAKE_FD(s->fd));
	buf_done(&s->out);
	buf_done(&s->kept);
	uv_close((uv_handle_t *)&s->poll, on_closed);
}
