/*
 * The command's process, from fork to execve.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/init.h"
#include "sandbox/limits.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox-messages.h"

static int connect_streams(const struct sandbox_options *o, int pty_fd)
{
	int from[3];

	/* All above 2 first, so that none is overwritten before it is used. */
	for (int i = 0; i < 3; i++) {
		from[i] = fd_dup(pty_fd >= 0 ? pty_fd : o->stdio_fds[i]);
		if (from[i] < 0)
			return from[i];
	}
	for (int i = 0; i < 3; i++)
		if (dup2(from[i], i) < 0)
			return -errno;
	return 0;
}

/*
 * With a pty: a process group of its own in init's session, in the foreground.
 * Were it the session's leader, its group would be orphaned and Ctrl-Z without
 * effect (setpgid(2)). Without: a session of its own, away from the host's.
 */
static int take_terminal(int pty_fd)
{
	if (pty_fd < 0)
		return setsid() < 0 ? -errno : 0;
	return setpgid(0, 0) < 0 || tcsetpgrp(pty_fd, getpid()) < 0 ? -errno : 0;
}

static int reset_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &standard, NULL); /* SIGKILL and SIGSTOP cannot be set */
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int prepare(const struct sandbox_options *o, int pty_fd, struct err *err)
{
	int r = take_terminal(pty_fd);

	if (r >= 0)
		r = connect_streams(o, pty_fd);
	if (r >= 0)
		r = reset_signals();
	if (r < 0)
		return err_set(err, r, "connect the command to its terminal");
	if (chdir(o->cwd) < 0)
		return err_set(err, -errno, "enter %s", o->cwd);
	r = limits_apply_process(&o->limits, err);
	if (r >= 0)
		r = privileges_drop(err);
	if (r >= 0)
		r = privileges_confine(err);
	return r;
}

/* After this the supervisor answers for us; nothing that it must answer may be called before the gate opens. */
static int install_filter(const struct sandbox_options *o, int gate_fd)
{
	int listener;

	if (!o->filter.len)
		return ipc_send(gate_fd, SANDBOX_MESSAGE_AT_GATE_UNFILTERED, 0, (struct span){ 0 }, NULL, 0);
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, o->filter_flags, &o->filter);
	if (listener < 0)
		return -errno;
	return ipc_send(gate_fd, SANDBOX_MESSAGE_AT_GATE, 0, (struct span){ 0 }, &listener, 1);
}

void command_main(const struct sandbox_options *o, int gate_fd, int pty_fd)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct err err = { 0 };
	int32_t error;

	if (prepare(o, pty_fd, &err) < 0) {
		int r = ipc_send(gate_fd, SANDBOX_MESSAGE_SETUP_FAILED, 0,
				 span_make(err.text, strlen(err.text) + 1), NULL, 0);

		_exit(r < 0 ? 2 : 1);
	}
	/* Only 0, 1, 2 and, until the exec closes it, the gate. */
	if ((gate_fd > 3 && syscall(SYS_close_range, 3, gate_fd - 1, 0) < 0) ||
	    syscall(SYS_close_range, gate_fd + 1, ~0u, 0) < 0 || install_filter(o, gate_fd) < 0)
		_exit(1);
	if (ipc_receive(gate_fd, sandbox_messages, SANDBOX_MESSAGE_MAX, &m) <= 0 || m.type != SANDBOX_MESSAGE_GO)
		_exit(1);
	(void)execve(o->program, o->argv, o->envp);
	error = errno;
	_exit(ipc_send(gate_fd, SANDBOX_MESSAGE_EXEC_FAILED, 0, span_make(&error, sizeof(error)), NULL, 0) < 0 ?
		      1 :
		      127);
}
