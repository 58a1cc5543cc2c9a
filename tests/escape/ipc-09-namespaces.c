/* IPC-09: namespaces, settings of the kernel, devices. What works outside only for root is tried
 * all the same. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_EXEC;

static const struct {
	const char *name;
	int flag;
} namespaces[] = {
	{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS },	  { "pid", CLONE_NEWPID },
	{ "net", CLONE_NEWNET },   { "ipc", CLONE_NEWIPC },	  { "uts", CLONE_NEWUTS },
	{ "time", 0x80 },	   { "cgroup", CLONE_NEWCGROUP },
};

static int unshare_one(void *flag)
{
	return outcome(unshare(*(const int *)flag));
}

static int unshare_with_user(void *flag)
{
	return outcome(unshare(CLONE_NEWUSER | *(const int *)flag));
}

static int enter(void *name)
{
	int fd = open(in("/proc/1/ns/%s", (const char *)name), O_RDONLY);

	if (fd < 0)
		return -errno;
	return outcome(setns(fd, 0));
}

static int enter_by_pidfd(void *flag)
{
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (fd < 0)
		return -errno;
	return outcome(setns(fd, *(const int *)flag));
}

/* Opened for writing and really written with what was there: nothing changes where it works. */
static int write_setting(const char *path)
{
	char old[4096];
	ssize_t n;
	int fd = open(path, O_RDWR);

	if (fd < 0)
		return -errno;
	n = read(fd, old, sizeof(old));
	n = n > 0 ? pwrite(fd, old, (size_t)n, 0) : 0;
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : 0;
}

static int make_device(mode_t type, unsigned int major, unsigned int minor)
{
	const char *path = in("%s/ipc-09-%d", work, gettid());
	int result = outcome(mknod(path, type | 0666, makedev(major, minor)));

	if (result == 0)
		result = took(open(path, O_RDWR | O_NONBLOCK));
	unlink(path);
	return result;
}

/* A device or file of the kernel's is covered when an empty file or /dev/null stands in its place.
 */
static int opens_real(const char *path, int flags)
{
	struct stat st;
	int fd = open(path, flags | O_NONBLOCK);
	bool is_cover;

	if (fd < 0)
		return -errno;
	is_cover =
		fstat(fd, &st) == 0 &&
		((S_ISREG(st.st_mode) && st.st_size == 0 && major(st.st_dev) == 0 &&
		  strncmp(path, "/proc/", 6) == 0 && flags == O_RDONLY && read(fd, &st, 1) == 0) ||
		 (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)));
	close(fd);
	return is_cover ? -ENODATA : 0;
}

static void settings(void)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/core_pattern",
		"/proc/sys/kernel/modprobe",
		"/proc/sys/kernel/hotplug",
		"/proc/sys/kernel/randomize_va_space",
		"/proc/sys/kernel/yama/ptrace_scope",
		"/proc/sys/kernel/unprivileged_bpf_disabled",
		"/proc/sys/vm/overcommit_memory",
		"/proc/sys/net/ipv4/ip_forward",
		"/proc/sys/net/ipv4/conf/all/route_localnet",
		"/proc/sys/fs/protected_symlinks",
		"/proc/sys/fs/binfmt_misc/register",
		"/proc/sysrq-trigger",
		"/sys/kernel/uevent_helper",
		"/sys/power/state",

		"/proc/1/uid_map",
		"/proc/self/uid_map",
		"/proc/self/setgroups",
	};
	static const char *const patterns[] = {
		"/sys/fs/cgroup/*/release_agent", "/sys/fs/cgroup/release_agent",
		"/sys/fs/cgroup/*/cgroup.procs",  "/sys/fs/cgroup/cgroup.procs",
		"/sys/module/*/parameters/*",	  "/sys/class/*/*/uevent"
	};
	glob_t found = { 0 };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		must_fail(write_setting(paths[i]), "%s", paths[i]);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (glob(patterns[i], 0, NULL, &found))
			continue;
		for (size_t j = 0; j < found.gl_pathc && j < 8; j++)
			must_fail(write_setting(found.gl_pathv[j]), "%s", found.gl_pathv[j]);
		globfree(&found);
	}
}

static void devices(void)
{
	static const char *const paths[] = {
		"/dev/mem",
		"/dev/kmem",
		"/dev/port",
		"/dev/kmsg",
		"/dev/fuse",
		"/dev/kvm",
		"/dev/vhost-net",
		"/dev/vhost-vsock",
		"/dev/vsock",
		"/dev/loop-control",
		"/dev/loop0",
		"/dev/mapper/control",
		"/dev/uinput",
		"/dev/input/event0",
		"/dev/snd/controlC0",
		"/dev/dri/card0",
		"/dev/net/tun",
		"/dev/userfaultfd",
		"/dev/cuse",
		"/dev/vda",
		"/dev/sda",
		"/dev/nvme0n1",
		"/dev/hpet",
		"/dev/rtc0",
		"/dev/watchdog",
		"/proc/kcore",
		"/proc/kmsg",
		"/sys/kernel/debug",
		"/sys/kernel/tracing",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		must_fail(opens_real(paths[i], O_RDWR), "%s for writing", paths[i]);
		if (strncmp(paths[i], "/sys/", 5) != 0)
			must_fail(opens_real(paths[i], O_RDONLY), "%s", paths[i]);
	}
	must_fail(make_device(S_IFCHR, 1, 1), "mknod of /dev/mem");
	must_fail(make_device(S_IFCHR, 1, 3), "mknod of /dev/null");
	must_fail(make_device(S_IFBLK, 254, 0), "mknod of /dev/vda");
	must_fail(make_device(S_IFCHR, 5, 1), "mknod of the console");
}

void technique(void)
{
	static const char *const good[] = { "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random",
					    "/dev/full" };
	static const char *const shifts[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		int flag = namespaces[i].flag;

		must_fail(in_child(unshare_one, &flag), "unshare %s", namespaces[i].name);
		must_fail(in_child(unshare_with_user, &flag), "unshare user and %s",
			  namespaces[i].name);
		must_fail(in_child(enter_by_pidfd, &flag), "setns by pidfd %s", namespaces[i].name);
	}
	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		char name[16];

		snprintf(name, sizeof(name), "%s", shifts[i]);
		must_fail(in_child(enter, name), "setns %s", shifts[i]);
	}
	settings();
	devices();
	must_fail(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0) == 0 ? 0 : -errno,
		  "an ambient capability");
	must_fail(outcome(setuid(0)), "setuid(0)");
	must_fail(outcome(sethostname("escape", 6)), "sethostname");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		must_work(took(open(good[i], O_RDWR)), "%s", good[i]);
	must_work(has_content(open(allowed, O_RDONLY), "public"), "an ordinary file");
}
