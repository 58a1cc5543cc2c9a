#include "engine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/roots.h"
#include "engine/frame.h"
#include "engine/hand.h"
#include "engine/hello.h"
#include "engine/owner.h"
#include "engine/places.h"
#include "engine/users.h"

#define READ_SIZE ((size_t)64 * 1024)
#define BACKLOG ((size_t)256 * 1024)
/* What is still in the terminal when the session is over is written within this time. */
#define DRAIN_MS 2000
/* Nobody listens any more; the session may still close its log. */
#define ORPHAN_MS 1500

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct relay {
	struct hand_inside hand;
	int to_child_fd; /* the child's input; with a terminal a copy of its master */
	int master_fd;	 /* -1: the child has our own output */
	int signal_fd;
	pid_t child;
	struct span hello; /* in frames, until the session has its secrets */
	struct buf frames, to_child, to_out;
	bool has_window, is_input_over;
};

/* ---- What to run ------------------------------------------------------------ */

static int read_more(struct buf *b)
{
	char *to = buf_reserve(b, READ_SIZE);
	ssize_t n;

	if (!to)
		return -EMSGSIZE;
	do
		n = read(STDIN_FILENO, to, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf_grow(b, (size_t)n);
	return n > 0;
}

static int receive_hello(struct relay *relay, struct hello *ret, struct err *err)
{
	struct buf *frames = &relay->frames;
	struct frame f = { 0 };
	size_t len = 0;
	int r = 0;

	/* At once: a buffer that grows leaves copies behind. */
	if (!buf_reserve(frames, FRAME_HELLO_MAX + 2 * READ_SIZE))
		return err_set(err, -ENOMEM, "read what to run");
	while (r == 0) {
		int n = read_more(frames);

		if (n <= 0)
			return err_say(err, -EPIPE,
				       "the container's input ended before leash outside had said "
				       "what to run; does the engine pass it on (run "
				       "--interactive)?");
		r = frame_take(buf_span(frames), &f, &len);
	}
	if (r > 0 && f.type != FRAME_HELLO)
		r = -EBADMSG;
	if (r < 0)
		return err_set(err, r, "read what to run");
	relay->hello = f.payload;
	return hello_read(f.payload, ret, err);
}

/* There are secrets in it: it is wiped before anything is overwritten. */
static void forget_hello(struct relay *relay)
{
	size_t len = FRAME_HEADER_LEN + relay->hello.len;

	explicit_bzero(relay->frames.data, len);
	buf_consume(&relay->frames, len);
	relay->hello = (struct span){ 0 };
}

/* What is secret does not outlive a fork (base/secret.h), so the child reads it once more. */
static int take_secrets(struct relay *relay, struct hello *h, struct err *err)
{
	struct hello again;
	secret_specs empty = h->secrets;
	int r = hello_read(relay->hello, &again, err);

	h->secrets = again.secrets;
	again.secrets = empty;
	hello_done(&again);
	forget_hello(relay);
	return r;
}

static bool is_program(const char *path, int *ret_error)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			*ret_error = errno;
		return false;
	}
	if (S_ISREG(st.st_mode) && st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
		return true;
	*ret_error = EACCES;
	return false;
}

/* The first of that name on the image's PATH. 0 or an exit code. */
static int search(const char *path, const char *name, char **ret, struct err *err)
{
	int error = ENOENT;

	while (path) {
		const char *end = strchrnul(path, ':');
		_cleanup_free_ char *directory = xmemdup0(path, (size_t)(end - path));
		_cleanup_free_ char *candidate = path_join(directory, name);

		if (directory[0] == '/' && is_program(candidate, &error)) {
			*ret = TAKE_PTR(candidate);
			return 0;
		}
		path = *end ? end + 1 : NULL;
	}
	if (error == EACCES)
		(void)err_say(err, -error, "%s: not executable", name);
	else
		(void)err_say(err, -error, "%s: command not found in the image%s", name,
			      access("/bin/sh", F_OK) < 0
				      ? ", which has no shell; name a program that is in it by "
					"its path, or use another image"
				      : "");
	return error == EACCES ? EXIT_CANNOT_EXECUTE : EXIT_NOT_FOUND;
}

static int find_program(const struct hello *h, char **ret, struct err *err)
{
	const char *name = h->argv.items[0];
	const char *path = environment_get(&h->environment, "PATH");
	_cleanup_buf_ struct buf absolute = BUF_INIT(LIMIT_PATH);
	int error = ENOENT;

	if (!strchr(name, '/'))
		return search(path && *path ? path : default_path, name, ret, err);
	if (path_normalise(span_of(h->options.cwd), span_of(name), &absolute) < 0 ||
	    !is_program(absolute.data, &error)) {
		(void)err_set(err, -error, "%s in the image", name);
		return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
	}
	*ret = buf_take(&absolute);
	return 0;
}

/* ---- The session ------------------------------------------------------------ */

static void fill_environment(struct environment *e, const char *home, const char *cwd)
{
	if (!environment_get(e, "PATH"))
		environment_set(e, "PATH", default_path);
	if (!environment_get(e, "HOME"))
		environment_set(e, "HOME", home);
	environment_set(e, "PWD", cwd);
}

/* What the image trusts, else what the machine outside does. */
static int find_roots(struct err *err)
{
	if (roots_path() || access(PLACES_ROOTS, R_OK) < 0)
		return 0;
	return setenv("SSL_CERT_FILE", PLACES_ROOTS, /* overwrite = */ 1) < 0
		       ? err_set(err, -errno, "name the certificates to trust")
		       : 0;
}

/* Is /etc the image's own? */
static bool has_own_system(const struct hello *h)
{
	for (size_t i = 0; i < h->mounts.len; i++) {
		struct span target = span_of(h->mounts.items[i].target);

		if (path_is_within(target, SPAN("/etc")) || path_is_within(SPAN("/etc"), target))
			return false;
	}
	return !path_is_within(span_of(h->options.cwd), SPAN("/etc")) &&
	       !path_is_within(SPAN("/etc"), span_of(h->options.cwd));
}

static int run(struct hello *h)
{
	static const char *const own[] = { PLACES_ROOT, NULL };
	struct session_options *o = &h->options;
	struct image_user user = { 0 };
	_cleanup_free_ char *program = NULL;
	struct err err = { 0 };
	int code = EXIT_LEASH_FAILED;

	if (o->is_verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	if (find_roots(&err) >= 0 && image_user_look_up(h->user, &user, &err) >= 0) {
		fill_environment(&h->environment, user.home, o->cwd);
		code = find_program(h, &program, &err);
	}
	if (!err.code) {
		o->program = program;
		o->user = &user.ids;
		o->home = environment_get(&h->environment, "HOME");
		o->hidden = own;
		h->layers.environment.home = o->home;
		h->layers.environment.is_image = has_own_system(h);
		h->layers.environment.own_paths = own;
		code = session_run(o, &err);
	}
	if (err.code)
		log_error("%s", err.text);
	image_user_done(&user);
	return code;
}

/* A detached session has a pty of its own. */
static bool wants_terminal(const struct session_options *o)
{
	return o->want_pty && !o->attach_socket;
}

static int on_released(void *ctx)
{
	struct relay *relay = ctx;
	int r = hand_tell_released(&relay->hand);

	hand_let_go(&relay->hand);
	return r;
}

_noreturn_ static void child_main(struct hello *h, struct relay *relay, int input_fd)
{
	bool has_terminal = wants_terminal(&h->options);
	struct err err = { 0 };
	sigset_t none;
	int code = EXIT_LEASH_FAILED;

	if (h->options.attach_socket) {
		h->options.on_released = on_released;
		h->options.on_released_ctx = relay;
	} else {
		hand_let_go(&relay->hand);
	}
	fd_close(relay->signal_fd);
	fd_close(relay->to_child_fd);
	if (relay->master_fd >= 0)
		fd_close(relay->master_fd);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if ((has_terminal ? login_tty(input_fd) : dup2(input_fd, STDIN_FILENO)) >= 0) {
		if (!has_terminal)
			fd_close(input_fd);
		if (take_secrets(relay, h, &err) < 0)
			log_error("%s", err.text);
		else
			code = run(h);
	}
	/* Not by exit(): what is in its buffers is its parent's. */
	_exit(code);
}

static int open_input(struct hello *h, struct relay *relay, int *ret_input_fd, struct err *err)
{
	int fds[2];

	if (wants_terminal(&h->options)) {
		if (openpty(&relay->master_fd, ret_input_fd, NULL, NULL, &h->window) < 0)
			return err_set(err, -errno, "make the session's terminal");
		(void)fcntl(relay->master_fd, F_SETFD, FD_CLOEXEC);
		relay->to_child_fd = fd_dup(relay->master_fd);
	} else {
		if (pipe2(fds, O_CLOEXEC) < 0)
			return err_set(err, -errno, "make the session's input");
		*ret_input_fd = fds[0];
		relay->to_child_fd = fds[1];
	}
	return relay->to_child_fd < 0 ? err_set(err, relay->to_child_fd, "make the session's input")
				      : fd_set_nonblock(relay->to_child_fd, true);
}

static int start_child(struct hello *h, struct relay *relay, struct err *err)
{
	_cleanup_close_ int input_fd = -1;
	sigset_t set;
	int r = open_input(h, relay, &input_fd, err);

	if (r < 0)
		return r;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	relay->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (relay->signal_fd < 0)
		return err_set(err, -errno, "watch the session");
	relay->child = fork();
	if (relay->child < 0)
		return err_set(err, -errno, "start the session");
	if (relay->child == 0)
		child_main(h, relay, input_fd);
	forget_hello(relay);
	return owner_drop(err);
}

/* ---- Frames in -------------------------------------------------------------- */

static void end_input(struct relay *r)
{
	r->is_input_over = true;
	if (r->to_child.len || r->to_child_fd < 0)
		return;
	fd_close(TAKE_FD(r->to_child_fd));
	/* The user's terminal is gone, and so is this one. */
	if (r->master_fd >= 0)
		fd_close(TAKE_FD(r->master_fd));
}

static void take_frame(struct relay *r, const struct frame *f)
{
	struct frame_window window;
	uint32_t number;

	switch (f->type) {
	case FRAME_DATA:
		if (r->to_child_fd >= 0 && !r->is_input_over)
			(void)buf_append_span(&r->to_child, f->payload);
		else
			hand_tell_taken(&r->hand, f->payload.len);
		return;
	case FRAME_END:
		end_input(r);
		return;
	case FRAME_WINDOW:
		memcpy(&window, f->payload.p, sizeof(window));
		if (r->master_fd >= 0)
			(void)ioctl(r->master_fd, TIOCSWINSZ,
				    &(struct winsize){ .ws_row = window.rows,
						       .ws_col = window.columns });
		return;
	case FRAME_SIGNAL:
		memcpy(&number, f->payload.p, sizeof(number));
		if (number > 0 && number < NSIG)
			(void)kill(r->child, (int)number);
		return;
	case FRAME_NONE:
	case FRAME_HELLO:
	case FRAME_MAX:
		return;
	}
}

/* Far, there always is: no more is sent. */
static bool may_take(const struct relay *r)
{
	return r->hand.is_far || r->to_child.len < BACKLOG;
}

/* Takes what has come, while there is room for it. -EBADMSG. */
static int take_frames(struct relay *r)
{
	struct frame f;
	size_t len;
	int n = 1;

	while (may_take(r) && (n = frame_take(buf_span(&r->frames), &f, &len)) > 0) {
		take_frame(r, &f);
		buf_consume(&r->frames, len);
	}
	return n < 0 ? n : 0;
}

static void write_some(int fd, struct buf *from, bool *ret_is_broken)
{
	ssize_t n = write(fd, from->data, from->len);

	if (n > 0)
		buf_consume(from, (size_t)n);
	*ret_is_broken = n < 0 && errno != EAGAIN && errno != EINTR;
}

static void feed_child(struct relay *r)
{
	size_t before = r->to_child.len;
	bool is_broken;

	write_some(r->to_child_fd, &r->to_child, &is_broken);
	if (is_broken) {
		/* It does not read any more; what comes is dropped. */
		buf_reset(&r->to_child);
		fd_close(TAKE_FD(r->to_child_fd));
	} else if (r->is_input_over) {
		end_input(r);
	}
	hand_tell_taken(&r->hand, before - r->to_child.len);
}

/* ---- The terminal's output -------------------------------------------------- */

/* False at its end. */
static bool read_terminal(struct relay *r)
{
	char *to = buf_reserve(&r->to_out, READ_SIZE);
	ssize_t n = to ? read(r->master_fd, to, READ_SIZE) : -1;

	if (n > 0)
		buf_grow(&r->to_out, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The child is gone: what it still wrote. */
static void drain_terminal(struct relay *r)
{
	uint64_t until = clock_monotonic_ns() + DRAIN_MS * NS_PER_MS;
	bool is_open = r->master_fd >= 0, is_broken = false;

	if (is_open && fd_set_nonblock(r->master_fd, true) < 0)
		return;
	while (!is_broken && clock_monotonic_ns() < until) {
		struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
		size_t before = r->to_out.len;

		is_open = is_open && before < BACKLOG && read_terminal(r) && r->to_out.len > before;
		if (r->to_out.len == 0)
			return;
		if (poll(&out, 1, DRAIN_MS) > 0)
			write_some(STDOUT_FILENO, &r->to_out, &is_broken);
	}
}

/* ---- Life ------------------------------------------------------------------- */

/* Reaps whatever ended; the session's exit code, or -1 while it runs. */
static int reap(const struct relay *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != r->child)
			continue;
		/* Nobody in here could continue it. */
		if (WIFSTOPPED(status))
			(void)kill(r->child, SIGCONT);
		else
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return -1;
}

static int on_signals(const struct relay *r)
{
	struct signalfd_siginfo info;

	while (read(r->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			(void)kill(r->child, (int)info.ssi_signo);
	return reap(r);
}

/*
 * Leash outside is gone, or what the engine had between us. The session is told twice, which ends
 * it; then it is ended. Whoever is left outside is not told: the end is not the session's own.
 */
static int end_orphan(struct relay *r)
{
	uint64_t until = clock_monotonic_ns() + ORPHAN_MS * NS_PER_MS;
	int code = -1;

	hand_let_go(&r->hand);
	(void)kill(r->child, SIGHUP);
	(void)kill(r->child, SIGTERM);
	while (code < 0 && clock_monotonic_ns() < until) {
		struct pollfd p = { .fd = r->signal_fd, .events = POLLIN };

		if (poll(&p, 1, ORPHAN_MS) > 0)
			code = on_signals(r);
	}
	return code < 0 ? 128 + SIGHUP : code;
}

/* The exit code once there is one, -1 to go on. */
static int step(struct relay *r)
{
	struct pollfd p[] = {
		{ .fd = r->signal_fd, .events = POLLIN },
		{ .fd = hand_life_fd(&r->hand), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = may_take(r) ? POLLIN : 0 },
		{ .fd = r->to_child.len ? r->to_child_fd : -1, .events = POLLOUT },
		{ .fd = r->to_out.len < BACKLOG ? r->master_fd : -1, .events = POLLIN },
		{ .fd = r->to_out.len ? STDOUT_FILENO : -1, .events = POLLOUT },
	};
	bool is_broken = false;
	int code;

	if (poll(p, ARRAY_SIZE(p), -1) < 0)
		return errno == EINTR ? -1 : EXIT_LEASH_FAILED;
	if (p[0].revents && (code = on_signals(r)) >= 0)
		return code;
	/* It says nothing more: whatever happens there is its end. */
	if (p[1].revents)
		return end_orphan(r);
	if (p[2].revents && read_more(&r->frames) <= 0)
		return end_orphan(r);
	if (take_frames(r) < 0)
		return end_orphan(r);
	if (p[3].revents && r->to_child_fd >= 0)
		feed_child(r);
	if (p[4].revents && r->master_fd >= 0 && !read_terminal(r))
		fd_close(TAKE_FD(r->master_fd));
	if (p[5].revents)
		write_some(STDOUT_FILENO, &r->to_out, &is_broken);
	return is_broken ? end_orphan(r) : -1;
}

static int relay(struct relay *r)
{
	int code = -1;

	if ((r->master_fd >= 0 && fd_set_nonblock(STDOUT_FILENO, true) < 0) || take_frames(r) < 0)
		code = end_orphan(r);
	while (code < 0)
		code = step(r);
	drain_terminal(r);
	return code;
}

static int begin(struct relay *r, struct hello *h, struct err *err)
{
	int n = owner_become(PLACES_SESSION, err);

	if (n >= 0)
		n = receive_hello(r, h, err);
	if (n >= 0)
		n = hand_take(PLACES_SESSION, h->options.is_far, &h->listen, &h->ports, &r->hand,
			      err);
	return n < 0 ? n : start_child(h, r, err);
}

int engine_inside_main(void)
{
	struct relay r = { .hand = { .fd = -1 },
			   .to_child_fd = -1,
			   .master_fd = -1,
			   .signal_fd = -1,
			   .frames = BUF_INIT(FRAME_HELLO_MAX + 4 * READ_SIZE),
			   .to_child = BUF_INIT(BACKLOG + 2 * FRAME_DATA_MAX),
			   .to_out = BUF_INIT(BACKLOG + 2 * READ_SIZE) };
	struct hello h = { 0 };
	struct err err = { 0 };
	int code;

	if (begin(&r, &h, &err) < 0) {
		log_error("%s", err.text);
		code = r.hand.fd < 0 ? PLACES_EXIT_SAID : EXIT_LEASH_FAILED;
	} else {
		/* The child has them; here nobody needs them. */
		hello_done(&h);
		code = relay(&r);
	}
	hand_tell_ended(&r.hand);
	return code;
}
