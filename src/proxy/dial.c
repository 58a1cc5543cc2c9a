#include "proxy/dial.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"

struct dial {
	uv_poll_t poll;
	uv_timer_t timer;
	bool has_poll, is_over;
	int fd;
	struct endpoint addresses[DIAL_MAX_ADDRESSES], last; /* last: tried */
	size_t n, next;
	int error;
	dial_fn fn;
	dial_more_fn more; /* NULL: it was asked */
	void *ctx;
};

static void on_timer_closed(uv_handle_t *handle)
{
	xfree(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct dial *d = handle->data;

	d->has_poll = false;
	uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

static void stop(struct dial *d)
{
	d->is_over = true;
	(void)uv_timer_stop(&d->timer);
	if (d->fd >= 0)
		fd_close(TAKE_FD(d->fd));
	if (d->has_poll && !uv_is_closing((uv_handle_t *)&d->poll))
		uv_close((uv_handle_t *)&d->poll, on_poll_closed);
	else if (!d->has_poll)
		uv_close((uv_handle_t *)&d->timer, on_timer_closed);
}

static void finish(struct dial *d, int fd)
{
	dial_fn fn = d->fn;
	void *ctx = d->ctx;
	struct endpoint to = d->last;

	stop(d);
	fn(ctx, fd, &to);
}

static void try_next(struct dial *d);

static void on_retry(uv_handle_t *handle)
{
	struct dial *d = handle->data;

	d->has_poll = false;
	if (d->is_over)
		uv_close((uv_handle_t *)&d->timer, on_timer_closed);
	else
		try_next(d);
}

/* The address did not answer: its handle must be gone before the next one's can be made. */
static void fail_one(struct dial *d, int error)
{
	d->error = error;
	(void)uv_timer_stop(&d->timer);
	if (d->fd >= 0) {
		if (d->has_poll)
			(void)uv_poll_stop(&d->poll);
		fd_close(TAKE_FD(d->fd));
	}
	if (d->has_poll)
		uv_close((uv_handle_t *)&d->poll, on_retry);
	else
		try_next(d);
}

/* Is there another address? */
static bool has_next(struct dial *d)
{
	dial_more_fn more = d->more;

	if (d->next == d->n && more) {
		d->more = NULL;
		d->next = 0;
		d->n = more(d->ctx, d->addresses);
	}
	return d->next < d->n;
}

static void on_last_timeout(uv_timer_t *timer)
{
	fail_one(timer->data, -ETIMEDOUT);
}

static void on_timeout(uv_timer_t *timer)
{
	if (has_next(timer->data))
		fail_one(timer->data, -ETIMEDOUT);
	else
		(void)uv_timer_start(timer, on_last_timeout,
				     LIMIT_PROXY_DIAL_MS - LIMIT_PROXY_DIAL_NEXT_MS, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct dial *d = poll->data;
	int error = 0, fd;
	socklen_t len = sizeof(error);

	(void)status;
	(void)events;
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		fail_one(d, -error);
		return;
	}
	(void)uv_poll_stop(poll);
	fd = TAKE_FD(d->fd);
	finish(d, fd);
}

static int open_socket(const struct endpoint *to, int *ret_fd)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(to, &ss);
	_cleanup_close_ int fd =
		socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void on_immediate(uv_timer_t *timer)
{
	try_next(timer->data);
}

static void try_next(struct dial *d)
{
	int r;

	if (!has_next(d)) {
		finish(d, d->error);
		return;
	}
	d->last = d->addresses[d->next++];
	r = open_socket(&d->last, &d->fd);
	if (r == 0)
		r = uv_poll_init(d->timer.loop, &d->poll, d->fd);
	if (r < 0) {
		fail_one(d, r);
		return;
	}
	d->has_poll = true;
	d->poll.data = d;
	(void)uv_poll_start(&d->poll, UV_WRITABLE, on_ready);
	(void)uv_timer_start(&d->timer, on_timeout, LIMIT_PROXY_DIAL_NEXT_MS, 0);
}

struct dial *dial_start(uv_loop_t *loop, const struct endpoint *addresses, size_t n, dial_fn fn,
			dial_more_fn more, void *ctx)
{
	struct dial *d = xnew(struct dial);

	d->fd = -1;
	d->n = MIN(n, (size_t)DIAL_MAX_ADDRESSES);
	memcpy(d->addresses, addresses, d->n * sizeof(*addresses));
	d->last = d->addresses[0];
	d->error = -EADDRNOTAVAIL;
	d->fn = fn;
	d->more = more;
	d->ctx = ctx;
	(void)uv_timer_init(loop, &d->timer);
	d->timer.data = d;
	(void)uv_timer_start(&d->timer, on_immediate, 0, 0);
	return d;
}

void dial_cancel(struct dial *d)
{
	if (d)
		stop(d);
}
