#include "sandbox/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/command.h"
#include "sandbox/descriptors.h"
#include "sandbox/init-filter.h"
#include "sandbox/messages.h"
#include "sandbox/mounts.h"
#include "sandbox/network.h"
#include "sandbox/privileges.h"
#include "sandbox/terminal.h"

#define NAME "leash-init"

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/*
 * The ids inside are those outside, one of each; every other one is nobody's.
 * The kernel wants setgroups(2) off first, since leaving a group may widen
 * what its members are refused (user_namespaces(7)).
 */
int init_map_ids(uid_t uid, gid_t gid, struct err *err)
{
	char map[64];
	int r = write_file("/proc/self/setgroups", "deny");

	if (r >= 0) {
		(void)snprintf(map, sizeof(map), "%u %u 1", gid, gid);
		r = write_file("/proc/self/gid_map", map);
	}
	if (r >= 0) {
		(void)snprintf(map, sizeof(map), "%u %u 1", uid, uid);
		r = write_file("/proc/self/uid_map", map);
	}
	return r < 0 ? err_set(err, r, "map the user's ids into the container") : 0;
}

/*
 * The caller makes the map of many ids, since nobody in a new namespace may. What
 * is made for the container from here on is root's, as on any machine.
 */
static int become_root(int control_fd, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(control_fd, sandbox_messages_to_init, MESSAGE_MAX, &m);

	if (r == 0)
		_exit(0); /* the caller gave up */
	if (r > 0 && m.type != MESSAGE_MAPPED)
		r = -EBADMSG;
	/* Who changes ids is not dumpable any more, and then the supervisor could not join. */
	if (r >= 0 && (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
		       prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0))
		r = -errno;
	return r < 0 ? err_set(err, r, "become the container's root") : 0;
}

static int take_ids(const struct init *i, struct err *err)
{
	return i->options->user ? become_root(i->control_fd, err)
				: init_map_ids(i->uid, i->gid, err);
}

static int start_alone(const struct init *i, struct err *err)
{
	const struct sandbox_options *o = i->options;
	int keep[5] = { i->control_fd, i->gate_fd, -1, -1, -1 };
	int r;

	if (!o->want_pty)
		memcpy(keep + 2, o->stdio_fds, sizeof(o->stdio_fds));
	r = descriptors_keep(keep, ARRAY_SIZE(keep));
	if (r < 0)
		return err_set(err, r, "close the session's descriptors");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set(err, -errno, "bind the container's life to the session's");
	return 0;
}

/* A user namespace in the container would give its maker capabilities over all that the kernel
 * offers in one. */
static int forbid_nesting(const struct sandbox_options *o)
{
	return o->allow_nesting ? 0 : write_file("/proc/sys/user/max_user_namespaces", "0");
}

/* The caller finds them out while the first steps are done here. */
static int receive_writable(int control_fd, struct span *ret, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(control_fd, sandbox_messages_to_init, MESSAGE_MAX, &m);

	if (r == 0)
		_exit(0); /* the caller gave up */
	if (r > 0 && m.type != MESSAGE_WRITABLE)
		r = -EBADMSG;
	if (r > 0)
		r = memfd_map_sealed(m.fds[0], ret);
	return r < 0 ? err_set(err, r, "hear what is writable") : 0;
}

static int set_up(const struct init *i, struct network_sockets *sockets, struct terminal *terminal,
		  int file_fds[SANDBOX_MAX_FILES], struct err *err)
{
	const struct sandbox_options *o = i->options;
	struct span writable = { 0 };
	int r;

	/* Here and not at birth: it takes as long as all others, and the caller need not wait. */
	if (unshare(CLONE_NEWNET) < 0)
		return err_set(err, -errno, "make a network namespace");
	r = network_make(sockets, err);
	if (r < 0)
		return r;
	r = forbid_nesting(o);
	if (r < 0)
		return err_set(err, r, "forbid user namespaces in the container");
	/* Here and not at birth: the namespace's root is the cgroup that the process is in by now.
	 */
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_set(err, -errno, "make a cgroup namespace");
	if (o->hostname && sethostname(o->hostname, strlen(o->hostname)) < 0)
		return err_set(err, -errno, "set the container's host name");
	r = receive_writable(i->control_fd, &writable, err);
	if (r >= 0)
		r = mounts_make(o, writable, file_fds, err);
	memfd_unmap(writable);
	if (r < 0)
		return r;
	if (o->want_pty) {
		r = terminal_open(terminal, &o->window, err);
		if (r < 0)
			return r;
		/* Its user opens it again by name. */
		if (o->user && fchown(terminal->slave_fd, o->user->uid, (gid_t)-1) < 0)
			return err_set(err, -errno, "give the terminal to its user");
		r = terminal_lead(terminal->slave_fd);
	} else {
		/* Out of the caller's process group: a ^C at his terminal is not for init. */
		r = setsid() < 0 ? -errno : 0;
	}
	return r < 0 ? err_set(err, r, "start a session") : 0;
}

static int send_descriptors(const struct init *i, const struct network_sockets *s,
			    const struct terminal *terminal, const int *file_fds, int command_pidfd)
{
	const int dns[4] = { s->dns_udp[0], s->dns_udp[1], s->dns_tcp[0], s->dns_tcp[1] };
	struct span none = { 0 };
	int r = ipc_send(i->control_fd, MESSAGE_COMMAND, 0, none, &command_pidfd, 1);

	if (r >= 0)
		r = ipc_send(i->control_fd, MESSAGE_TCP, 0, none, s->tcp, 2);
	if (r >= 0)
		r = ipc_send(i->control_fd, MESSAGE_DNS, 0, none, dns, 4);
	if (r >= 0 && terminal->master_fd >= 0)
		r = ipc_send(i->control_fd, MESSAGE_PTY, 0, none, &terminal->master_fd, 1);
	for (size_t n = 0; n < i->options->n_files && r >= 0; n++)
		r = ipc_send(i->control_fd, MESSAGE_FILE, (uint32_t)n, none, &file_fds[n], 1);
	return r;
}

static pid_t start_command(const struct init *i, const struct terminal *terminal)
{
	struct command c = { i->options, i->control_fd, i->gate_fd, terminal->slave_fd };
	pid_t pid = fork();

	if (pid == 0)
		command_main(&c);
	return pid < 0 ? -errno : pid;
}

/* Init's own standard descriptors: the caller's pipes must end when the command's do. */
static int leave_stdio(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (fd != i && dup2(fd, i) < 0)
			return -errno;
	return 0;
}

/* The n-th field of /proc/self/stat, counted as in proc(5), of those after the name. */
static unsigned long stat_field(const char *stat, int n)
{
	const char *p = strrchr(stat, ')');

	for (int field = 2; p && field < n; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoul(p + 1, NULL, 10) : 0;
}

/* The memory between two addresses that the kernel names. */
static int wipe_field(const char *stat, int first, char **ret, size_t *ret_len)
{
	unsigned long start = stat_field(stat, first), end = stat_field(stat, first + 1);

	if (start == 0 || end < start)
		return -ENODATA;
	*ret = (char *)start;
	*ret_len = end - start;
	memset(*ret, 0, *ret_len);
	return 0;
}

/*
 * The caller's command line and environment lie in this process's memory too,
 * and the kernel shows them to everybody (/proc/1/cmdline) or to this user
 * (/proc/1/environ, where his keys are). The command's arguments may point into
 * them, so this comes after its process was made.
 */
static int hide_arguments(void)
{
	_cleanup_buf_ struct buf stat = BUF_INIT(4096);
	char *arguments, *variables;
	size_t len, variables_len;
	int r = file_read_at(AT_FDCWD, "/proc/self/stat", &stat);

	if (r >= 0)
		r = wipe_field(stat.data, 48, &arguments, &len);
	if (r >= 0)
		r = wipe_field(stat.data, 50, &variables, &variables_len);
	if (r < 0)
		return r;
	if (len > 1)
		memcpy(arguments, NAME, MIN(len - 1, sizeof(NAME) - 1));
	return prctl(PR_SET_NAME, NAME, 0, 0, 0) < 0 ? -errno : 0;
}

static int settle(const struct init *i, int signal_fd, struct err *err)
{
	int r = descriptors_keep((const int[]){ i->control_fd, signal_fd }, 2);

	if (r >= 0)
		r = leave_stdio();
	if (r >= 0)
		r = hide_arguments();
	if (r < 0)
		return err_set(err, r, "hide the session from the container");
	r = privileges_drop_for_init(i->options->user, err);
	if (r >= 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		r = err_set(err, -errno, "let the supervisor join the container");
	return r < 0 ? r : init_filter_install(err);
}

/* If the caller is gone, the end of file on this socket comes next. */
static void tell(int control_fd, uint16_t type, const void *p, size_t len)
{
	int r = ipc_send(control_fd, type, 0, span_make(p, len), NULL, 0);

	(void)r;
}

static void report(int control_fd, enum sandbox_event_type type, int status)
{
	struct sandbox_event e = { .type = type, .status = status };

	tell(control_fd, MESSAGE_EVENT, &e, sizeof(e));
}

_noreturn_ static void fail(const struct init *i, const struct err *err)
{
	tell(i->control_fd, MESSAGE_BROKEN, err, sizeof(*err));
	_exit(1);
}

/* Reaps everything that ended; the container ends with the command. */
static void reap(int control_fd, bool has_terminal, pid_t command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != command)
			continue;
		if (WIFSTOPPED(status)) {
			if (has_terminal)
				report(control_fd, SANDBOX_STOPPED, WSTOPSIG(status));
			continue;
		}
		report(control_fd, SANDBOX_EXITED, status);
		_exit(0);
	}
}

/* The command is init's child and not reaped yet, so its number is nobody else's. */
static void pass_signal(int control_fd, pid_t command)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int32_t signal_number;

	if (ipc_receive(control_fd, sandbox_messages_to_init, MESSAGE_MAX, &m) <= 0 ||
	    m.type != MESSAGE_SIGNAL)
		_exit(0);
	memcpy(&signal_number, m.payload.data, sizeof(signal_number));
	(void)kill(-command, signal_number);
}

_noreturn_ static void watch(int control_fd, int signal_fd, bool has_terminal, pid_t command)
{
	struct pollfd fds[2] = { { .fd = control_fd, .events = POLLIN },
				 { .fd = signal_fd, .events = POLLIN } };
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			_exit(1);
		if (fds[1].revents && read(signal_fd, &info, sizeof(info)) > 0)
			reap(control_fd, has_terminal, command);
		if (fds[0].revents)
			pass_signal(control_fd, command);
	}
}

static int open_child_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

_noreturn_ void init_main(const struct init *i)
{
	struct network_sockets sockets = NETWORK_SOCKETS_INIT;
	struct terminal terminal = TERMINAL_INIT;
	struct err err = { 0 };
	int file_fds[SANDBOX_MAX_FILES];
	int signal_fd, pidfd;
	pid_t command;

	if (take_ids(i, &err) < 0 || start_alone(i, &err) < 0 ||
	    set_up(i, &sockets, &terminal, file_fds, &err) < 0)
		fail(i, &err);
	signal_fd = open_child_signals();
	command = start_command(i, &terminal);
	pidfd = command < 0 ? -1 : (int)syscall(SYS_pidfd_open, command, 0);
	if (signal_fd < 0 || pidfd < 0) {
		(void)err_set(&err, command < 0 ? command : -errno, "start the command's process");
		fail(i, &err);
	}
	if (send_descriptors(i, &sockets, &terminal, file_fds, pidfd) < 0 ||
	    settle(i, signal_fd, &err) < 0)
		fail(i, &err);
	watch(i->control_fd, signal_fd, i->options->want_pty, command);
}
