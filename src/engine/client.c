#include "engine/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "engine/bound.h"

#define CANNOT_EXECUTE 126
#define READ_SIZE 4096

void client_add(client_words *w, const char *word)
{
	vec_push(w, xstrdup(word));
}

void client_addf(client_words *w, const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		abort();
	vec_push(w, text);
}

void client_done(client_words *w)
{
	for (size_t i = 0; i < w->len; i++)
		xfree(w->items[i]);
	vec_done(w);
}

static char **words(client_words *w)
{
	vec_push(w, NULL);
	w->len--;
	return w->items;
}

/* In the child: its three streams, and nothing of ours. */
_noreturn_ static void execute(const char *program, char **argv, const int streams[3])
{
	sigset_t none;

	/* In order, as each is above those that are overwritten. */
	for (int i = 0; i < 3; i++)
		if (streams[i] != i && dup2(streams[i], i) < 0)
			_exit(CANNOT_EXECUTE);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv(program, argv);
	_exit(CANNOT_EXECUTE);
}

static pid_t spawn(const char *program, client_words *w, const int streams[3])
{
	char **argv = words(w);
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	/* The terminal's ^C is not for it. */
	(void)setpgid(0, 0);
	if (!bound_to(parent))
		_exit(CANNOT_EXECUTE);
	execute(program, argv, streams);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* 1: more may come, 0: no more, or a negative errno. */
static int read_piece(int fd, struct buf *out)
{
	char piece[READ_SIZE];
	ssize_t n = read(fd, piece, sizeof(piece));

	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	return n == 0 ? 0 : buf_append(out, piece, (size_t)n) < 0 ? -EMSGSIZE : 1;
}

static int read_both(const int fds[2], struct buf *const outs[2], uint64_t timeout_ms)
{
	uint64_t until = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	struct pollfd p[2] = { { .fd = fds[0], .events = POLLIN },
			       { .fd = fds[1], .events = POLLIN } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		uint64_t now = clock_monotonic_ns();

		if (now >= until || poll(p, 2, (int)((until - now) / NS_PER_MS) + 1) == 0)
			return -ETIMEDOUT;
		for (int i = 0; i < 2; i++) {
			int r = p[i].fd >= 0 && p[i].revents ? read_piece(p[i].fd, outs[i]) : 1;

			if (r < 0)
				return r;
			if (r == 0)
				p[i].fd = -1;
		}
	}
	return 0;
}

int client_call(const char *program, client_words *w, struct buf *out, struct buf *errors,
		uint64_t timeout_ms)
{
	_cleanup_close_ int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out_fd = -1, error_fd = -1, out_end = -1, error_end = -1;
	struct buf *const outs[2] = { out, errors };
	int a[2], b[2], status;
	pid_t pid;
	int r;

	if (null_fd < 0 || pipe2(a, O_CLOEXEC) < 0)
		return -errno;
	out_fd = a[0];
	out_end = a[1];
	if (pipe2(b, O_CLOEXEC) < 0)
		return -errno;
	error_fd = b[0];
	error_end = b[1];
	pid = spawn(program, w, (const int[]){ null_fd, out_end, error_end });
	if (pid < 0)
		return pid;
	fd_close(TAKE_FD(out_end));
	fd_close(TAKE_FD(error_end));
	r = read_both((const int[]){ out_fd, error_fd }, outs, timeout_ms);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	status = wait_for(pid);
	return r < 0 ? r : status;
}

int client_show(const char *program, client_words *w)
{
	_cleanup_close_ int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (null_fd < 0)
		return -errno;
	pid = spawn(program, w, (const int[]){ null_fd, STDERR_FILENO, STDERR_FILENO });
	return pid < 0 ? pid : wait_for(pid);
}

int client_become(const char *program, client_words *w)
{
	vec_push(w, NULL);
	(void)execvp(program, w->items);
	return -errno;
}

int client_start(const char *program, client_words *w, int error_fd, pid_t *ret_pid)
{
	_cleanup_close_ int reading = -1, writing = -1;
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	reading = fds[0];
	writing = fds[1];
	r = fd_set_nonblock(writing, true);
	if (r < 0)
		return r;
	pid = spawn(program, w, (const int[]){ reading, STDOUT_FILENO, error_fd });
	if (pid < 0)
		return pid;
	*ret_pid = pid;
	return TAKE_FD(writing);
}
