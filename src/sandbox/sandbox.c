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

#include "base/clock.h"
#include "base/fd.h"
#include "sandbox/init.h"
#include "sandbox/limits.h"
#include "sandbox/messages.h"
#include "sandbox/network.h"
#include "sandbox/probe.h"

#define START_TIMEOUT_MS 30000

#define LIMIT_ID_MAP ((size_t)64 * 1024) /* 340 lines at most, says the kernel */

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

/* The signal handlers of the caller's loop must not run in the child, even for a moment. */
static pid_t clone_blocked(struct clone_args *args)
{
	sigset_t all, before;
	long pid;
	int error;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = syscall(SYS_clone3, args, sizeof(*args));
	error = errno;
	if (pid != 0)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -error : (pid_t)pid;
}

/* A refusal reads better with the setting that causes it. */
static int refused(int r, const char *what, struct err *err)
{
	const char *remedy =
		r == -EPERM || r == -ENOSPC || r == -EACCES ? probe_restriction() : NULL;

	return err_say(err, r, "%s%s%s", what, remedy ? "; " : "", remedy ? remedy : "");
}

/* In the child returns 0; in the parent the pid. */
static pid_t clone_init(const struct sandbox_limits *l, struct sandbox *s, struct err *err)
{
	int pidfd = -1;
	struct clone_args args = { .flags = NAMESPACES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	struct err why;
	pid_t pid;

	if (s->cgroup.fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)s->cgroup.fd;
	}
	pid = clone_blocked(&args);
	if (pid < 0 && s->cgroup.fd >= 0) {
		limits_do_without_cgroup(l, &s->cgroup, &s->limits_not_applied);
		args.flags &= ~(uint64_t)CLONE_INTO_CGROUP;
		pid = clone_blocked(&args);
	}
	if (pid < 0) {
		(void)err_set(&why, pid, "start the container");
		return refused(pid, why.text, err);
	}
	if (pid > 0) {
		s->init_pid = pid;
		s->init_pidfd = pidfd;
	}
	return pid;
}

/* The number of a pidfd's process as this process's pid namespace has it. */
static pid_t pidfd_number(int pidfd)
{
	_cleanup_buf_ struct buf info = BUF_INIT(4096);
	char path[64];
	const char *line;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (file_read_at(AT_FDCWD, path, &info) < 0 || !info.data)
		return -1;
	line = strstr(info.data, "\nPid:");
	return line ? (pid_t)strtol(line + strlen("\nPid:"), NULL, 10) : -1;
}

static int take_broken(const struct ipc_message *m, struct err *err)
{
	struct err theirs;

	memcpy(&theirs, m->payload.data, sizeof(theirs));
	theirs.text[sizeof(theirs.text) - 1] = 0;
	return refused(theirs.code < 0 ? theirs.code : -EPROTO, theirs.text, err);
}

/* Takes what one message brings. 1: the command stands at the gate. */
static int take_message(struct sandbox *s, struct ipc_message *m, struct err *err)
{
	switch (m->type) {
	case MESSAGE_BROKEN:
		return take_broken(m, err);
	case MESSAGE_TCP:
		s->tcp_listen_fds[0] = TAKE_FD(m->fds[0]);
		s->tcp_listen_fds[1] = TAKE_FD(m->fds[1]);
		return 0;
	case MESSAGE_DNS:
		s->dns_udp_fds[0] = TAKE_FD(m->fds[0]);
		s->dns_udp_fds[1] = TAKE_FD(m->fds[1]);
		s->dns_tcp_fds[0] = TAKE_FD(m->fds[2]);
		s->dns_tcp_fds[1] = TAKE_FD(m->fds[3]);
		return 0;
	case MESSAGE_PTY:
		s->pty_fd = TAKE_FD(m->fds[0]);
		return 0;
	case MESSAGE_FILE:
		if (m->id >= SANDBOX_MAX_FILES || s->file_fds[m->id] >= 0)
			return err_say(err, -EBADMSG,
				       "the container's first process sent nonsense");
		s->file_fds[m->id] = TAKE_FD(m->fds[0]);
		return 0;
	case MESSAGE_COMMAND:
		/* Of a process that has already ended there is no number; why it did comes next. */
		s->command_pid = MAX(pidfd_number(m->fds[0]), 0);
		return 0;
	case MESSAGE_AT_GATE:
		return 1;
	case MESSAGE_FILTERED:
		s->seccomp_fd = TAKE_FD(m->fds[0]);
		return 1;
	case MESSAGE_EVENT:
		return err_say(err, -ECHILD, "the command's process died while it was set up");
	default:
		return err_say(err, -EBADMSG, "the container's first process sent nonsense");
	}
}

static int receive_one(struct sandbox *s, uint64_t deadline_ns, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct pollfd fd = { .fd = s->control_fd, .events = POLLIN };
	uint64_t now = clock_monotonic_ns();
	int r = 0;

	if (now < deadline_ns)
		r = poll(&fd, 1, (int)((deadline_ns - now) / NS_PER_MS) + 1);
	if (r < 0)
		return errno == EINTR ? 0 : err_set(err, -errno, "wait for the container");
	if (r == 0)
		return err_say(err, -ETIMEDOUT, "the container was not ready within %d seconds",
			       START_TIMEOUT_MS / 1000);
	r = ipc_receive(s->control_fd, sandbox_messages_to_caller, MESSAGE_MAX, &m);
	if (r < 0)
		return err_set(err, r, "hear from the container");
	if (r == 0)
		return err_say(err, -ECHILD, "the container's first process died while it set up");
	return take_message(s, &m, err);
}

static bool has_files(const struct sandbox *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s->file_fds[i] < 0)
			return false;
	return true;
}

/* init and the command send in any order; all of it must have come. */
static int receive_all(struct sandbox *s, const struct sandbox_options *o, struct err *err)
{
	uint64_t deadline_ns = clock_monotonic_ns() + START_TIMEOUT_MS * NS_PER_MS;
	bool is_at_gate = false;

	while (!is_at_gate || s->tcp_listen_fds[0] < 0 || s->dns_udp_fds[0] < 0 ||
	       !s->command_pid || (o->want_pty && s->pty_fd < 0) || !has_files(s, o->n_files)) {
		int r = receive_one(s, deadline_ns, err);

		if (r < 0)
			return r;
		is_at_gate |= r > 0;
	}
	return 0;
}

/* All of them in one sealed file, each with its NUL: there may be more than a message holds. */
static int send_writable(const struct sandbox *s, const char *const *paths, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(WRITABLE_MAX);
	_cleanup_close_ int fd = -1;
	int r = 0;

	for (; paths && *paths && r >= 0; paths++)
		r = buf_append(&text, *paths, strlen(*paths) + 1);
	if (r < 0)
		return err_set(err, r, "the policy names too many writable directories");
	fd = memfd_sealed("leash-writable", buf_span(&text));
	if (fd < 0)
		return err_set(err, fd, "list the container's writable directories");
	r = ipc_send(s->control_fd, MESSAGE_WRITABLE, 0, (struct span){ 0 }, &fd, 1);
	return r < 0 ? err_set(err, r, "talk to the container") : 0;
}

/* What the caller does while the container builds itself. */
static int do_meanwhile(const struct sandbox_options *o, const struct sandbox *s, struct err *err)
{
	const char *const *writable = o->writable;
	int r = o->find_writable ? o->find_writable(o->ctx, &writable, err) : 0;

	if (r >= 0)
		r = send_writable(s, writable, err);
	if (r >= 0 && o->meanwhile)
		r = o->meanwhile(o->ctx, err);
	return r;
}

/* All ids that this process's namespace has, each as itself. */
static int write_map(pid_t pid, const char *name)
{
	_cleanup_buf_ struct buf own = BUF_INIT(LIMIT_ID_MAP), map = BUF_INIT(LIMIT_ID_MAP);
	_cleanup_close_ int fd = -1;
	char path[64], *line, *save = NULL;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/%s", name);
	r = file_read_at(AT_FDCWD, path, &own);
	if (r >= 0)
		r = buf_append_char(&own, 0);
	if (r < 0)
		return r;
	for (line = strtok_r(own.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long numbers[3]; /* first inside, first outside, how many */

		for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
			numbers[i] = strtoul(line, &line, 10);
		if (*line ||
		    buf_printf(&map, "%lu %lu %lu\n", numbers[0], numbers[0], numbers[2]) < 0)
			return -EBADMSG;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The kernel takes a map in one piece or not at all. */
	return write(fd, map.data, map.len) == (ssize_t)map.len ? 0 : -errno;
}

static int map_all_ids(const struct sandbox *s, struct err *err)
{
	int r = write_map(s->init_pid, "gid_map");

	if (r >= 0)
		r = write_map(s->init_pid, "uid_map");
	if (r < 0)
		return err_set(err, r, "give the container all users");
	r = ipc_send(s->control_fd, MESSAGE_MAPPED, 0, (struct span){ 0 }, NULL, 0);
	return r < 0 ? err_set(err, r, "talk to the container") : 0;
}

static int start(const struct sandbox_options *o, struct sandbox *s, struct err *err)
{
	_cleanup_close_ int init_fd = -1, gate_fd = -1;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int control[2], gate[2];
	pid_t pid;
	int r = ipc_socketpair(control);

	if (r < 0)
		return err_set(err, r, "make the container's control socket");
	s->control_fd = control[0];
	init_fd = control[1];
	if (pipe2(gate, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make the container's gate");
	gate_fd = gate[0];
	s->gate_fd = gate[1];
	limits_make_cgroup(&o->limits, &s->cgroup, &s->limits_not_applied);
	pid = clone_init(&o->limits, s, err);
	if (pid < 0)
		return pid;
	if (pid == 0)
		init_main(&(struct init){ o, init_fd, gate_fd, uid, gid });
	cleanup_close(&init_fd);
	init_fd = -1;
	r = o->user ? map_all_ids(s, err) : 0;
	if (r < 0)
		return r;
	r = do_meanwhile(o, s, err);
	if (r < 0)
		return r;
	r = receive_all(s, o, err);
	if (r < 0)
		return r;
	s->proxy_port = NETWORK_PROXY_PORT;
	s->dns_port = NETWORK_DNS_PORT;
	return fd_set_nonblock(s->control_fd, true);
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
	int r = fd_write_all(s->gate_fd, "", 1);

	cleanup_close(&s->gate_fd);
	s->gate_fd = -1;
	return r;
}

int sandbox_next_event(struct sandbox *s, struct sandbox_event *ret)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(s->control_fd, sandbox_messages_to_caller, MESSAGE_MAX, &m);

	if (r <= 0)
		return r == -ECONNRESET ? 0 : r;
	if (m.type != MESSAGE_EVENT)
		return -EBADMSG;
	memcpy(ret, m.payload.data, sizeof(*ret));
	return 1;
}

int sandbox_signal(struct sandbox *s, int signal_number)
{
	int32_t number = signal_number;

	return ipc_send(s->control_fd, MESSAGE_SIGNAL, 0, span_make(&number, sizeof(number)), NULL,
			0);
}

static void close_pair(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		cleanup_close(&fds[i]);
		fds[i] = -1;
	}
}

void sandbox_done(struct sandbox *s)
{
	siginfo_t info;

	if (s->init_pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, s->init_pidfd, SIGKILL, NULL, 0);
		while (waitid(P_PIDFD, (id_t)s->init_pidfd, &info, WEXITED) < 0 && errno == EINTR)
			;
	}
	cleanup_close(&s->init_pidfd);
	cleanup_close(&s->control_fd);
	cleanup_close(&s->gate_fd);
	cleanup_close(&s->seccomp_fd);
	cleanup_close(&s->pty_fd);
	close_pair(s->tcp_listen_fds);
	close_pair(s->dns_udp_fds);
	close_pair(s->dns_tcp_fds);
	for (size_t i = 0; i < SANDBOX_MAX_FILES; i++)
		cleanup_close(&s->file_fds[i]);
	limits_remove_cgroup(&s->cgroup);
	*s = (struct sandbox)SANDBOX_INIT;
}
