#include "daemon/flow.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.h"

#define CHUNK 65536
#define BACKLOG ((size_t)256 * 1024)
#define SLOW_READER_MS 2000

static void on_readable(uv_poll_t *handle, int status, int events);
static void on_writable(uv_poll_t *handle, int status, int events);

static void close_end(uv_poll_t *poll, int *fd)
{
	if (*fd < 0)
		return;
	uv_close((uv_handle_t *)poll, NULL);
	fd_close(TAKE_FD(*fd));
}

/* The end of the input is told on; for a pipe that is closing it. */
static void tell_end(struct flow *f)
{
	close_end(&f->writer, &f->to_fd);
	f->is_broken = true;
	if (f->on_end)
		f->on_end(f->on_end_ctx);
}

static void update_polls(struct flow *f)
{
	bool want_read = !f->at_end && !f->is_broken && f->pending.len < BACKLOG;

	if (want_read != f->is_reading) {
		f->is_reading = want_read;
		if (want_read)
			(void)uv_poll_start(&f->reader, UV_READABLE, on_readable);
		else
			(void)uv_poll_stop(&f->reader);
	}
	if (f->pending.len)
		(void)uv_poll_start(&f->writer, UV_WRITABLE, on_writable);
	else
		(void)uv_poll_stop(&f->writer);
	if (f->at_end && !f->pending.len && !f->is_broken)
		tell_end(f);
}

static void write_pending(struct flow *f)
{
	while (f->pending.len && !f->is_broken) {
		ssize_t n = write(f->to_fd, f->pending.data, f->pending.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			f->is_broken = true;
		else
			buf_consume(&f->pending, (size_t)n);
	}
	if (f->is_broken)
		buf_reset(&f->pending);
}

static void read_some(struct flow *f)
{
	char *to = buf_reserve(&f->pending, CHUNK);
	ssize_t n;

	if (!to)
		return;
	n = read(f->from_fd, to, CHUNK);
	if (n > 0)
		buf_grow(&f->pending, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		f->at_end = true;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
	struct flow *f = handle->data;

	(void)events;
	/* A hang-up may come with bytes still to be read: read() tells. */
	(void)status;
	read_some(f);
	write_pending(f);
	update_polls(f);
}

static void on_writable(uv_poll_t *handle, int status, int events)
{
	struct flow *f = handle->data;

	(void)status;
	(void)events;
	write_pending(f);
	update_polls(f);
}

int flow_start(struct flow *f, uv_loop_t *loop, int from_fd, int to_fd)
{
	int r;

	f->loop = loop;
	f->from_fd = f->to_fd = -1;
	f->reader.data = f->writer.data = f;
	r = uv_poll_init(loop, &f->reader, from_fd);
	if (r >= 0) {
		f->from_fd = TAKE_FD(from_fd);
		r = uv_poll_init(loop, &f->writer, to_fd);
	}
	if (r >= 0)
		f->to_fd = TAKE_FD(to_fd);
	cleanup_close(&from_fd);
	cleanup_close(&to_fd);
	if (r >= 0)
		update_polls(f);
	return r;
}

static bool wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, timeout_ms) > 0;
}

void flow_drain(struct flow *f)
{
	if (!f->loop)
		return;
	while (!f->is_broken) {
		if (!f->at_end && f->pending.len < BACKLOG && wait_for(f->from_fd, POLLIN, 0))
			read_some(f);
		else if (!f->pending.len)
			return;
		write_pending(f);
		if (f->pending.len && !wait_for(f->to_fd, POLLOUT, SLOW_READER_MS))
			return;
	}
}

void flow_close(struct flow *f)
{
	if (!f->loop)
		return;
	close_end(&f->reader, &f->from_fd);
	close_end(&f->writer, &f->to_fd);
	f->at_end = f->is_broken = true;
}

void flow_stop(struct flow *f)
{
	if (!f->loop)
		return;
	flow_close(f);
	(void)uv_run(f->loop, UV_RUN_NOWAIT);
	buf_done(&f->pending);
	f->loop = NULL;
}
