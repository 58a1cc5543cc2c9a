/*
 * What the process may do shrinks from step to step; the filter comes last.
 * Once it is in force nobody answers held calls yet, so nothing is called any
 * more but sendmsg, close, read, and execve, which is the first to be decided.
 */
#include "sandbox/command.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/descriptors.h"
#include "sandbox/landlock.h"
#include "sandbox/limits.h"
#include "sandbox/messages.h"
#include "sandbox/privileges.h"

#define FAILED_STATUS 127

/*
 * Ignored and blocked signals would be inherited by the program and surprise
 * it. The C library refuses to touch the two signals that it uses itself, so
 * the kernel is asked (sigaction(2), "C library/kernel differences").
 */
static void reset_signals(void)
{
	static const struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} plain = { 0 }; /* SIG_DFL */
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)syscall(SYS_rt_sigaction, i, &plain, NULL, sizeof(plain.mask)); /* not SIGKILL, SIGSTOP */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Makes the three descriptors 0, 1 and 2, whatever numbers they have now. */
static int place_stdio(const int fds[3])
{
	int high[3];

	for (int i = 0; i < 3; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -errno;
	return 0;
}

static int set_up_stdio(const struct command *c, struct err *err)
{
	const int terminal[3] = { c->slave_fd, c->slave_fd, c->slave_fd };
	int r;

	if (c->slave_fd >= 0)
		r = terminal_enter(c->slave_fd);
	else
		r = setsid() < 0 ? -errno : 0;
	if (r < 0)
		return err_set(err, r, "give the command its terminal or session");
	r = place_stdio(c->slave_fd >= 0 ? terminal : c->options->stdio_fds);
	if (r < 0)
		return err_set(err, r, "set up standard input and output");
	r = descriptors_keep((const int[]){ c->control_fd, c->gate_fd }, 2);
	return r < 0 ? err_set(err, r, "close what is not the command's") : 0;
}

static int confine(const struct command *c, struct err *err)
{
	const struct sandbox_options *o = c->options;
	int r;

	if (chdir(o->cwd) < 0)
		return err_set(err, -errno, "change to %s", o->cwd);
	/* The caller's session keyring may hold keys; this process gets an empty one. */
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	r = limits_apply(&o->limits, err);
	if (r >= 0)
		r = o->user ? privileges_become(o->user, err) : privileges_drop_all(err);
	/* The supervisor reads what this process asks to execute, and traces it while it does. */
	if (r >= 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		r = err_set(err, -errno, "let the supervisor trace the command");
	if (r >= 0 && o->filter.len)
		r = landlock_confine(err);
	return r;
}

/* Returns the listener's descriptor. */
static int install_filter(const struct sandbox_options *o, struct err *err)
{
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, o->filter_flags, &o->filter);

	return r < 0 ? err_set(err, -errno, "install the seccomp filter") : (int)r;
}

static int reach_gate(const struct command *c, struct err *err)
{
	bool has_listener = c->options->filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int r = 0, fd = 0;

	if (c->options->filter.len)
		fd = install_filter(c->options, err);
	if (fd < 0)
		return fd;
	if (c->options->filter.len && has_listener) {
		r = ipc_send(c->control_fd, MESSAGE_FILTERED, 0, (struct span){ 0 }, &fd, 1);
		fd_close(fd);
	} else {
		r = ipc_send(c->control_fd, MESSAGE_AT_GATE, 0, (struct span){ 0 }, NULL, 0);
	}
	return r < 0 ? err_set(err, r, "report to the session") : 0;
}

static bool is_let_through(int gate_fd)
{
	char c;
	ssize_t n;

	do
		n = read(gate_fd, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* If the caller is gone the gate tells. */
static void tell(int control_fd, uint16_t type, const void *p, size_t len)
{
	int r = ipc_send(control_fd, type, 0, span_make(p, len), NULL, 0);

	(void)r;
}

_noreturn_ void command_main(const struct command *c)
{
	const struct sandbox_options *o = c->options;
	struct err err = { 0 };
	struct sandbox_event failed = { .type = SANDBOX_FAILED };
	int r = set_up_stdio(c, &err);

	if (r >= 0)
		r = confine(c, &err);
	reset_signals();
	if (r >= 0)
		r = reach_gate(c, &err);
	if (r < 0)
		tell(c->control_fd, MESSAGE_BROKEN, &err, sizeof(err));
	if (r < 0 || !is_let_through(c->gate_fd))
		_exit(FAILED_STATUS);
	(void)execve(o->program, o->argv, o->envp);
	failed.status = errno;
	tell(c->control_fd, MESSAGE_EVENT, &failed, sizeof(failed));
	_exit(FAILED_STATUS);
}
