#include "daemon/detached.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/attach.h"

/* At the end: who is attached has so long to take what is still there. */
#define LAST_WORDS_MS 1000
/* Reads of the pty at its end: what fills more than this was written by something that does not
 * end. */
#define LAST_READS 64

enum client_state {
	CLIENT_FREE = 0,
	CLIENT_OPEN,
	CLIENT_CLOSING, /* until the loop has let go of it */
	CLIENT_ENDING,	/* the loop has let go; it is to hear of the end */
};

struct client {
	struct detached *d;
	enum client_state state;
	int fd;
	uv_poll_t poll;
	struct buf pending; /* shown, and not yet taken */
	bool is_writing;
};

struct detached {
	uv_loop_t *loop;
	char *socket, *output, *older;
	int pty_fd, output_fd, listen_fd;
	size_t output_len;
	uv_poll_t pty, listener;
	bool has_pty_poll, has_listener_poll, is_pty_writing, is_stopped;
	struct buf input; /* typed, and not yet read by the command */
	struct client clients[LIMIT_ATTACHED];
};

/* ---- What is kept --------------------------------------------------------------------------- */

static int open_output(struct detached *d, int extra_flags)
{
	d->output_fd =
		open(d->output,
		     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | extra_flags, 0600);
	d->output_len = 0;
	return d->output_fd < 0 ? -errno : 0;
}

/* What cannot be kept is shown nevertheless, and that it is lost is said once. */
static void stop_keeping(struct detached *d, int code)
{
	log_warning("the session's output is no longer kept: %s: %s", d->output, strerror(-code));
	cleanup_close(&d->output_fd);
	d->output_fd = -1;
}

static void keep(struct detached *d, const char *data, size_t len)
{
	int r = 0;

	if (d->output_fd < 0)
		return;
	if (d->output_len + len > LIMIT_OUTPUT) {
		fd_close(TAKE_FD(d->output_fd));
		r = rename(d->output, d->older) < 0 ? -errno : open_output(d, O_EXCL);
	}
	if (r >= 0)
		r = fd_write_all(d->output_fd, data, len);
	if (r < 0)
		stop_keeping(d, r);
	d->output_len += len;
}

/* ---- Who is attached ------------------------------------------------------------------------ */

static void on_client(uv_poll_t *handle, int status, int events);

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	if (c->state == CLIENT_CLOSING)
		c->state = CLIENT_FREE;
}

static void client_close(struct client *c)
{
	if (c->state == CLIENT_OPEN) {
		c->state = CLIENT_CLOSING;
		uv_close((uv_handle_t *)&c->poll, on_client_closed);
	} else if (c->state == CLIENT_ENDING) {
		c->state = CLIENT_FREE;
	} else {
		return;
	}
	fd_close(TAKE_FD(c->fd));
	buf_done(&c->pending);
}

/* Sends what it takes now. */
static void client_flush(struct client *c)
{
	while (c->pending.len) {
		struct span piece =
			span_make(c->pending.data, MIN(c->pending.len, ATTACH_DATA_MAX));
		int r = ipc_send(c->fd, ATTACH_DATA, 0, piece, NULL, 0);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			client_close(c);
			return;
		}
		buf_consume(&c->pending, piece.len);
	}
}

static void client_poll(struct client *c)
{
	bool want_write = c->pending.len > 0;

	if (c->state != CLIENT_OPEN || want_write == c->is_writing)
		return;
	c->is_writing = want_write;
	if (uv_poll_start(&c->poll, UV_READABLE | UV_DISCONNECT | (want_write ? UV_WRITABLE : 0),
			  on_client) < 0)
		client_close(c);
}

/* One that does not read is let go: it must not stop the others, nor the command. */
static void show(struct detached *d, const char *data, size_t len)
{
	for (size_t i = 0; i < LIMIT_ATTACHED; i++) {
		struct client *c = &d->clients[i];

		if (c->state != CLIENT_OPEN)
			continue;
		if (buf_append(&c->pending, data, len) < 0) {
			client_close(c);
			continue;
		}
		client_flush(c);
		client_poll(c);
	}
}

/* ---- The pty -------------------------------------------------------------------------------- */

static void on_pty(uv_poll_t *handle, int status, int events);

static void pty_poll(struct detached *d)
{
	int events = UV_READABLE | (d->input.len ? UV_WRITABLE : 0);

	d->is_pty_writing = d->input.len > 0;
	if (d->has_pty_poll && uv_poll_start(&d->pty, events, on_pty) < 0)
		d->has_pty_poll = false;
}

static void pty_close_poll(struct detached *d)
{
	if (!d->has_pty_poll)
		return;
	d->has_pty_poll = false;
	uv_close((uv_handle_t *)&d->pty, NULL);
}

/* False: nothing more is there, now or ever. */
static bool read_pty(struct detached *d)
{
	char data[ATTACH_DATA_MAX];
	ssize_t n = read(d->pty_fd, data, sizeof(data));

	if (n > 0) {
		keep(d, data, (size_t)n);
		show(d, data, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		pty_close_poll(d);
	return false;
}

static void write_pty(struct detached *d)
{
	while (d->input.len) {
		ssize_t n = write(d->pty_fd, d->input.data, d->input.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_consume(&d->input, (size_t)n);
	}
	if ((d->input.len > 0) != d->is_pty_writing)
		pty_poll(d);
}

static void on_pty(uv_poll_t *handle, int status, int events)
{
	struct detached *d = handle->data;

	/* A hang-up may come with bytes still to be read: read() tells. */
	(void)status;
	if (events & UV_WRITABLE)
		write_pty(d);
	(void)read_pty(d);
}

/* Of the same size as before, too, what is on the screen is to be drawn for the new one. */
static void resize(struct detached *d, const struct attach_window *window)
{
	struct winsize w = { .ws_row = window->rows, .ws_col = window->columns };
	struct winsize other = w;

	if (!w.ws_row || !w.ws_col)
		return;
	other.ws_row = w.ws_row > 1 ? w.ws_row - 1 : 2;
	(void)ioctl(d->pty_fd, TIOCSWINSZ, &other);
	(void)ioctl(d->pty_fd, TIOCSWINSZ, &w);
}

static void take(struct client *c, const struct ipc_message *m)
{
	struct detached *d = c->d;
	struct attach_window window;

	switch ((enum attach_message)m->type) {
	case ATTACH_DATA:
		/* A command that does not read: what is typed beyond this is lost, as at a
		 * terminal. */
		if (d->input.len + m->payload.len <= LIMIT_ATTACH_INPUT)
			(void)buf_append(&d->input, m->payload.data, m->payload.len);
		write_pty(d);
		return;
	case ATTACH_WINDOW:
		memcpy(&window, m->payload.data, sizeof(window));
		resize(d, &window);
		return;
	case ATTACH_NONE:
	case ATTACH_EXIT:
	case ATTACH_MESSAGE_MAX:
		client_close(c);
	}
}

static void on_client(uv_poll_t *handle, int status, int events)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct client *c = handle->data;
	int r;

	(void)status;
	if (events & UV_WRITABLE)
		client_flush(c);
	if (c->state == CLIENT_OPEN && (events & (UV_READABLE | UV_DISCONNECT))) {
		r = ipc_receive(c->fd, attach_to_session, ATTACH_MESSAGE_MAX, &m);
		if (r > 0)
			take(c, &m);
		else if (r != -EAGAIN)
			client_close(c);
	}
	client_poll(c);
}

/* The directory is the user's alone; who got in nevertheless is not let further. */
static bool is_same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static struct client *free_client(struct detached *d)
{
	for (size_t i = 0; i < LIMIT_ATTACHED; i++)
		if (d->clients[i].state == CLIENT_FREE)
			return &d->clients[i];
	return NULL;
}

static void on_connection(uv_poll_t *handle, int status, int events)
{
	struct detached *d = handle->data;
	struct client *c = free_client(d);
	_cleanup_close_ int fd = accept4(d->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)status;
	(void)events;
	if (fd < 0 || !c || !is_same_user(fd))
		return;
	*c = (struct client){ .d = d, .fd = -1, .pending = BUF_INIT(LIMIT_ATTACH_BACKLOG) };
	if (uv_poll_init(d->loop, &c->poll, fd) < 0)
		return;
	c->fd = TAKE_FD(fd);
	c->poll.data = c;
	c->state = CLIENT_OPEN;
	c->is_writing = true; /* for client_poll to begin */
	client_poll(c);
}

/* ---- Its life ------------------------------------------------------------------------------- */

static int watch(uv_loop_t *loop, uv_poll_t *handle, int fd, void *data)
{
	int r = uv_poll_init(loop, handle, fd);

	handle->data = data;
	return r;
}

static int start(struct detached *d, struct err *err)
{
	int r = open_output(d, O_EXCL);

	if (r < 0)
		return err_set(err, r, "make %s", d->output);
	r = attach_listen(d->socket, &d->listen_fd, err);
	if (r < 0)
		return r;
	r = fd_set_nonblock(d->pty_fd, true);
	if (r >= 0)
		r = watch(d->loop, &d->pty, d->pty_fd, d);
	d->has_pty_poll = r >= 0;
	if (r >= 0)
		r = watch(d->loop, &d->listener, d->listen_fd, d);
	d->has_listener_poll = r >= 0;
	if (r >= 0)
		r = uv_poll_start(&d->listener, UV_READABLE, on_connection);
	if (r >= 0)
		r = uv_poll_start(&d->pty, UV_READABLE, on_pty);
	return r < 0 ? err_set(err, r, "watch the session's terminal") : 0;
}

/* From here on nothing of it is the loop's. */
void detached_stop(struct detached *d)
{
	if (!d || d->is_stopped)
		return;
	d->is_stopped = true;
	for (int i = 0; i < LAST_READS && read_pty(d); i++)
		;
	pty_close_poll(d);
	if (d->has_listener_poll)
		uv_close((uv_handle_t *)&d->listener, NULL);
	for (size_t i = 0; i < LIMIT_ATTACHED; i++) {
		struct client *c = &d->clients[i];

		if (c->state != CLIENT_OPEN)
			continue;
		c->state = CLIENT_ENDING;
		uv_close((uv_handle_t *)&c->poll, on_client_closed);
	}
	(void)uv_run(d->loop, UV_RUN_NOWAIT);
	if (d->listen_fd >= 0)
		(void)unlink(d->socket);
	cleanup_close(&d->listen_fd);
	cleanup_close(&d->pty_fd);
	cleanup_close(&d->output_fd);
	d->listen_fd = d->pty_fd = d->output_fd = -1;
}

static void release(struct detached *d)
{
	detached_stop(d);
	for (size_t i = 0; i < LIMIT_ATTACHED; i++)
		client_close(&d->clients[i]);
	buf_done(&d->input);
	xfree(d->socket);
	xfree(d->output);
	xfree(d->older);
	xfree(d);
}

int detached_start(const struct detached_options *o, int pty_fd, struct detached **ret,
		   struct err *err)
{
	struct detached *d = xnew(struct detached);
	int r;

	*d = (struct detached){ .loop = o->loop,
				.socket = xstrdup(o->socket),
				.output = path_join(o->directory, ATTACH_OUTPUT),
				.older = path_join(o->directory, ATTACH_OUTPUT_OLDER),
				.pty_fd = pty_fd,
				.output_fd = -1,
				.listen_fd = -1,
				.input = BUF_INIT(LIMIT_ATTACH_INPUT) };
	r = start(d, err);
	if (r < 0) {
		release(d);
		return r;
	}
	*ret = d;
	return 0;
}

/* Waits a little for one that is slow. */
static void say_exit(struct client *c, int32_t code)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	int r = -EAGAIN;

	while (c->state == CLIENT_ENDING && r == -EAGAIN) {
		client_flush(c);
		if (c->state == CLIENT_ENDING && !c->pending.len)
			r = ipc_send(c->fd, ATTACH_EXIT, 0, span_make(&code, sizeof(code)), NULL,
				     0);
		if (c->state == CLIENT_ENDING && r == -EAGAIN && poll(&p, 1, LAST_WORDS_MS) <= 0)
			return;
	}
}

void detached_free(struct detached *d, int exit_code)
{
	if (!d)
		return;
	detached_stop(d);
	for (size_t i = 0; i < LIMIT_ATTACHED; i++)
		say_exit(&d->clients[i], exit_code);
	release(d);
}
