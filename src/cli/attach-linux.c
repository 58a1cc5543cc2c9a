/*
 * By the session's socket.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/attach.h"
#include "cli/directories.h"
#include "daemon/attach.h"
#include "daemon/session.h"
#include "daemon/window.h"
#include "engine/owner.h"
#include "engine/places.h"

/* As docker has them. */
#define KEY_FIRST 0x10	/* ctrl-p */
#define KEY_SECOND 0x11 /* ctrl-q */

struct attached {
	int fd, signal_fd;
	struct raw_terminal terminal;
	bool has_first_key; /* of the two that detach, and it is not sent yet */
	bool is_input_over;
	int exit_code; /* -1: not over */
};

static int send_window(const struct attached *a)
{
	struct winsize w;
	struct attach_window window;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0)
		return 0;
	window = (struct attach_window){ .rows = w.ws_row, .columns = w.ws_col };
	return ipc_send(a->fd, ATTACH_WINDOW, 0, span_make(&window, sizeof(window)), NULL, 0);
}

/* Typed bytes, but for the two that detach. 1: both were there, and what follows is for nobody. */
static int filter_keys(struct attached *a, struct span typed, struct buf *out)
{
	for (size_t i = 0; i < typed.len; i++) {
		unsigned char c = typed.p[i];
		bool had_first = a->has_first_key;

		a->has_first_key = false;
		if (had_first && c == KEY_SECOND)
			return 1;
		if (had_first)
			(void)buf_append_char(out, KEY_FIRST);
		if (c == KEY_FIRST)
			a->has_first_key = true;
		else
			(void)buf_append_char(out, (char)c);
	}
	return 0;
}

/* 1: leave the session. */
static int on_input(struct attached *a)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	char typed[4096];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));
	int is_leaving = 0, r = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		/* A terminal that is gone cannot show anything either. */
		a->is_input_over = true;
		return a->terminal.is_raw ? 1 : 0;
	}
	if (a->terminal.is_raw)
		is_leaving = filter_keys(a, span_make(typed, (size_t)n), &out);
	else
		(void)buf_append(&out, typed, (size_t)n);
	if (out.len)
		r = ipc_send(a->fd, ATTACH_DATA, 0, buf_span(&out), NULL, 0);
	return r < 0 ? r : is_leaving;
}

static int on_message(struct attached *a, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int32_t code;
	int r = ipc_receive(a->fd, attach_from_session, ATTACH_MESSAGE_MAX, &m);

	if (r == 0 || r == -ECONNRESET)
		return err_say(
			err, -ECONNRESET,
			"the session has let go of this terminal; `leash ps` tells whether it "
			"still runs");
	if (r < 0)
		return err_set(err, r, "the session sent a malformed message");
	if (m.type == ATTACH_EXIT) {
		memcpy(&code, m.payload.data, sizeof(code));
		a->exit_code = code & 0xff;
		return 0;
	}
	r = fd_write_all(STDOUT_FILENO, m.payload.data, m.payload.len);
	return r < 0 ? err_set(err, r, "write to the terminal") : 0;
}

/* 1: leave the session, as the signal says. */
static int on_signal(const struct attached *a)
{
	struct signalfd_siginfo info;

	if (read(a->signal_fd, &info, sizeof(info)) != sizeof(info))
		return 0;
	return info.ssi_signo == SIGWINCH ? send_window(a) : 1;
}

/* 1: left; 0: the session is over. */
static int talk(struct attached *a, struct err *err)
{
	int r = isatty(STDOUT_FILENO) ? send_window(a) : 0;

	while (r == 0 && a->exit_code < 0) {
		struct pollfd p[] = { { .fd = a->fd, .events = POLLIN },
				      { .fd = a->signal_fd, .events = POLLIN },
				      { .fd = a->is_input_over ? -1 : STDIN_FILENO,
					.events = POLLIN } };

		if (poll(p, ARRAY_SIZE(p), -1) < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (p[0].revents) {
			r = on_message(a, err);
			/* What it said last before what is typed to it. */
			continue;
		}
		if (p[1].revents)
			r = on_signal(a);
		if (r == 0 && p[2].revents)
			r = on_input(a);
	}
	/* It ended while something was sent: its last words are there to be read. */
	while (r == -EPIPE && a->exit_code < 0)
		r = on_message(a, err) < 0 ? -ECONNRESET : -EPIPE;
	if (a->exit_code >= 0)
		return 0;
	return r < 0 && !err->code ? err_set(err, r, "talk to the session") : r;
}

static int open_signals(int *ret_fd, struct err *err)
{
	static const int numbers[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	*ret_fd = sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -1 : signalfd(-1, &set, SFD_CLOEXEC);
	return *ret_fd < 0 ? err_set(err, -errno, "take signals") : 0;
}

static int connect_and_talk(const char *socket_path, const char *id, struct err *err)
{
	struct attached a = { .fd = -1, .signal_fd = -1, .exit_code = -1 };
	int code = attach_connect(socket_path, &a.fd, err);

	if (code >= 0)
		code = open_signals(&a.signal_fd, err);
	if (code >= 0) {
		/* A session that ends while it is spoken to says so by its last message. */
		struct sigaction ignore = { .sa_handler = SIG_IGN };

		(void)sigaction(SIGPIPE, &ignore, NULL);
		raw_terminal_enter(&a.terminal);
		code = talk(&a, err);
		raw_terminal_leave(&a.terminal);
	}
	cleanup_close(&a.fd);
	cleanup_close(&a.signal_fd);
	if (code == 1)
		log_notice("left %s running; `leash attach %s` comes back", id, id);
	return code < 0 ? code : code == 1 ? 0 : a.exit_code;
}

int attach_to(const struct running *r, struct err *err)
{
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *runtime = home ? runtime_directory(home) : NULL;
	_cleanup_free_ char *path = runtime ? attach_socket_path(runtime, r->id) : NULL;

	return path ? connect_and_talk(path, r->id, err) : -ENOENT;
}

int attach_inside(const char *id)
{
	_cleanup_free_ char *path = attach_socket_path(PLACES_LOCAL_RUN, id);
	struct err err = { 0 };
	int code = owner_become(PLACES_SESSION, &err);

	if (code >= 0)
		code = owner_drop(&err);
	if (code >= 0)
		code = connect_and_talk(path, id, &err);
	if (code < 0)
		log_error("%s", err.text);
	return code < 0 ? EXIT_LEASH_FAILED : code;
}
