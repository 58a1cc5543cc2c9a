#include "daemon/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "daemon/session-private.h"
#include "daemon/window.h"
#include "supervise/supervise.h"

/* A supervisor that has not answered by then never will. */
#define START_TIMEOUT_MS 15000
#define STOP_TIMEOUT_MS 3000

/* 127.0.0.53 is where programs expect a stub resolver; any address would arrive at ours. */
static const char resolv_conf[] = "nameserver 127.0.0.53\noptions edns0\n";

void session_end(struct session *s, int exit_code, const char *message)
{
	if (s->is_ending)
		return;
	s->is_ending = true;
	s->exit_code = exit_code;
	if (message)
		(void)err_say(&s->failure, -ECANCELED, "%s", message);
	uv_stop(&s->loop);
}

/* ---- Messages from our processes ---------------------------------------- */

/*
 * One of our processes is gone. When one of them dies others end too, and may
 * be noticed first: the one that was killed is the cause.
 */
void session_child_ended(struct session *s)
{
	struct child *children[] = { &s->supervisor, &s->signer, &s->proxy };
	struct err why = { 0 };

	if (s->is_ending)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(children) && !child_was_killed(children[i], &why); i++)
		;
	if (!why.code)
		for (size_t i = 0; i < ARRAY_SIZE(children) && !child_has_ended(children[i], &why); i++)
			;
	session_end(s, EXIT_LEASH_FAILED, why.code ? why.text : "one of leash's processes closed its connection");
}

int session_take_message(struct child *c, const struct ipc_type *table, size_t n_types,
			 struct session *s, struct ipc_message *m)
{
	int r = ipc_receive(c->control_fd, table, n_types, m);
	_cleanup_free_ char *text = NULL;

	if (r > 0 || r == -EAGAIN)
		return r;
	if (r == 0 || r == -ECONNRESET) {
		session_child_ended(s);
		return r;
	}
	text = xasprintf("the %s sent a malformed message", c->name);
	session_end(s, EXIT_LEASH_FAILED, text);
	return r;
}

int session_watch_fd(struct session *s, uv_poll_t *handle, int fd, uv_poll_cb fn)
{
	int r = uv_poll_init(&s->loop, handle, fd);

	handle->data = s;
	return r < 0 ? r : uv_poll_start(handle, UV_READABLE | UV_DISCONNECT, fn);
}

/* ---- The supervisor ------------------------------------------------------ */

void session_release(struct session *s)
{
	struct event e = { .kind = EVENT_SESSION_READY, .backend = EVENT_BACKEND_DAEMON };
	struct err err = { 0 };

	if (!s->is_supervised || !s->has_authority || s->is_ending)
		return;
	(void)uv_timer_stop(&s->start_timer);
	session_announce_api(s);
	s->is_released = true;
	journal_write(&s->journal, &e);
	if (sandbox_release(&s->sandbox) < 0)
		session_end(s, EXIT_LEASH_FAILED,
			    "the container ended before the command could start");
	else if (session_await_network(s, &err) < 0)
		session_end(s, EXIT_LEASH_FAILED, err.text);
	if (s->is_ending)
		return;
	if (s->options->on_released && s->options->on_released(s->options->on_released_ctx) < 0) {
		session_end(s, EXIT_LEASH_FAILED, "nobody waits for the session any more");
		return;
	}
	/* While the command starts, and after. */
	journal_begin(&s->journal);
	housekeeping_start(&s->housekeeping, &s->loop);
}

static void on_supervisor_message(uv_poll_t *handle, int status, int events)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct session *s = handle->data;
	uint64_t generation;

	(void)status;
	(void)events;
	if (session_take_message(&s->supervisor, supervise_to_daemon, SUPERVISE_MESSAGE_MAX, s,
				 &m) <= 0)
		return;
	switch ((enum supervise_message)m.type) {
	case SUPERVISE_READY:
		s->is_supervised = true;
		session_release(s);
		return;
	case SUPERVISE_POLICY_APPLIED:
		memcpy(&generation, m.payload.data, sizeof(generation));
		session_policy_applied(s, &s->supervisor_applied, generation);
		return;
	case SUPERVISE_FAILED:
		session_end(s, EXIT_LEASH_FAILED, m.payload.data);
		return;
	case SUPERVISE_NONE:
	case SUPERVISE_START:
	case SUPERVISE_PROXY:
	case SUPERVISE_POLICY:
	case SUPERVISE_MESSAGE_MAX:
		session_end(s, EXIT_LEASH_FAILED, "the supervisor sent a message of a wrong type");
	}
}

static void on_supervisor_end(uv_poll_t *handle, int status, int events)
{
	struct session *s = handle->data;

	(void)status;
	(void)events;
	session_child_ended(s);
}

/* ---- The container ------------------------------------------------------- */

static void command_failed(struct session *s, int error)
{
	_cleanup_free_ char *text =
		error == EACCES ? xasprintf("%s: execution denied (`leash events --decision deny` says by what)",
					    s->options->program) :
				  xasprintf("%s: %s", s->options->program, strerror(error));

	session_end(s, error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE, text);
}

static void on_sandbox_event(uv_poll_t *handle, int status, int events)
{
	struct session *s = handle->data;
	struct sandbox_event e;
	int r;

	(void)status;
	(void)events;
	while (!s->is_ending && (r = sandbox_next_event(&s->sandbox, &e)) != -EAGAIN) {
		if (r <= 0) {
			session_end(s, EXIT_LEASH_FAILED, "the container's init ended unexpectedly");
			return;
		}
		switch (e.type) {
		case SANDBOX_EXITED:
			session_end(s, WIFSIGNALED(e.status) ? 128 + WTERMSIG(e.status) : WEXITSTATUS(e.status),
				    NULL);
			break;
		case SANDBOX_STOPPED:
			/* Nobody could continue one that is detached. */
			if (s->terminal)
				terminal_suspend(s->terminal);
			(void)sandbox_signal(&s->sandbox, SIGCONT);
			break;
		case SANDBOX_FAILED:
			command_failed(s, e.status);
			break;
		}
	}
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
	struct session *s = handle->data;

	switch (signal_number) {
	case SIGWINCH:
	case SIGCONT:
		if (s->terminal)
			terminal_resize(s->terminal);
		return;
	default:
		break;
	}
	if (++s->n_terminations > 1 || !s->is_released) {
		session_end(s, 128 + signal_number, NULL);
		return;
	}
	(void)sandbox_signal(&s->sandbox, signal_number);
}

static void on_start_timeout(uv_timer_t *timer)
{
	const struct session *s = timer->data;

	session_end(timer->data, EXIT_LEASH_FAILED,
		    s->is_supervised ? "the signer did not get ready in time"
				     : "the supervisor did not get ready in time");
}

/* ---- Start ---------------------------------------------------------------- */

static int watch_everything(struct session *s, struct err *err)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT };
	int r = session_watch_fd(s, &s->supervisor_control, s->supervisor.control_fd,
				 on_supervisor_message);

	if (r >= 0)
		r = session_watch_fd(s, &s->supervisor_end, s->supervisor.pidfd, on_supervisor_end);
	if (r >= 0)
		r = session_watch_signer(s);
	if (r >= 0)
		r = session_watch_fd(s, &s->sandbox_control, s->sandbox.control_fd,
				     on_sandbox_event);
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && r >= 0; i++) {
		r = uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		if (r >= 0)
			r = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
	}
	if (r >= 0)
		r = uv_timer_init(&s->loop, &s->start_timer);
	s->start_timer.data = s;
	if (r >= 0)
		r = uv_timer_start(&s->start_timer, on_start_timeout,
				   s->options->start_timeout_ms ? s->options->start_timeout_ms
								: START_TIMEOUT_MS,
				   0);
	return r < 0 ? err_set(err, r, "watch the session's processes") : 0;
}

static void write_start_event(struct session *s)
{
	const struct session_options *o = s->options;
	_cleanup_buf_ struct buf argv = BUF_INIT(0);
	struct event e = { .kind = EVENT_SESSION_START,
			   .backend = EVENT_BACKEND_DAEMON,
			   .pid = getpid(),
			   .uid = getuid(),
			   .has_uid = true,
			   .cwd = span_of(o->cwd),
			   .path = span_of(o->program),
			   .message = SPAN("files and programs: supervisor; network: proxy") };

	for (char *const *arg = o->argv; *arg; arg++)
		(void)buf_append(&argv, *arg, strlen(*arg) + 1);
	e.argv = span_make(argv.data, argv.len ? argv.len - 1 : 0);
	journal_write(&s->journal, &e);
}

/* The policy is watched before it is read: no change is missed. */
static int find_writable(void *ctx, const char *const **ret, struct err *err)
{
	struct session *s = ctx;
	int r = session_watch_policy(s, err);

	if (r >= 0)
		r = session_load_policy(s, err);
	*ret = (const char *const *)s->writable;
	return r;
}

/* What cannot be recorded must not happen. */
static void on_journal_failure(int code, void *ctx)
{
	_cleanup_free_ char *text =
		xasprintf("the session's events cannot be recorded: %s", strerror(-code));

	session_end(ctx, EXIT_LEASH_FAILED, text);
}

static void clean_command(struct session *s)
{
	size_t n = 0;

	while (s->options->argv[n])
		n++;
	s->shown_argv = xnew_array(char *, n + 1);
	for (size_t i = 0; i < n; i++)
		s->shown_argv[i] = redactor_clean_text(s->redactor, s->options->argv[i]);
}

static int open_journal(struct session *s, struct err *err)
{
	int r = redactor_new(s->options->secrets, &s->redactor, err);

	if (r < 0)
		return r;
	clean_command(s);
	s->journal.redactor = s->redactor;
	s->journal.on_failure = on_journal_failure;
	s->journal.on_failure_ctx = s;
	r = journal_open(&s->journal, s->options->directory, s->options->id,
			 policy_mode_name(s->options->layers->environment.mode), err);

	if (r >= 0)
		write_start_event(s);
	return r;
}

static int meanwhile(void *ctx, struct err *err)
{
	struct session *s = ctx;
	int r = child_start(&s->supervisor, err);

	if (r >= 0)
		r = session_start_signer(s, err);
	if (r >= 0)
		r = open_journal(s, err);
	if (r >= 0)
		r = session_compile_policy(s, &s->bundle_fd, err);
	return r < 0 ? r : container_trust_prepare(&s->trust, s->roots_fd, err);
}

/* Builds the container; reads the policy, starts supervisor and signer and makes the policy's
 * bundle at the same time. */
static int start_container(struct session *s, int stdio[3], struct err *err)
{
	struct sock_fprog filter = { 0 };
	unsigned int filter_flags = 0;
	const struct session_options *o = s->options;
	int r = supervise_filter(&filter, &filter_flags, err);
	struct sandbox_options options = {
		.program = o->program,
		.argv = o->argv,
		.envp = environment_envp(o->environment),
		.cwd = o->cwd,
		.workspace = o->workspace,
		.home = o->home,
		.hostname = "leash",
		.want_pty = o->want_pty,
		.window = terminal_window(),
		.stdio_fds = { stdio[0], stdio[1], stdio[2] },
		.mounts = o->mounts,
		.n_mounts = o->n_mounts,
		.user = o->user,
		.hidden = o->hidden,
		.files = s->trust.files,
		.n_files = s->trust.n_files,
		.find_writable = find_writable,
		.resolv_conf = span_make(resolv_conf, sizeof(resolv_conf) - 1),
		.limits = o->limits,
		.filter = filter,
		.filter_flags = filter_flags,
		.meanwhile = meanwhile,
		.ctx = s,
	};

	if (r < 0)
		return r;
	r = sandbox_start(&options, &s->sandbox, err);
	xfree(filter.filter);
	return r;
}

static int brief_supervisor(struct session *s, struct err *err)
{
	struct supervise_start start = { .command_pid = s->sandbox.command_pid,
					 .init_pid = s->sandbox.init_pid,
					 .proxy_port = s->sandbox.proxy_port,
					 .dns_port = s->sandbox.dns_port,
					 .has_many_users = s->options->user != NULL };
	const struct journal_source *ring = &s->journal.sources[JOURNAL_SUPERVISOR];
	const int fds[4] = { s->sandbox.init_pidfd, s->sandbox.seccomp_fd, ring->memory_fd,
			     ring->wake_fd };
	_cleanup_close_ int supervisor_end = -1;
	int pair[2];
	int r = ipc_socketpair(pair);

	if (r < 0)
		return err_set(err, r, "socketpair");
	supervisor_end = pair[0];
	s->proxy_end_fd = pair[1];
	r = child_send(&s->supervisor, SUPERVISE_START, span_make(&start, sizeof(start)), fds, 4,
		       err);
	if (r >= 0)
		r = child_send(&s->supervisor, SUPERVISE_PROXY, (struct span){ 0 }, &supervisor_end,
			       1, err);
	if (r >= 0)
		r = child_send(&s->supervisor, SUPERVISE_POLICY, (struct span){ 0 }, &s->bundle_fd,
			       1, err);
	return r;
}

static int start_terminal(struct session *s, struct err *err)
{
	const struct detached_options detached = { .loop = &s->loop,
						   .directory = s->options->directory,
						   .socket = s->options->attach_socket };
	int pty_fd = TAKE_FD(s->sandbox.pty_fd);

	if (s->options->attach_socket)
		return detached_start(&detached, pty_fd, &s->detached, err);
	return terminal_start_pty(&s->loop, pty_fd, &s->terminal, err);
}

static int start(struct session *s, struct err *err)
{
	int stdio[3] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	int r = 0;

	if (!s->options->want_pty)
		r = terminal_start_pipes(&s->loop, stdio, &s->terminal, err);
	if (r >= 0)
		r = start_container(s, stdio, err);
	for (int i = 0; i < 3; i++)
		if (stdio[i] > STDERR_FILENO)
			fd_close(stdio[i]);
	if (r >= 0)
		r = brief_supervisor(s, err);
	if (r >= 0)
		r = session_write_roots(s, err);
	if (r >= 0)
		r = journal_start(&s->journal, &s->loop, err);
	if (r >= 0)
		r = watch_everything(s, err);
	if (r >= 0 && s->options->want_pty)
		r = start_terminal(s, err);
	return r;
}

/* ---- End -------------------------------------------------------------------- */

static void say_what_was_denied(const struct session *s)
{
	const struct journal *j = &s->journal;

	if (j->n_denied && (s->options->is_verbose || isatty(STDERR_FILENO)))
		log_notice("%llu operations were denied: leash events %s --decision deny",
			   (unsigned long long)j->n_denied, s->options->id);
	if (j->n_would_deny)
		log_notice("%llu operations would have been denied: leash events %s --decision would-deny",
			   (unsigned long long)j->n_would_deny, s->options->id);
	if (j->n_lost)
		log_warning("%llu events could not be recorded", (unsigned long long)j->n_lost);
}

static void free_texts(char **texts)
{
	for (char **p = texts; p && *p; p++)
		xfree(*p);
	xfree(texts);
}

static void stop(struct session *s)
{
	struct event e = { .kind = EVENT_SESSION_STOP,
			   .backend = EVENT_BACKEND_DAEMON,
			   .status = s->exit_code,
			   .has_status = true,
			   .message = span_of(s->failure.text) };
	int r;

	if (s->terminal)
		terminal_free(s->terminal);
	detached_stop(s->detached);
	/* It has nothing to tell, and is gone by the time that is waited for. */
	child_kill(&s->signer);
	sandbox_done(&s->sandbox);
	housekeeping_stop(&s->housekeeping);
	/* What both still wrote is drained below. */
	child_ask_to_end(&s->proxy);
	child_ask_to_end(&s->supervisor);
	child_wait_for_last_word(&s->supervisor, STOP_TIMEOUT_MS);
	/* One that has not begun has nothing to tell. */
	child_wait_for_last_word(&s->proxy, s->is_proxy_ready ? STOP_TIMEOUT_MS : 0);
	if (s->journal.store) {
		journal_drain(&s->journal);
		journal_write(&s->journal, &e);
		/* Those who watch see the end, too. */
		session_stop_api(s);
		r = journal_finish(&s->journal);
		/* What could not be written is not promised. */
		session_record(s, s->failure.code ? "failed" : "ended");
		journal_close(&s->journal);
		if (r < 0)
			log_error("the event log is incomplete: %s", strerror(-r));
		say_what_was_denied(s);
	}
	child_stop(&s->supervisor, STOP_TIMEOUT_MS);
	child_stop(&s->proxy, STOP_TIMEOUT_MS);
	child_stop(&s->signer, 0);
	/* Who is told that it is over finds all of it recorded, and nothing left running. */
	detached_free(s->detached, s->exit_code);
	cleanup_close(&s->proxy_end_fd);
	cleanup_close(&s->bundle_fd);
	cleanup_close(&s->signer_fd);
	cleanup_close(&s->roots_fd);
	container_trust_done(&s->trust);
	policy_source_free(s->loaded);
	policy_source_free(s->source);
	free_texts(s->writable);
	free_texts(s->shown_argv);
	redactor_free(s->redactor);
}

int session_run(const struct session_options *o, struct err *err)
{
	struct session s = { .options = o,
			     .supervisor = CHILD_INIT("supervisor"),
			     .proxy = CHILD_INIT("proxy"),
			     .signer = CHILD_INIT("signer"),
			     .sandbox = SANDBOX_INIT,
			     .proxy_end_fd = -1,
			     .bundle_fd = -1,
			     .signer_fd = -1,
			     .roots_fd = -1,
			     .exit_code = EXIT_LEASH_FAILED };
	int r = uv_loop_init(&s.loop);

	s.signer.role = "keys";
	s.signer.program = s.proxy.program = "leash-proxy";
	if (r < 0) {
		(void)err_set(err, r, "start the event loop");
		return EXIT_LEASH_FAILED;
	}
	container_trust_init(&s.trust);
	s.started_ns = clock_real_ns();
	r = start(&s, &s.failure);
	if (r >= 0) {
		session_record(&s, "running");
		(void)uv_run(&s.loop, UV_RUN_DEFAULT);
	}
	stop(&s);
	if (s.failure.code)
		*err = s.failure;
	return s.exit_code;
}
