/*
 * Where values come from. They are read straight into their own memory; messages
 * name the source, never what it said.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "daemon/placeholder.h"
#include "daemon/secret-spec.h"

/* Room to see that there is more than may be, and for a line's end. */
#define ROOM (LIMIT_SECRET + 3)

/* ---- Reading ---- */

/* Until the end or the deadline (monotonic, 0: none). Returns how many bytes; -EMSGSIZE,
 * -ETIMEDOUT. */
static ssize_t read_until(int fd, char *to, uint64_t deadline_ns)
{
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_monotonic_ns();
		ssize_t n;

		if (deadline_ns && now >= deadline_ns)
			return -ETIMEDOUT;
		if (deadline_ns && poll(&p, 1, (int)((deadline_ns - now) / 1000000) + 1) == 0)
			continue;
		n = read(fd, to + len, ROOM - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : (ssize_t)len;
		len += (size_t)n;
		if (len == ROOM)
			return -EMSGSIZE;
	}
}

static int read_variable(const struct secret_spec *s, struct secret *to, struct err *err)
{
	const char *value = secure_getenv(s->from);
	size_t len = value ? strlen(value) : 0;

	if (len == 0)
		return err_say(err, -ENOENT, "the variable %s is not set", s->from);
	if (len >= ROOM)
		return -EMSGSIZE;
	memcpy(to->p, value, len);
	return (int)len;
}

static int read_file(const struct secret_spec *s, struct secret *to, struct err *err)
{
	_cleanup_close_ int fd = open(s->from, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_set(err, -errno, "read %s", s->from);
	return (int)read_until(fd, to->p, 0);
}

/* ---- Commands ---- */

static int start_shell(const char *command, int out_fd, pid_t *ret)
{
	/* posix_spawn does not write to them. */
	char *const argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			       (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
	if (!r)
		r = posix_spawn(ret, "/bin/sh", &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Its exit status, or -ETIMEDOUT: a command that closed its output may still run on. */
static int wait_for_end(pid_t pid, uint64_t deadline_ns)
{
	int status = 0;
	pid_t r;

	while ((r = waitpid(pid, &status, WNOHANG)) == 0 && clock_monotonic_ns() < deadline_ns)
		(void)poll(NULL, 0, 5);
	if (r == pid)
		return status;
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return -ETIMEDOUT;
}

static int read_command(const struct secret_spec *s, struct secret *to, struct err *err)
{
	uint64_t deadline = clock_monotonic_ns() + (uint64_t)LIMIT_SECRET_COMMAND_MS * 1000000;
	_cleanup_close_ int read_fd = -1;
	_cleanup_close_ int write_fd = -1;
	int pair[2], status, r;
	ssize_t n;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	read_fd = pair[0];
	write_fd = pair[1];
	r = start_shell(s->from, write_fd, &pid);
	if (r < 0)
		return err_set(err, r, "start /bin/sh");
	fd_close(TAKE_FD(write_fd));
	n = read_until(read_fd, to->p, deadline);
	fd_close(TAKE_FD(read_fd));
	status = wait_for_end(pid, n < 0 ? 0 : deadline);
	if (n == -ETIMEDOUT || (n >= 0 && status == -ETIMEDOUT))
		return err_say(err, -ETIMEDOUT, "its command took longer than %d seconds",
			       LIMIT_SECRET_COMMAND_MS / 1000);
	if (n >= 0 && status)
		return err_say(err, -EINVAL, "its command failed (%s %d)",
			       WIFSIGNALED(status) ? "signal" : "exit status",
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return (int)n;
}

/* ---- All ---- */

static int read_source(const struct secret_spec *s, struct secret *to, struct err *err)
{
	switch (s->source) {
	case SECRET_FROM_VARIABLE:
		return read_variable(s, to, err);
	case SECRET_FROM_FILE:
		return read_file(s, to, err);
	case SECRET_FROM_COMMAND:
		return read_command(s, to, err);
	}
	return -EINVAL;
}

static struct span without_line_end(struct span s)
{
	if (s.len && s.p[s.len - 1] == '\n')
		s.len--;
	if (s.len && s.p[s.len - 1] == '\r')
		s.len--;
	return s;
}

static int read_value(struct secret_spec *s, struct err *err)
{
	_cleanup_secret_ struct secret raw = { 0 };
	struct span value;
	int n = secret_alloc(ROOM, &raw);

	if (n == 0)
		n = read_source(s, &raw, err);
	if (n == -EMSGSIZE)
		return err_say(err, n, "it is longer than %zu bytes", LIMIT_SECRET);
	if (n < 0)
		return err && !err->code ? err_set(err, n, "read it") : n;
	value = without_line_end(span_make(raw.p, (size_t)n));
	if (!value.len)
		return err_say(err, -EINVAL, "its source says nothing");
	n = secret_copy(value, &s->value);
	return n < 0 ? err_set(err, n, "keep it") : 0;
}

int secret_spec_read(struct secret_spec *s, struct err *err)
{
	struct err own = { 0 };
	int r = read_value(s, &own);

	if (r == 0)
		r = placeholder_make(secret_span(&s->value), &s->placeholder, &own);
	if (r == 0)
		return 0;
	if (err)
		*err = own;
	return err_wrap(err, r, "the secret %s", s->name);
}

/* A key that nobody asked for by name must not keep a session from starting. */
static bool is_dropped(const struct secret_spec *s, int r, const struct err *err)
{
	if (!s->is_optional)
		return false;
	if (r != -ENOENT)
		log_warning("%s; it is not passed on (--forward-keys passes keys as they are)",
			    err->text);
	return true;
}

int secret_specs_read(secret_specs *specs, struct err *err)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < specs->len && r == 0; i++) {
		struct err own = { 0 };

		r = secret_spec_read(&specs->items[i], &own);
		if (r < 0 && is_dropped(&specs->items[i], r, &own)) {
			secret_spec_done(&specs->items[i]);
			r = 0;
			continue;
		}
		if (r < 0 && err)
			*err = own;
		if (kept != i) {
			specs->items[kept] = specs->items[i];
			specs->items[i] = (struct secret_spec){ 0 };
		}
		kept++;
	}
	if (r == 0)
		specs->len = kept;
	return r;
}

void secret_specs_hide(const secret_specs *specs, struct environment *e)
{
	for (size_t i = 0; i < specs->len; i++)
		environment_replace(e, secret_span(&specs->items[i].value),
				    secret_span(&specs->items[i].placeholder));
	for (size_t i = 0; i < specs->len; i++)
		if (specs->items[i].variable)
			environment_set_span(e, specs->items[i].variable,
					     secret_span(&specs->items[i].placeholder));
}

void secret_specs_wipe(secret_specs *specs)
{
	for (size_t i = 0; i < specs->len; i++)
		secret_done(&specs->items[i].value);
}
