#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/init.h"
#include "sandbox/landlock.h"
#include "sandbox/limits.h"
#include "sandbox/mounts.h"
#include "sandbox/network.h"

/* Settings of the kernel, and of distributions' kernels, that restrict user namespaces. */
static const struct {
	const char *path;
	char bad;
	const char *remedy;
} restrictions[] = {
	{ "/proc/sys/kernel/unprivileged_userns_clone", '0',
	  "user namespaces are switched off for users: sysctl kernel.unprivileged_userns_clone=1" },
	{ "/proc/sys/user/max_user_namespaces", '0',
	  "user namespaces are switched off: sysctl user.max_user_namespaces=15000" },
	{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1',
	  "AppArmor keeps users from user namespaces: install leash's profile (its packages do), "
	  "or "
	  "sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
};

const char *probe_restriction(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(restrictions); i++) {
		_cleanup_close_ int fd = open(restrictions[i].path, O_RDONLY | O_CLOEXEC);
		char text[2] = { 0 };

		if (fd >= 0 && read(fd, text, sizeof(text)) > 0 && text[0] == restrictions[i].bad &&
		    (text[1] == '\n' || text[1] == 0))
			return restrictions[i].remedy;
	}
	return NULL;
}

typedef int (*attempt_fn)(struct err *err);

static int attempt_namespaces(struct err *err)
{
	return sethostname("leash", 5) < 0 ? err_set(err, -errno, "use a user namespace") : 0;
}

static int attempt_mounts(struct err *err)
{
	static const struct sandbox_options none;
	int no_files[SANDBOX_MAX_FILES];

	return mounts_make(&none, (struct span){ 0 }, no_files, err);
}

static int attempt_network(struct err *err)
{
	struct network_sockets sockets = NETWORK_SOCKETS_INIT;

	return network_make(&sockets, err);
}

_noreturn_ static void child_main(attempt_fn attempt, uid_t uid, gid_t gid, int result_fd)
{
	struct err err = { 0 };
	int r = init_map_ids(uid, gid, &err);

	if (r >= 0)
		r = attempt(&err);
	err.code = r;
	_exit(fd_write_all(result_fd, &err, sizeof(err)) < 0);
}

static int take_result(int result_fd, struct err *err)
{
	_cleanup_buf_ struct buf b = BUF_INIT(sizeof(*err));

	if (fd_read_all(result_fd, &b) < 0 || b.len != sizeof(*err))
		return err_say(err, -ECHILD, "the process that tried it died");
	memcpy(err, b.data, sizeof(*err));
	err->text[sizeof(err->text) - 1] = 0;
	return err->code;
}

/* Does it in a child with namespaces of its own, as the container's init would. */
static int attempt_in_child(attempt_fn attempt, struct err *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
					    CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
				   .exit_signal = SIGCHLD };
	_cleanup_close_ int read_fd = -1;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe");
	read_fd = fds[0];
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child_main(attempt, uid, gid, fds[1]);
	r = pid < 0 ? -errno : 0;
	fd_close(fds[1]);
	if (r < 0)
		return err_set(err, r, "make namespaces");
	r = take_result(read_fd, err);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

static void probe_in_child(struct sandbox_probe *row, const char *name, attempt_fn attempt)
{
	struct err err = { 0 };
	int r = attempt_in_child(attempt, &err);
	const char *remedy =
		r == -EPERM || r == -ENOSPC || r == -EACCES ? probe_restriction() : NULL;

	*row = (struct sandbox_probe){ .name = name, .is_present = r >= 0, .is_required = true };
	if (r < 0)
		(void)snprintf(row->detail, sizeof(row->detail), "%.255s",
			       remedy ? remedy : err.text);
}

static void probe_namespaces(struct sandbox_probe *row)
{
	probe_in_child(row, "user namespaces", attempt_namespaces);
}

static void probe_mounts(struct sandbox_probe *row)
{
	probe_in_child(row, "private mounts", attempt_mounts);
}

static void probe_network(struct sandbox_probe *row)
{
	probe_in_child(row, "packet rules", attempt_network);
}

static void probe_pidfd(struct sandbox_probe *row)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	_cleanup_close_ int copy = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);

	*row = (struct sandbox_probe){ "process descriptors", copy >= 0, /* is_required = */ true,
				       "" };
	if (copy < 0)
		(void)snprintf(row->detail, sizeof(row->detail), "needs Linux 5.6 or later");
}

static void probe_landlock(struct sandbox_probe *row)
{
	int version = landlock_version();

	*row = (struct sandbox_probe){ "Landlock", version > 0, /* is_required = */ false, "" };
	if (version)
		(void)snprintf(row->detail, sizeof(row->detail), "version %d", version);
	else
		(void)snprintf(
			row->detail, sizeof(row->detail),
			"a second barrier behind the supervisor is missing: needs Linux 5.13, and "
			"landlock in the kernel's lsm= list");
}

static void probe_limits(struct sandbox_probe *row)
{
	static const struct sandbox_limits all = { UINT64_C(1) << 40, 10000, 10000 };
	struct sandbox s = SANDBOX_INIT;

	limits_make_cgroup(&all, &s.cgroup, &s.limits_not_applied);
	*row = (struct sandbox_probe){ "memory and CPU limits", s.limits_not_applied == 0,
				       /* is_required = */ false, "" };
	if (s.limits_not_applied)
		(void)snprintf(
			row->detail, sizeof(row->detail),
			"no cgroup is delegated to this user: start leash by `systemd-run --user "
			"--scope -p Delegate=yes`");
	limits_remove_cgroup(&s.cgroup);
}

size_t sandbox_probe(struct sandbox_probe *rows, size_t max)
{
	static void (*const probes[])(struct sandbox_probe *) = {
		probe_namespaces, probe_mounts,	  probe_network,
		probe_pidfd,	  probe_landlock, probe_limits,
	};
	size_t n = MIN(max, ARRAY_SIZE(probes));

	for (size_t i = 0; i < n; i++)
		probes[i](&rows[i]);
	return n;
}
