#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "sandbox/init.h"
#include "sandbox/limits.h"
#include "sandbox/sandbox-messages.h"

/* Setting up takes milliseconds; a machine that swaps gets more. */
#define START_TIMEOUT_MS 15000

static int clone_init(const struct sandbox_options *o, int control_fd, int gate_fd, struct sandbox *s,
		      struct err *err)
{
	const struct init_ids ids = { getuid(), getgid() };
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
					    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return err_set(err, -errno, "make a user namespace (`leash doctor` tells more)");
	if (pid == 0)
		init_main(o, ids, control_fd, gate_fd);
	s->init_pid = pid;
	s->init_pidfd = pidfd;
	return 0;
}

/* The next message from init or command, within the time limit. */
static int receive(int fd, struct ipc_message *m, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, START_TIMEOUT_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return err_say(err, -ETIMEDOUT, "the container did not start in time");
	ipc_message_done(m);
	r = ipc_receive(fd, sandbox_messages, SANDBOX_MESSAGE_MAX, m);
	if (r == 0)
		return err_say(err, -ECHILD, "the container's init ended while setting up");
	if (r < 0)
		return err_set(err, r, "hear from the container");
	if (m->type == SANDBOX_MESSAGE_SETUP_FAILED)
		return err_say(err, -ECHILD, "set up the container: %s", m->payload.data);
	return 0;
}

static void take(struct ipc_message *m, size_t i, int *ret_fd)
{
	*ret_fd = TAKE_FD(m->fds[i]);
}

/* The process id behind a pidfd, as we number it; see pidfd_open(2). */
static pid_t pid_of(int pidfd)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	char path[64];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (file_read_at(AT_FDCWD, path, &text) < 0 || !text.len)
		return 0;
	line = strstr(text.data, "\nPid:");
	return line ? (pid_t)strtol(line + 5, NULL, 10) : 0;
}

static int receive_results(struct sandbox *s, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	uint16_t ports[2];

	for (;;) {
		int r = receive(s->control_fd, &m, err);

		if (r < 0)
			return r;
		if (m.type == SANDBOX_MESSAGE_NETWORK) {
			memcpy(ports, m.payload.data, sizeof(ports));
			s->proxy_port = ports[0];
			s->dns_port = ports[1];
			for (size_t i = 0; i < 2; i++) {
				take(&m, i, &s->tcp_listen_fds[i]);
				take(&m, 2 + i, &s->dns_udp_fds[i]);
			}
		} else if (m.type == SANDBOX_MESSAGE_PTY) {
			take(&m, 0, &s->pty_fd);
		} else if (m.type == SANDBOX_MESSAGE_COMMAND) {
			take(&m, 0, &s->dns_tcp_fds[0]);
			take(&m, 1, &s->dns_tcp_fds[1]);
			s->command_pid = pid_of(m.fds[2]);
			return s->command_pid > 0 ? 0 : err_say(err, -ESRCH, "the command's process is gone");
		} else {
			return err_say(err, -EBADMSG, "an unexpected message from the container's init");
		}
	}
}

static int wait_at_gate(struct sandbox *s, bool is_filtered, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = receive(s->gate_fd, &m, err);

	if (r < 0)
		return r;
	if (m.type != (is_filtered ? SANDBOX_MESSAGE_AT_GATE : SANDBOX_MESSAGE_AT_GATE_UNFILTERED))
		return err_say(err, -EBADMSG, "an unexpected message from the command's process");
	if (is_filtered)
		take(&m, 0, &s->seccomp_fd);
	return 0;
}

/* For sandbox_make_writable: once init is sealed they cannot be opened any more. */
static int open_namespaces(struct sandbox *s, struct err *err)
{
	static const char *const names[2] = { "user", "mnt" };

	for (size_t i = 0; i < 2; i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)s->init_pid, names[i]);
		s->namespace_fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (s->namespace_fds[i] < 0)
			return err_set(err, -errno, "open %s", path);
	}
	return 0;
}

static int start(const struct sandbox_options *o, struct sandbox *s, struct err *err)
{
	_cleanup_close_ int their_control = -1;
	_cleanup_close_ int their_gate = -1;
	int control[2], gate[2];
	int r = ipc_socketpair(control);

	if (r >= 0) {
		s->control_fd = control[0];
		their_control = control[1];
		r = ipc_socketpair(gate);
	}
	if (r < 0)
		return err_set(err, r, "socketpair");
	s->gate_fd = gate[0];
	their_gate = gate[1];
	r = clone_init(o, their_control, their_gate, s, err);
	if (r < 0)
		return r;
	/* Ours are copies; theirs must be the last, or their death would go unnoticed. */
	fd_close(TAKE_FD(their_control));
	fd_close(TAKE_FD(their_gate));
	s->limits_not_applied = limits_apply_cgroup(&o->limits, s->init_pid, &s->cgroup);
	r = receive_results(s, err);
	if (r >= 0)
		r = wait_at_gate(s, o->filter.len > 0, err);
	if (r >= 0)
		r = open_namespaces(s, err);
	return r < 0 ? r : fd_set_nonblock(s->control_fd, true);
}

int sandbox_start(const struct sandbox_options *o, struct sandbox *ret, struct err *err)
{
	struct sandbox s = SANDBOX_INIT;
	int r = start(o, &s, err);

	if (r < 0) {
		sandbox_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

int sandbox_release(struct sandbox *s)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_send(s->control_fd, SANDBOX_MESSAGE_SEAL, 0, (struct span){ 0 }, NULL, 0);

	if (r >= 0)
		r = receive(s->control_fd, &m, NULL);
	if (r >= 0 && m.type != SANDBOX_MESSAGE_SEALED)
		r = -EBADMSG;
	return r < 0 ? r : ipc_send(s->gate_fd, SANDBOX_MESSAGE_GO, 0, (struct span){ 0 }, NULL, 0);
}

/* Did execve fail? Its process says so before it ends, so the message is there when init reports the end. */
static int exec_error(struct sandbox *s)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct pollfd p = { .fd = s->gate_fd, .events = POLLIN };
	int32_t error = 0;

	if (poll(&p, 1, 0) > 0 && ipc_receive(s->gate_fd, sandbox_messages, SANDBOX_MESSAGE_MAX, &m) > 0 &&
	    m.type == SANDBOX_MESSAGE_EXEC_FAILED)
		memcpy(&error, m.payload.data, sizeof(error));
	return error;
}

int sandbox_next_event(struct sandbox *s, struct sandbox_event *ret)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(s->control_fd, sandbox_messages, SANDBOX_MESSAGE_MAX, &m);
	int32_t number;
	int error;

	if (r <= 0)
		return r == -ECONNRESET ? 0 : r;
	if (m.type != SANDBOX_MESSAGE_EXITED && m.type != SANDBOX_MESSAGE_STOPPED)
		return -EBADMSG;
	memcpy(&number, m.payload.data, sizeof(number));
	*ret = (struct sandbox_event){ .type = SANDBOX_STOPPED, .status = number };
	if (m.type == SANDBOX_MESSAGE_STOPPED)
		return 1;
	error = exec_error(s);
	ret->type = error ? SANDBOX_FAILED : SANDBOX_EXITED;
	ret->status = error ? error : number;
	return 1;
}

int sandbox_signal(struct sandbox *s, int signal_number)
{
	int32_t number = signal_number;

	return ipc_send(s->control_fd, SANDBOX_MESSAGE_SIGNAL, 0, span_make(&number, sizeof(number)), NULL, 0);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		fd_close(TAKE_FD(*fd));
}

void sandbox_done(struct sandbox *s)
{
	if (s->init_pid > 0) {
		(void)kill(s->init_pid, SIGKILL);
		while (waitpid(s->init_pid, NULL, 0) < 0 && errno == EINTR)
			;
		s->init_pid = 0;
	}
	close_fd(&s->control_fd);
	close_fd(&s->gate_fd);
	close_fd(&s->init_pidfd);
	close_fd(&s->seccomp_fd);
	close_fd(&s->pty_fd);
	for (size_t i = 0; i < 2; i++) {
		close_fd(&s->namespace_fds[i]);
		close_fd(&s->tcp_listen_fds[i]);
		close_fd(&s->dns_udp_fds[i]);
		close_fd(&s->dns_tcp_fds[i]);
	}
	limits_remove_cgroup(s->cgroup);
	xfree(s->cgroup);
	s->cgroup = NULL;
}
