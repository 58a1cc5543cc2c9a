/*
 * leash outside: starts the engine's client and stands between the user's
 * terminal and it. Everything goes in as frames; what comes out of the
 * container comes as it is, past this process.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/own-program.h"
#include "base/path.h"
#include "daemon/attach.h"
#include "daemon/window.h"
#include "engine/client.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/frame.h"
#include "engine/hand.h"
#include "engine/hello.h"
#include "engine/places.h"

/* For the container to come up. */
#define DEFAULT_TIMEOUT_MS ((uint64_t)120 * 1000)
#define READ_SIZE ((size_t)32 * 1024)
/* After the second signal, or the loss of the container: what its client may still write. */
#define LAST_MS 5000
/* What it has said by then is in a pipe, which has less than so many pieces. */
#define LAST_READS 64
/* For the page to be served. */
#define PAGE_MS 5000

struct front {
	const struct engine *engine;
	const struct session_options *options;
	char *name;
	pid_t client;	   /* 0: ended */
	int client_fd;	   /* its standard input */
	struct hand hand;  /* closing it ends the container */
	int said_fd;	   /* what the client of a detached session says */
	uint64_t until_ns; /* until when it must */
	struct buf out;
	size_t hello_len; /* of out, at most: to be wiped once it is written */
	struct raw_terminal terminal;
	bool is_input_over, is_lost;
	bool has_come_up;
	uint64_t n_put, n_taken; /* bytes of input */
	bool is_end_said; /* by the session itself */
	bool is_released; /* nobody waits for the command to be let go */
	int n_signals, last_signal, status;
};

static uint64_t start_timeout_ms(const struct session_options *o)
{
	return o->start_timeout_ms ? o->start_timeout_ms : DEFAULT_TIMEOUT_MS;
}

/* ---- Signals ---------------------------------------------------------------- */

static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCHLD, SIGCONT };
static int wake_fds[2] = { -1, -1 };

static void on_signal(int number)
{
	char c = (char)number;
	int error = errno;
	ssize_t n = write(wake_fds[1], &c, 1);

	(void)n;
	errno = error;
}

static int watch_signals(struct err *err)
{
	struct sigaction action = { .sa_handler = on_signal };
	int r = 0;

	if (pipe2(wake_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set(err, -errno, "watch for signals");
	for (size_t i = 0; i < ARRAY_SIZE(watched) && r >= 0; i++)
		if (sigaction(watched[i], &action, NULL) < 0)
			r = err_set(err, -errno, "watch for signals");
	/* A client that is gone is noticed by its end. */
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
	return r;
}

/* ---- Frames ----------------------------------------------------------------- */

static void put(struct front *f, enum frame_type type, const void *p, size_t len)
{
	/* There is room: input is read only where there is. */
	if (frame_put(&f->out, type, span_make(p, len)) < 0)
		f->is_lost = true;
}

static void put_window(struct front *f)
{
	struct winsize w = terminal_window();
	struct frame_window window = { w.ws_row, w.ws_col };

	if (f->options->want_pty)
		put(f, FRAME_WINDOW, &window, sizeof(window));
}

static void put_signal(struct front *f, int number)
{
	uint32_t n = (uint32_t)number;

	put(f, FRAME_SIGNAL, &n, sizeof(n));
}

static void read_input(struct front *f)
{
	char bytes[READ_SIZE];
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		put(f, FRAME_DATA, bytes, (size_t)n);
		f->n_put += (uint64_t)n;
		return;
	}
	f->is_input_over = true;
	put(f, FRAME_END, NULL, 0);
}

static void write_frames(struct front *f)
{
	ssize_t n = write(f->client_fd, f->out.data, f->out.len);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		f->is_lost = true;
	if (n <= 0)
		return;
	buf_consume(&f->out, (size_t)n);
	if (f->out.len == 0 && f->hello_len) {
		explicit_bzero(f->out.data, f->hello_len);
		f->hello_len = 0;
	}
}

/* ---- The container ---------------------------------------------------------- */

/* Ours ends: the container sees that and ends, and so does the client. */
static void let_go(struct front *f)
{
	hand_close(&f->hand);
	cleanup_close(&f->client_fd);
	f->client_fd = -1;
}

/*
 * A detached session's standard error becomes a file once its command is let go, and a client's
 * can't be exchanged: so what the client says goes through here.
 */
static void pass_on(struct front *f)
{
	char said[READ_SIZE];
	ssize_t n = read(f->said_fd, said, sizeof(said));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || fd_write_all(STDERR_FILENO, said, (size_t)n) < 0)
		fd_close(TAKE_FD(f->said_fd));
}

static void reap(struct front *f)
{
	int status;

	if (f->client && waitpid(f->client, &status, WNOHANG) == f->client) {
		f->client = 0;
		f->status = status;
	}
}

static void take_signal(struct front *f, int number)
{
	switch (number) {
	case SIGCHLD:
		reap(f);
		return;
	case SIGWINCH:
	case SIGCONT:
		put_window(f);
		return;
	default:
		break;
	}
	if (++f->n_signals == 1 && f->has_come_up)
		put_signal(f, number);
	else
		f->is_lost = true;
	f->last_signal = number;
}

static void take_signals(struct front *f)
{
	char numbers[64];
	ssize_t n = read(wake_fds[0], numbers, sizeof(numbers));

	for (ssize_t i = 0; i < n; i++)
		take_signal(f, numbers[i]);
}

/*
 * The page is this user's, and so is the browser: `leash ui` opens it when the session has said
 * where it is. Nobody waits for that.
 */
static void open_page(const struct front *f)
{
	const struct session_options *o = f->options;
	uint64_t until = clock_monotonic_ns() + PAGE_MS * NS_PER_MS;
	pid_t pid;

	if (!o->want_browser || !o->listen->address[0] || (pid = fork()) != 0)
		return;
	closefrom(3);
	(void)setpgid(0, 0);
	while (access(o->token_file, F_OK) < 0 && clock_monotonic_ns() < until)
		(void)poll(NULL, 0, 10);
	(void)execl(own_program(), "leash", "ui", o->id, (char *)NULL);
	_exit(1);
}

static void come_up(struct front *f)
{
	f->has_come_up = true;
	open_page(f);
	/* Those in the container are the ones that count now. */
	api_listen_close(f->options->listen);
	if (f->options->want_pty)
		raw_terminal_enter(&f->terminal);
}

/* Who has called is told, and from there on nobody waits. */
static void take_release(struct front *f)
{
	const struct session_options *o = f->options;

	f->is_released = true;
	if (o->on_released && o->on_released(o->on_released_ctx) < 0)
		f->is_lost = true;
}

/* What it takes of the input is the news that comes often. */
static int hear(struct front *f, struct err *err)
{
	int r;

	while ((r = hand_next(&f->hand, err)) == HAND_TAKEN)
		f->n_taken += HAND_CREDIT;
	return r;
}

static int take_news(struct front *f, struct err *err)
{
	int r = hear(f, err);

	switch (r) {
	case HAND_CAME_UP:
		come_up(f);
		return 0;
	case HAND_RELEASED:
		take_release(f);
		return 0;
	case HAND_ENDED:
	case HAND_GONE:
		/* Its client tells of the end. */
		f->is_released = true;
		f->is_end_said = r == HAND_ENDED;
		return 0;
	default:
		return r;
	}
}

/* Has the session ended, or only its container? */
static void hear_the_end(struct front *f)
{
	struct err err = { 0 };
	int r = HAND_RELEASED;

	if (f->is_end_said || !f->has_come_up)
		return;
	while (r == HAND_RELEASED)
		r = hear(f, &err);
	f->is_end_said = r == HAND_ENDED;
}

/* ---- Waiting ---------------------------------------------------------------- */

static bool has_window(const struct front *f)
{
	return f->n_put - f->n_taken < hand_window();
}

/* Else only the end comes, of which its client tells. */
static bool wants_news(const struct front *f)
{
	return !f->has_come_up || !f->is_released || !has_window(f);
}

static bool must_look(const struct front *f)
{
	return wants_news(f) && hand_poll_fd(&f->hand) < 0;
}

static int wait_ms(const struct front *f)
{
	uint64_t now = clock_monotonic_ns();
	int most = must_look(f) ? HAND_LOOK_MS : -1;
	int left = now >= f->until_ns ? 0 : (int)((f->until_ns - now) / NS_PER_MS) + 1;

	if (f->has_come_up)
		return most;
	return most < 0 ? left : MIN(most, left);
}

static int say_late(const struct front *f, struct err *err)
{
	return err_say(err, -ETIMEDOUT,
		       "the engine's container was not up within %llu seconds "
		       "(LEASH_BOOTSTRAP_TIMEOUT); is the machine very busy, or the "
		       "engine stuck? `%s ps` tells",
		       (unsigned long long)(start_timeout_ms(f->options) / 1000),
		       f->engine->program);
}

static int step(struct front *f, struct err *err)
{
	bool may_read =
		f->has_come_up && !f->is_input_over && f->out.len < FRAME_DATA_MAX && has_window(f);
	struct pollfd p[] = {
		{ .fd = wake_fds[0], .events = POLLIN },
		{ .fd = f->out.len ? f->client_fd : -1, .events = POLLOUT },
		{ .fd = may_read ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = f->said_fd, .events = POLLIN },
		{ .fd = wants_news(f) ? hand_poll_fd(&f->hand) : -1, .events = POLLIN },
	};
	int n = poll(p, ARRAY_SIZE(p), wait_ms(f));

	if (n < 0)
		return errno == EINTR ? 0 : err_set(err, -errno, "wait for the container");
	if (p[0].revents)
		take_signals(f);
	if ((p[4].revents || must_look(f)) && take_news(f, err) < 0)
		return err->code;
	if (n == 0 && !f->has_come_up && clock_monotonic_ns() >= f->until_ns)
		return say_late(f, err);
	if (p[1].revents)
		write_frames(f);
	if (p[2].revents)
		read_input(f);
	if (p[3].revents)
		pass_on(f);
	return 0;
}

/* ---- The end ---------------------------------------------------------------- */

/* What the client still has to say; then there is no container any more. */
static void finish(struct front *f)
{
	uint64_t until = clock_monotonic_ns() + LAST_MS * NS_PER_MS;
	bool is_clean = !f->client && WIFEXITED(f->status) && !f->is_lost;

	hear_the_end(f);
	let_go(f);
	if (!is_clean)
		container_remove(f->engine, f->name);
	while (f->client && clock_monotonic_ns() < until) {
		struct pollfd p = { .fd = wake_fds[0], .events = POLLIN };
		char c;

		if (poll(&p, 1, 100) > 0)
			while (read(wake_fds[0], &c, 1) > 0)
				;
		reap(f);
	}
	if (f->client) {
		(void)kill(f->client, SIGKILL);
		(void)waitpid(f->client, NULL, 0);
		f->client = 0;
	}
	for (size_t i = 0; i < LAST_READS && f->said_fd >= 0; i++)
		pass_on(f);
	raw_terminal_leave(&f->terminal);
}

/* Then this machine's files are not there. */
static bool is_elsewhere(void)
{
	const char *host = secure_getenv("DOCKER_HOST");

	return host && *host && !span_starts_with(span_of(host), SPAN("unix:"));
}

static int exit_code(const struct front *f, struct err *err)
{
	if (!f->has_come_up && !f->is_lost && WIFEXITED(f->status) &&
	    WEXITSTATUS(f->status) == PLACES_EXIT_SAID)
		return EXIT_LEASH_FAILED;
	if (!f->has_come_up && !f->is_lost)
		return err_say(err, -ECHILD,
			       "the engine did not start the container; what it said stands "
			       "above%s",
			       is_elsewhere() ? " (DOCKER_HOST names an engine elsewhere, and it "
						"must be on this machine)"
					      : ""),
		       EXIT_LEASH_FAILED;
	if (f->is_lost && f->n_signals)
		return 128 + f->last_signal;
	if (WIFSIGNALED(f->status))
		return err_say(err, -ECHILD, "the engine's client was killed by signal %d",
			       WTERMSIG(f->status)),
		       EXIT_LEASH_FAILED;
	if (!f->is_end_said)
		return err_say(err, -ECHILD,
			       "the container ended before the session did, with status %d: it was "
			       "stopped from outside, or memory ran out; `%s events` tells",
			       WEXITSTATUS(f->status), f->engine->program),
		       EXIT_LEASH_FAILED;
	return WEXITSTATUS(f->status);
}

static int serve(struct front *f, struct err *err)
{
	int r = 0;

	while (f->client && !f->is_lost && r >= 0)
		r = step(f, err);
	finish(f);
	return r < 0 ? EXIT_LEASH_FAILED : exit_code(f, err);
}

/* ---- Start ------------------------------------------------------------------ */

/* The options as they are inside: every path is the container's. */
static int write_hello(const struct engine *e, const struct session_options *o, struct buf *out,
		       struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *token = xasprintf("%s/%s.json", PLACES_RUN, o->id);
	_cleanup_free_ char *attach =
		attach_socket_path(hand_is_far() ? PLACES_LOCAL_RUN : PLACES_RUN, o->id);
	char user_file[] = PLACES_CONFIG "/policy.cedar", trusted[] = PLACES_TRUST;
	_cleanup_free_ char *policy = NULL;
	struct policy_layers layers = *o->layers;
	struct session_options inside = *o;
	const struct hello_extra extra = { e->user, terminal_window() };
	const struct span program = path_base_name(span_of(e->program));
	_cleanup_free_ char *runtime = xmemdup0(program.p, program.len);

	(void)buf_append_span(&text, o->layers->session_text);
	engine_permit_image(o->layers, o->workspace, o->mounts, o->n_mounts, &text);
	if (layers.policy_file &&
	    !path_is_within(span_of(layers.policy_file), span_of(o->workspace))) {
		struct span name = path_base_name(span_of(layers.policy_file));

		policy = xasprintf("%s/%.*s", PLACES_POLICY, SPAN_ARG(name));
		layers.policy_file = policy;
	}
	layers.user_file = user_file;
	layers.trusted = trusted;
	layers.session_text = buf_span(&text);
	/* The engine keeps the others. */
	inside.limits = (struct sandbox_limits){ .max_pids = o->limits.max_pids };
	inside.layers = &layers;
	inside.runtime = runtime;
	inside.is_far = hand_is_far();
	inside.outer_pid = getpid();
	inside.directory = PLACES_SESSION;
	inside.token_file = token;
	inside.attach_socket = o->attach_socket ? attach : NULL;
	return hello_write(&inside, &extra, out, err);
}

static int put_hello(struct front *f, struct err *err)
{
	_cleanup_buf_ struct buf hello = BUF_INIT(0);
	int r = write_hello(f->engine, f->options, &hello, err);

	f->out.max = FRAME_HELLO_MAX + 4 * FRAME_DATA_MAX;
	if (r >= 0 && !buf_reserve(&f->out, hello.len + FRAME_HEADER_LEN))
		r = err_set(err, -ENOMEM, "describe the session");
	if (r >= 0 && frame_put(&f->out, FRAME_HELLO, buf_span(&hello)) < 0)
		r = err_say(err, -E2BIG, "what is to be run is too long to be described");
	f->hello_len = f->out.len;
	if (hello.data)
		explicit_bzero(hello.data, hello.len);
	secret_specs_wipe(f->options->secrets);
	return r;
}

static int open_api(const struct session_options *o)
{
	struct err err = { 0 };

	if (!o->listen->address[0] || o->listen->fd >= 0)
		return 0;
	if (api_listen_open(o->listen, &err) < 0) {
		log_warning("the control page is not served: %s", err.text);
		o->listen->address[0] = 0;
	}
	return 0;
}

static int start_client(struct front *f, client_words *w, struct err *err)
{
	_cleanup_close_ int said_end = -1;
	int fds[2], r;

	if (f->options->attach_socket) {
		if (pipe2(fds, O_CLOEXEC) < 0)
			return err_set(err, -errno, "listen to %s", f->engine->program);
		f->said_fd = fds[0];
		said_end = fds[1];
		r = fd_set_nonblock(f->said_fd, true);
		if (r < 0)
			return err_set(err, r, "listen to %s", f->engine->program);
	}
	f->client_fd = client_start(f->engine->program, w, said_end >= 0 ? said_end : STDERR_FILENO,
				    &f->client);
	return f->client_fd < 0 ? err_set(err, f->client_fd, "start %s", f->engine->program) : 0;
}

static int start(struct front *f, const struct engine_places *places, struct err *err)
{
	_cleanup_(client_done) client_words w = { 0 };
	int r = open_api(f->options);

	if (r >= 0)
		r = container_describe(f->engine, f->options, places, f->name, &w, err);
	if (r >= 0)
		r = put_hello(f, err);
	if (r >= 0)
		r = watch_signals(err);
	if (r >= 0)
		r = hand_open(&f->hand, f->options, err);
	if (r < 0)
		return r;
	container_sweep(f->engine, f->options->directory);
	f->until_ns = clock_monotonic_ns() + start_timeout_ms(f->options) * NS_PER_MS;
	return start_client(f, &w, err);
}

int engine_run(const struct engine *e, const struct session_options *o,
	       const struct engine_places *places, struct err *err)
{
	struct front f = { .engine = e,
			   .options = o,
			   .name = container_name(o->id),
			   .client_fd = -1,
			   .hand = HAND_INIT,
			   .said_fd = -1,
			   .is_released = !o->attach_socket };
	int code = start(&f, places, err) < 0 ? EXIT_LEASH_FAILED : serve(&f, err);

	let_go(&f);
	cleanup_close(&f.said_fd);
	buf_done(&f.out);
	xfree(f.name);
	return code;
}
