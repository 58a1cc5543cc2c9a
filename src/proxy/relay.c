#include "proxy/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "proxy/stream.h"

/* One direction; flow[i] goes from side i to the other. */
struct flow {
	char *held; /* what the other side did not take; NULL: nothing */
	size_t held_at, held_len;
	bool is_eof, is_done;
	uint64_t n_bytes;
};

struct side {
	int fd;
	uv_poll_t poll;
	int events; /* waited for now */
};

struct relay {
	struct side side[2];
	struct flow flow[2];
	char *scratch;
	struct relay_events events;
	void *ctx;
	bool is_tapped, is_paused, is_closing;
	int n_handles;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void wait_for(struct relay *r, int i)
{
	struct flow *out = &r->flow[i], *in = &r->flow[1 - i];
	bool may_read = !out->is_eof && !out->held && !(i == RELAY_CLIENT && r->is_paused);
	int events = (may_read ? UV_READABLE : 0) | (in->held ? UV_WRITABLE : 0);

	if (r->is_closing || events == r->side[i].events)
		return;
	r->side[i].events = events;
	if (events)
		(void)uv_poll_start(&r->side[i].poll, events, on_ready);
	else
		(void)uv_poll_stop(&r->side[i].poll);
}

static void end(struct relay *r, int error)
{
	if (!r->is_closing)
		r->events.ended(r->ctx, error);
}

/* Writes, and keeps what the socket does not take. */
static int put(struct relay *r, int from, struct span bytes)
{
	struct flow *f = &r->flow[from];
	ssize_t n = 0;

	f->n_bytes += bytes.len;
	if (!f->held) {
		do
			n = send(r->side[1 - from].fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n < 0 && errno != EAGAIN)
			return -errno;
		n = MAX(n, 0);
		if ((size_t)n == bytes.len)
			return 0;
		f->held = xmemdup0(bytes.p + n, bytes.len - (size_t)n);
		f->held_at = 0;
		f->held_len = bytes.len - (size_t)n;
		return 0;
	}
	/* Only relay_send comes here, whose bytes are bounded by their owner. */
	f->held = xrealloc_array(f->held, f->held_len + bytes.len, 1);
	memcpy(f->held + f->held_len, bytes.p, bytes.len);
	f->held_len += bytes.len;
	return 0;
}

/* Tries again to write what was kept. */
static int flush(struct relay *r, int from)
{
	struct flow *f = &r->flow[from];
	ssize_t n;

	if (!f->held)
		return 0;
	do
		n = send(r->side[1 - from].fd, f->held + f->held_at, f->held_len - f->held_at,
			 MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	f->held_at += (size_t)n;
	if (f->held_at == f->held_len) {
		xfree(f->held);
		f->held = NULL;
	}
	return 0;
}

static int take(struct relay *r, int from, struct span bytes)
{
	struct flow *f = &r->flow[from];

	bool is_first = from == RELAY_SERVER && f->n_bytes == 0;
	int e;

	f->is_eof = bytes.len == 0;
	if (from == RELAY_CLIENT && r->is_tapped) {
		r->events.tapped(r->ctx, bytes);
		return 0;
	}
	e = bytes.len ? put(r, from, bytes) : 0;
	if (e == 0 && is_first && bytes.len && r->events.server_spoke)
		r->events.server_spoke(r->ctx);
	return e;
}

/* The end of a direction is passed on once all before it has been. */
static void close_if_over(struct relay *r, int from)
{
	struct flow *f = &r->flow[from];

	if (!f->is_eof || f->held || f->is_done || (from == RELAY_CLIENT && r->is_tapped))
		return;
	f->is_done = true;
	(void)shutdown(r->side[1 - from].fd, SHUT_WR);
}

static int pump(struct relay *r, int from)
{
	struct flow *f = &r->flow[from];

	for (int i = 0; i < STREAM_ROUNDS; i++) {
		ssize_t n;
		int e;

		if (r->is_closing || f->held || f->is_eof || (from == RELAY_CLIENT && r->is_paused))
			return 0;
		n = recv(r->side[from].fd, r->scratch, LIMIT_PROXY_RELAY, 0);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		e = take(r, from, span_make(r->scratch, (size_t)n));
		if (e < 0)
			return e;
		if ((size_t)n < LIMIT_PROXY_RELAY / 2)
			return 0;
	}
	return 0;
}

static void settle(struct relay *r)
{
	if (r->is_closing)
		return;
	close_if_over(r, RELAY_CLIENT);
	close_if_over(r, RELAY_SERVER);
	if (r->flow[0].is_done && r->flow[1].is_done) {
		end(r, 0);
		return;
	}
	wait_for(r, RELAY_CLIENT);
	wait_for(r, RELAY_SERVER);
}

static int socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	return error ? -error : -ECONNRESET;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct relay *r = poll->data;
	int i = poll == &r->side[RELAY_SERVER].poll;
	int e = 0;

	if (events & UV_WRITABLE)
		e = flush(r, 1 - i);
	if (e == 0 && (status < 0 || events & UV_READABLE))
		e = pump(r, i);
	/* libuv reports a socket in error so, and has stopped watching it. */
	if (status < 0 && e == 0)
		e = socket_error(r->side[i].fd);
	if (e < 0)
		end(r, e);
	else
		settle(r);
}

struct relay *relay_new(uv_loop_t *loop, int client_fd, int server_fd, char *scratch,
			const struct relay_events *events, void *ctx)
{
	struct relay *r = xnew(struct relay);
	int fds[2] = { client_fd, server_fd };
	int on = 1;

	r->scratch = scratch;
	r->events = *events;
	r->ctx = ctx;
	for (int i = 0; i < 2; i++) {
		r->side[i].fd = fds[i];
		(void)setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		(void)setsockopt(fds[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		/* A socket can always be watched, unless we watch it already. */
		if (uv_poll_init(loop, &r->side[i].poll, fds[i]) < 0)
			abort();
		r->side[i].poll.data = r;
		r->n_handles++;
	}
	return r;
}

void relay_send(struct relay *r, struct span bytes)
{
	if (bytes.len && put(r, RELAY_CLIENT, bytes) < 0)
		end(r, -EPIPE);
}

void relay_start(struct relay *r, bool is_tapped)
{
	r->is_tapped = is_tapped;
	settle(r);
}

void relay_pause(struct relay *r)
{
	r->is_paused = true;
	settle(r);
}

void relay_untap(struct relay *r)
{
	r->is_tapped = r->is_paused = false;
	settle(r);
}

uint64_t relay_bytes(const struct relay *r, int from)
{
	return r->flow[from].n_bytes;
}

static void on_closed(uv_handle_t *handle)
{
	struct relay *r = handle->data;

	if (--r->n_handles == 0)
		xfree(r);
}

int relay_release(struct relay *r, int *ret_client_fd, int *ret_server_fd)
{
	if (r->flow[0].held || r->flow[1].held)
		return -EBUSY;
	r->is_closing = true;
	*ret_client_fd = TAKE_FD(r->side[RELAY_CLIENT].fd);
	*ret_server_fd = TAKE_FD(r->side[RELAY_SERVER].fd);
	for (int i = 0; i < 2; i++) {
		(void)uv_poll_stop(&r->side[i].poll);
		uv_close((uv_handle_t *)&r->side[i].poll, on_closed);
	}
	return 0;
}

void relay_free(struct relay *r, bool abort)
{
	if (!r || r->is_closing)
		return;
	r->is_closing = true;
	for (int i = 0; i < 2; i++) {
		(void)uv_poll_stop(&r->side[i].poll);
		if (abort)
			socket_set_abort(r->side[i].fd);
		fd_close(TAKE_FD(r->side[i].fd));
		xfree(r->flow[i].held);
		r->flow[i].held = NULL;
		uv_close((uv_handle_t *)&r->side[i].poll, on_closed);
	}
}
