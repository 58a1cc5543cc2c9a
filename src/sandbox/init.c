#include "sandbox/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/mounts.h"
#include "sandbox/network.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox-messages.h"

struct init {
	const struct sandbox_options *options;
	int control_fd, gate_fd, signal_fd;
	int pty_master_fd, pty_slave_fd;
	pid_t command;
	struct network network;
};

static int write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* The ids inside are those outside; user_namespaces(7) wants setgroups denied first. */
static int map_ids(struct init_ids ids, struct err *err)
{
	char uid_map[64], gid_map[64];
	int r;

	(void)snprintf(uid_map, sizeof(uid_map), "%u %u 1", ids.uid, ids.uid);
	(void)snprintf(gid_map, sizeof(gid_map), "%u %u 1", ids.gid, ids.gid);
	r = write_text("/proc/self/setgroups", "deny");
	if (r >= 0)
		r = write_text("/proc/self/uid_map", uid_map);
	if (r >= 0)
		r = write_text("/proc/self/gid_map", gid_map);
	return r < 0 ? err_set(err, r, "map user and group ids") : 0;
}

static int open_pty(struct init *i, struct err *err)
{
	int unlock = 0;

	if (!i->options->want_pty)
		return 0;
	i->pty_master_fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (i->pty_master_fd < 0 || ioctl(i->pty_master_fd, TIOCSPTLCK, &unlock) < 0)
		return err_set(err, -errno, "open a pty");
	i->pty_slave_fd = ioctl(i->pty_master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (i->pty_slave_fd < 0 || ioctl(i->pty_master_fd, TIOCSWINSZ, &i->options->window) < 0)
		return err_set(err, -errno, "open a pty");
	/* Pid 1 leads the terminal's session, so that the command in it can be stopped and continued. */
	if (setsid() < 0 || ioctl(i->pty_slave_fd, TIOCSCTTY, 0) < 0)
		return err_set(err, -errno, "take the pty as the controlling terminal");
	return 0;
}

/* Servers may take low ports: nothing outside sees them, and nobody else is there to be deceived. */
static void set_sysctls(void)
{
	(void)write_text("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
}

static int set_up(struct init *i, struct init_ids ids, struct err *err)
{
	int r = map_ids(ids, err);

	if (r >= 0)
		r = network_set_up(&i->network, err);
	if (r < 0)
		return r;
	set_sysctls();
	r = mounts_set_up(i->options, err);
	if (r >= 0 && sethostname(i->options->hostname, strlen(i->options->hostname)) < 0)
		r = err_set(err, -errno, "set the host name");
	if (r >= 0)
		r = open_pty(i, err);
	return r;
}

static int start_command(struct init *i, struct err *err)
{
	i->command = fork();
	if (i->command < 0)
		return err_set(err, -errno, "start the command");
	if (i->command == 0) {
		fd_close(i->control_fd);
		command_main(i->options, i->gate_fd, i->pty_slave_fd);
	}
	return 0;
}

/*
 * Our own arguments and environment are a copy of leash's: /proc/1/cmdline and
 * a core would show them inside. The fields are those of proc(5), stat 48 to 51.
 */
static void forget_arguments(void)
{
	static const char title[] = "leash-init";
	_cleanup_buf_ struct buf stat = BUF_INIT(4096);
	unsigned long begin, end;
	const char *field;

	if (file_read_at(AT_FDCWD, "/proc/self/stat", &stat) < 0 || !stat.len)
		return;
	field = strrchr(stat.data, ')');
	for (int n = 2; field && n < 48; n++)
		field = strchr(field + 1, ' ');
	if (!field)
		return;
	begin = strtoul(field + 1, NULL, 10);
	for (int n = 48; field && n < 51; n++)
		field = strchr(field + 1, ' ');
	if (!field)
		return;
	end = strtoul(field + 1, NULL, 10);
	if (begin == 0 || end < begin + sizeof(title) || end - begin > (unsigned long)8 * 1024 * 1024)
		return;
	explicit_bzero((void *)begin, end - begin);
	memcpy((void *)begin, title, sizeof(title));
}

static int send_results(struct init *i)
{
	const uint16_t ports[2] = { i->network.proxy_port, i->network.dns_port };
	const int first[4] = { i->network.tcp_listen_fds[0], i->network.tcp_listen_fds[1],
			       i->network.dns_udp_fds[0], i->network.dns_udp_fds[1] };
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, i->command, 0);
	const int second[3] = { i->network.dns_tcp_fds[0], i->network.dns_tcp_fds[1], pidfd };
	int r = pidfd < 0 ? -errno :
			    ipc_send(i->control_fd, SANDBOX_MESSAGE_NETWORK, 0, span_make(ports, sizeof(ports)),
				     first, 4);

	if (r >= 0 && i->options->want_pty)
		r = ipc_send(i->control_fd, SANDBOX_MESSAGE_PTY, 0, (struct span){ 0 }, &i->pty_master_fd, 1);
	if (r >= 0)
		r = ipc_send(i->control_fd, SANDBOX_MESSAGE_COMMAND, 0, (struct span){ 0 }, second, 3);
	return r;
}

/* Keeps the control and the signal descriptor and nothing else. */
static void close_everything_else(struct init *i)
{
	int low = MIN(i->control_fd, i->signal_fd), high = MAX(i->control_fd, i->signal_fd);

	if (low > 0)
		(void)syscall(SYS_close_range, 0, low - 1, 0);
	if (high > low + 1)
		(void)syscall(SYS_close_range, low + 1, high - 1, 0);
	(void)syscall(SYS_close_range, high + 1, ~0u, 0);
}

static void send_number(struct init *i, uint16_t type, int32_t number)
{
	if (ipc_send(i->control_fd, type, 0, span_make(&number, sizeof(number)), NULL, 0) < 0)
		_exit(1);
}

static void reap(struct init *i)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != i->command)
			continue;
		if (WIFSTOPPED(status)) {
			if (i->options->want_pty)
				send_number(i, SANDBOX_MESSAGE_STOPPED, WSTOPSIG(status));
			continue;
		}
		send_number(i, SANDBOX_MESSAGE_EXITED, status);
		/* The kernel kills whatever else is left in the pid namespace. */
		_exit(0);
	}
}

/*
 * From now on no process inside may trace or read pid 1, which no filter holds.
 * Only now, because who joins our namespaces must be able to look at us.
 */
static void seal(struct init *i)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    ipc_send(i->control_fd, SANDBOX_MESSAGE_SEALED, 0, (struct span){ 0 }, NULL, 0) < 0)
		_exit(1);
}

static void take_order(struct init *i)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int32_t number;

	if (ipc_receive(i->control_fd, sandbox_messages, SANDBOX_MESSAGE_MAX, &m) <= 0)
		_exit(1);
	if (m.type == SANDBOX_MESSAGE_SEAL) {
		seal(i);
		return;
	}
	if (m.type != SANDBOX_MESSAGE_SIGNAL)
		_exit(1);
	memcpy(&number, m.payload.data, sizeof(number));
	(void)kill(-i->command, number);
}

_noreturn_ static void loop(struct init *i)
{
	struct pollfd polls[2] = { { .fd = i->control_fd, .events = POLLIN },
				   { .fd = i->signal_fd, .events = POLLIN } };
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		if (polls[1].revents && read(i->signal_fd, &info, sizeof(info)) > 0)
			reap(i);
		if (polls[0].revents)
			take_order(i);
	}
}

static int open_signals(struct init *i, struct err *err)
{
	sigset_t all;

	/* Blocked for pid 1 for good: nothing inside may end or disturb it. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)sigemptyset(&all);
	(void)sigaddset(&all, SIGCHLD);
	i->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return i->signal_fd < 0 ? err_set(err, -errno, "signalfd") : 0;
}

void init_main(const struct sandbox_options *o, struct init_ids ids, int control_fd, int gate_fd)
{
	struct init i = { .options = o,
			  .control_fd = control_fd,
			  .gate_fd = gate_fd,
			  .signal_fd = -1,
			  .pty_master_fd = -1,
			  .pty_slave_fd = -1 };
	struct err err = { 0 };
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NAME, "init") < 0)
		_exit(1);
	r = open_signals(&i, &err);
	if (r >= 0)
		r = set_up(&i, ids, &err);
	if (r >= 0) {
		r = start_command(&i, &err);
	}
	forget_arguments();
	if (r >= 0)
		r = privileges_drop(&err);
	if (r >= 0 && send_results(&i) < 0)
		_exit(1);
	if (r < 0) {
		r = ipc_send(control_fd, SANDBOX_MESSAGE_SETUP_FAILED, 0,
			     span_make(err.text, strlen(err.text) + 1), NULL, 0);
		_exit(r < 0 ? 2 : 1);
	}
	close_everything_else(&i);
	loop(&i);
}
