#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"

#define OWN_PROGRAM "/proc/self/exe"

/* The path of the program to execute, or NULL. */
static char *find_program(const struct child *c)
{
	static const char *const places[] = { ".", "../libexec/leash" };
	char own[LIMIT_PATH];
	ssize_t n;

	if (!c->program)
		return xstrdup(OWN_PROGRAM);
	n = readlink(OWN_PROGRAM, own, sizeof(own));
	while (n > 0 && n < (ssize_t)sizeof(own) && own[n - 1] != '/')
		n--;
	for (size_t i = 0; i < ARRAY_SIZE(places) && n > 0 && n < (ssize_t)sizeof(own); i++) {
		_cleanup_free_ char *path =
			xasprintf("%.*s%s/%s", (int)n, own, places[i], c->program);

		if (access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

/* Descriptor 3 becomes the control socket; all others are close-on-exec already. */
static int spawn(struct child *c, const char *program, int theirs)
{
	const char *role = c->role ? c->role : c->name;
	_cleanup_free_ char *title = xasprintf("leash: %s", role);
	_cleanup_free_ char *option = xasprintf("--internal-%s", role);
	char *argv[] = { title, option, NULL };
	char *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r;

	r = posix_spawn_file_actions_init(&actions);
	if (r)
		return -r;
	r = posix_spawnattr_init(&attributes);
	if (r) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -r;
	}
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	r = posix_spawn_file_actions_adddup2(&actions, theirs, IPC_CONTROL_FD);
	if (!r)
		r = posix_spawnattr_setsigmask(&attributes, &none);
	if (!r)
		r = posix_spawnattr_setsigdefault(&attributes, &all);
	/* A process group of its own: the terminal's Ctrl-C is the daemon's affair. */
	if (!r)
		r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
								  POSIX_SPAWN_SETPGROUP);
	if (!r)
		r = posix_spawn(&c->pid, program, &actions, &attributes, argv, envp);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int child_start(struct child *c, struct err *err)
{
	_cleanup_close_ int ours = -1;
	_cleanup_close_ int theirs = -1;
	_cleanup_free_ char *program = find_program(c);
	int fds[2];
	int r;

	if (!program)
		return err_say(
			err, -ENOENT,
			"start the %s: %s is missing; it belongs beside leash, or in libexec/leash",
			c->name, c->program);
	r = ipc_socketpair(fds);
	if (r < 0)
		return err_set(err, r, "start the %s: socketpair", c->name);
	ours = fds[0];
	theirs = fds[1];
	r = spawn(c, program, theirs);
	if (r < 0) {
		c->pid = 0;
		return err_set(err, r, "start the %s", c->name);
	}
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pidfd < 0) {
		r = err_set(err, -errno, "start the %s: pidfd_open", c->name);
		child_stop(c, 0);
		return r;
	}
	c->control_fd = TAKE_FD(ours);
	return 0;
}

int child_send(struct child *c, uint16_t type, struct span payload, const int *fds, size_t n_fds,
	       struct err *err)
{
	int r = ipc_send(c->control_fd, type, 0, payload, fds, n_fds);

	return r < 0 ? err_set(err, r, "talk to the %s", c->name) : 0;
}

/* A process that closed its sockets is all but gone. */
#define END_UNDER_WAY_MS 100

/* With no events: waits until the other side is closed, or shut down. */
static bool wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

void child_kill(const struct child *c)
{
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
}

void child_ask_to_end(const struct child *c)
{
	/* One that is gone needs no asking. */
	if (c->control_fd >= 0)
		(void)shutdown(c->control_fd, SHUT_WR);
}

void child_wait_for_last_word(struct child *c, int timeout_ms)
{
	if (c->control_fd >= 0 && !wait_for(c->control_fd, 0, timeout_ms))
		child_stop(c, 0);
}

void child_stop(struct child *c, int timeout_ms)
{
	if (c->control_fd >= 0)
		fd_close(TAKE_FD(c->control_fd));
	if (c->pid > 0) {
		if (c->pidfd < 0 || !wait_for(c->pidfd, POLLIN, timeout_ms))
			child_kill(c);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
		c->pid = 0;
	}
	if (c->pidfd >= 0)
		fd_close(TAKE_FD(c->pidfd));
}

/* Waits for an end that is under way, and looks at it without reaping. */
static bool look_at_end(const struct child *c, siginfo_t *ret)
{
	*ret = (siginfo_t){ 0 };
	return c->pid > 0 && c->pidfd >= 0 && wait_for(c->pidfd, POLLIN, END_UNDER_WAY_MS) &&
	       waitid(P_PID, (id_t)c->pid, ret, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       ret->si_pid == c->pid;
}

bool child_was_killed(const struct child *c, struct err *err)
{
	siginfo_t info;

	if (!look_at_end(c, &info) || info.si_code == CLD_EXITED)
		return false;
	(void)err_say(err, -ECHILD, "the %s was killed by signal %d (%s)", c->name, info.si_status,
		      strsignal(info.si_status));
	return true;
}

bool child_has_ended(const struct child *c, struct err *err)
{
	siginfo_t info;

	if (!look_at_end(c, &info))
		return false;
	(void)err_say(err, -ECHILD, "the %s ended with status %d", c->name, info.si_status);
	return true;
}
