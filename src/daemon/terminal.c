#include "daemon/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "daemon/flow.h"
#include "daemon/window.h"

struct terminal {
	bool has_pty; /* else pipes */
	struct termios saved;
	struct flow flows[3]; /* by our stream's number; with a pty: 0 in, 1 out, and no others have
				 it */
};

void terminal_resize(struct terminal *t)
{
	struct winsize w = terminal_window();

	if (t->has_pty && t->flows[1].from_fd >= 0)
		(void)ioctl(t->flows[1].from_fd, TIOCSWINSZ, &w);
}

static int go_raw(struct terminal *t)
{
	struct termios raw = t->saved;

	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return -errno;
	log_set_raw_terminal(true);
	return 0;
}

static void go_cooked(struct terminal *t)
{
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	log_set_raw_terminal(false);
}

/* The same terminal under an open file description of our own, so that non-blocking mode stays ours. */
static int reopen(int fd, int flags)
{
	char path[32];
	int copy;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return copy < 0 ? -errno : copy;
}

/* Starts one flow between descriptors, which it takes, or the errors of opening them. */
static int start_flow(struct terminal *t, uv_loop_t *loop, int stream, int from_fd, int to_fd)
{
	int r = from_fd < 0 ? from_fd : to_fd;

	if (from_fd >= 0 && to_fd >= 0)
		return flow_start(&t->flows[stream], loop, from_fd, to_fd);
	cleanup_close(&from_fd);
	cleanup_close(&to_fd);
	return r;
}

/* The user's terminal is gone: its end of the container's is closed. */
static void hang_up(void *ctx)
{
	struct terminal *t = ctx;

	flow_close(&t->flows[1]);
}

int terminal_start_pty(uv_loop_t *loop, int pty_fd, struct terminal **ret, struct err *err)
{
	struct terminal *t = xnew(struct terminal);
	int r = 0;

	t->has_pty = true;
	t->flows[0].on_end = hang_up;
	t->flows[0].on_end_ctx = t;
	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		r = -errno;
	if (r >= 0)
		r = fd_set_nonblock(pty_fd, true);
	if (r >= 0)
		r = start_flow(t, loop, 0, reopen(STDIN_FILENO, O_RDONLY), fd_dup(pty_fd));
	if (r >= 0)
		r = start_flow(t, loop, 1, TAKE_FD(pty_fd), reopen(STDOUT_FILENO, O_WRONLY));
	cleanup_close(&pty_fd);
	if (r >= 0)
		r = go_raw(t);
	if (r < 0) {
		flow_stop(&t->flows[0]);
		flow_stop(&t->flows[1]);
		xfree(t);
		return err_set(err, r, "take over the terminal");
	}
	terminal_resize(t);
	*ret = t;
	return 0;
}

static int start_pipe(struct terminal *t, uv_loop_t *loop, int stream, int *ret_child_fd)
{
	int fds[2];
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = fd_set_nonblock(fds[stream == 0 ? 1 : 0], true);
	if (r >= 0 && stream == 0)
		r = start_flow(t, loop, stream, reopen(stream, O_RDONLY), fds[1]);
	else if (r >= 0)
		r = start_flow(t, loop, stream, fds[0], reopen(stream, O_WRONLY));
	*ret_child_fd = fds[stream == 0 ? 0 : 1];
	return r;
}

int terminal_start_pipes(uv_loop_t *loop, int child_fds[3], struct terminal **ret, struct err *err)
{
	struct terminal *t = xnew(struct terminal);
	int r = 0;

	for (int i = 0; i < 3; i++)
		child_fds[i] = i;
	for (int i = 0; i < 3 && r >= 0; i++)
		if (isatty(i))
			r = start_pipe(t, loop, i, &child_fds[i]);
	if (r < 0) {
		terminal_free(t);
		return err_set(err, r, "connect the standard streams");
	}
	*ret = t;
	return 0;
}

void terminal_suspend(struct terminal *t)
{
	if (t->has_pty)
		go_cooked(t);
	(void)kill(0, SIGSTOP);
	if (t->has_pty)
		(void)go_raw(t);
	terminal_resize(t);
}

void terminal_free(struct terminal *t)
{
	if (!t)
		return;
	flow_drain(&t->flows[1]);
	flow_drain(&t->flows[2]);
	if (t->has_pty)
		go_cooked(t);
	for (int i = 0; i < 3; i++)
		flow_stop(&t->flows[i]);
	xfree(t);
}
