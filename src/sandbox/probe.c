#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/mount-calls.h"
#include "sandbox/network.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox.h"

/* Runs fn in a child; its result is an errno, 0 for success. */
static int try_in_child(int (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(fn());
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EFAULT;
}

static int try_user_namespace(void)
{
	return unshare(CLONE_NEWUSER) < 0 ? errno : 0;
}

static int try_namespaces(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		       CLONE_NEWCGROUP) < 0 ?
		       errno :
		       0;
}

static int try_mounts(void)
{
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	fd = mount_clone("/", /* recursive = */ true);
	if (fd < 0)
		return -fd;
	return -mount_change(fd, MOUNT_ATTR_RDONLY, 0, /* recursive = */ true);
}

static int try_network(void)
{
	struct network n;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return errno;
	return -network_set_up(&n, NULL);
}

static int read_number(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64);

	if (file_read_at(AT_FDCWD, path, &text) < 0 || !text.len)
		return -1;
	return (int)strtol(text.data, NULL, 10);
}

/* Why user namespaces may be refused, from the switches that distributions have for it. */
static const char *user_namespace_remedy(void)
{
	if (read_number("/proc/sys/user/max_user_namespaces") == 0)
		return "switched off; as root: sysctl -w user.max_user_namespaces=15000";
	if (read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		return "switched off; as root: sysctl -w kernel.unprivileged_userns_clone=1";
	if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		return "restricted by AppArmor (Ubuntu 24.04 and later); install leash's AppArmor profile, or as "
		       "root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
	return "refused; a kernel with CONFIG_USER_NS is needed, and a container that leash runs in must allow them";
}

static void fill(struct sandbox_probe *row, const char *name, int error, const char *good, const char *bad)
{
	row->name = name;
	row->is_required = true;
	row->is_present = error == 0;
	if (error)
		(void)snprintf(row->detail, sizeof(row->detail), "%s (%s)", bad, strerror(error));
	else
		(void)snprintf(row->detail, sizeof(row->detail), "%s", good);
}

size_t sandbox_probe(struct sandbox_probe *rows, size_t max)
{
	int abi = privileges_landlock_abi();
	size_t n = 0;

	if (max < 5)
		return 0;
	fill(&rows[n++], "user namespaces", try_in_child(try_user_namespace), "", user_namespace_remedy());
	fill(&rows[n++], "other namespaces", try_in_child(try_namespaces),
	     "mount, pid, net, ipc, uts, cgroup", "one kind is missing from the kernel");
	fill(&rows[n++], "mount_setattr, open_tree", try_in_child(try_mounts), "",
	     "Linux 5.12 or later is needed");
	fill(&rows[n++], "network redirection", try_in_child(try_network), "nf_tables",
	     "the kernel modules nf_tables and nft_redir are needed; as root: modprobe nf_tables nft_redir nf_nat");
	rows[n] = (struct sandbox_probe){ .name = "Landlock", .is_present = abi > 0 };
	(void)snprintf(rows[n].detail, sizeof(rows[n].detail), abi > 0 ? "ABI %d" :
			"Linux 5.13 or later with landlock among the active LSMs; sessions run without this second wall",
		       abi);
	return n + 1;
}
