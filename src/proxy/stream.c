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

struct stream {
	int fd;
	SSL *tls;
	uv_poll_t poll;
	int events; /* waited for now */
	struct buf out;
	bool is_shut;
	bool was_cut;
	bool wants_room; /* TLS has something to say before it can read on */
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

/* ---- TLS ---- */

int stream_start_tls(struct stream *s, SSL *tls, struct span first)
{
	BIO *socket_bio = BIO_new_socket(s->fd, BIO_NOCLOSE);
	BIO *first_bio = BIO_new(BIO_s_mem());

	s->tls = tls;
	if (!socket_bio || !first_bio || first.len > INT_MAX ||
	    BIO_write(first_bio, first.p, (int)first.len) != (int)first.len) {
		BIO_free(socket_bio);
		BIO_free(first_bio);
		return -ENOMEM;
	}
	(void)BIO_set_mem_eof_return(first_bio, -1);
	SSL_set0_wbio(tls, socket_bio);
	if (first.len == 0) {
		BIO_free(first_bio);
		(void)BIO_up_ref(socket_bio);
		first_bio = socket_bio;
	}
	SSL_set0_rbio(tls, first_bio);
	return 0;
}

SSL *stream_tls(const struct stream *s)
{
	return s->tls;
}

/* The bytes that were read before are used up: on with the socket's. True if so. */
static bool go_on_with_socket(struct stream *s)
{
	BIO *in = SSL_get_rbio(s->tls), *out = SSL_get_wbio(s->tls);

	if (in == out || BIO_pending(in))
		return false;
	(void)BIO_up_ref(out);
	SSL_set0_rbio(s->tls, out);
	return true;
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

int stream_handshake(struct stream *s)
{
	int n, r;

	do {
		ERR_clear_error();
		errno = 0;
		n = SSL_do_handshake(s->tls);
		if (n == 1) {
			acknowledge_now(s);
			return 0;
		}
		r = tls_errno(s, n);
	} while (r == -EAGAIN && go_on_with_socket(s));
	return r == 0 ? -ECONNRESET : r;
}

static ssize_t read_tls(struct stream *s, char *data, size_t size)
{
	int n, r;

	do {
		ERR_clear_error();
		errno = 0;
		n = SSL_read(s->tls, data, (int)MIN(size, (size_t)INT_MAX));
		if (n > 0)
			return n;
		r = tls_errno(s, n);
	} while (r == -EAGAIN && go_on_with_socket(s));
	return r;
}

static ssize_t write_tls(struct stream *s, const char *data, size_t len)
{
	int n;

	ERR_clear_error();
	errno = 0;
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
	int events = (may_read ? UV_READABLE : 0) |
		     (stream_has_output(s) || s->wants_room ? UV_WRITABLE : 0);

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
	uv_close((uv_handle_t *)&s->poll, on_closed);
}
