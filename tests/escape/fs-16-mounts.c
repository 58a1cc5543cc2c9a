/* FS-16: make the denied file appear under another name with mounts and namespaces of one's own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

/* sys/mount.h and linux/mount.h of this libc can't be included together. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
	  const void *data);
#define MS_BIND 4096
#define MS_REC 16384

const unsigned int technique_contexts = CONTEXT_SELF;

static const char *target;

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		errno = EACCES;
	close(fd);
}

static int own_namespaces(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -errno;
	write_to("/proc/self/setgroups", "deny");
	write_to("/proc/self/uid_map", in("0 %u 1", uid));
	write_to("/proc/self/gid_map", in("0 %u 1", gid));
	return 0;
}

static int bind_mount(void *with_namespace)
{
	int result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	if (mount(directory_of(denied), target, NULL, MS_BIND, NULL) < 0)
		return -errno;
	return has_content(open(in("%s/%s", target, name_of(denied)), O_RDONLY), secret);
}

static int clone_tree(void *with_namespace)
{
	int fd, result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	fd = (int)syscall(SYS_open_tree, AT_FDCWD, directory_of(denied),
			  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = has_content(openat(fd, name_of(denied), O_RDONLY), secret);
	if (result == 0 ||
	    syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return result;
	return has_content(open(in("%s/%s", target, name_of(denied)), O_RDONLY), secret);
}

static int plain_tree(void *unused)
{
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, denied, 0);

	(void)unused;
	if (fd < 0)
		return -errno;
	return has_content(open(in("/proc/self/fd/%d", fd), O_RDONLY), secret);
}

static int overlay(void *with_namespace)
{
	int result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	if (mount("overlay", target, "overlay", 0, in("lowerdir=%s:/etc", directory_of(denied))) <
	    0)
		return -errno;
	return has_content(open(in("%s/%s", target, name_of(denied)), O_RDONLY), secret);
}

static int new_root(void *with_namespace)
{
	int result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	if (chroot(directory_of(denied)) < 0)
		return -errno;
	return has_content(open(in("/%s", name_of(denied)), O_RDONLY), secret);
}

static int pivot(void *with_namespace)
{
	int result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	if (mount(directory_of(denied), directory_of(denied), NULL, MS_BIND, NULL) < 0 ||
	    chdir(directory_of(denied)) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	return has_content(open(in("/%s", name_of(denied)), O_RDONLY), secret);
}

static int new_filesystem(void *with_namespace)
{
	int result = with_namespace ? own_namespaces() : 0;
	int fd;

	if (result < 0)
		return result;
	fd = (int)syscall(SYS_fsopen, "tmpfs", 0);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, fd, 0, 0);
	return fd < 0 ? -errno
		      : outcome(syscall(SYS_move_mount, fd, "", AT_FDCWD, target,
					MOVE_MOUNT_F_EMPTY_PATH));
}

static int mount_attributes(void *with_namespace)
{
	struct mount_attr clear = { .attr_clr = MOUNT_ATTR_RDONLY };
	int result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &clear, sizeof(clear)) < 0)
		return -errno;
	return 0;
}

static int remount_writable(void *with_namespace)
{
	int result = with_namespace ? own_namespaces() : 0;

	if (result < 0)
		return result;
	return outcome(mount(NULL, "/usr", NULL, 32 /* MS_REMOUNT */ | MS_BIND, NULL));
}

static int enter_namespace(void *unused)
{
	int fd = open(in("/proc/%d/ns/mnt", getppid()), O_RDONLY);

	(void)unused;
	if (fd < 0)
		return -errno;
	return outcome(setns(fd, CLONE_NEWNS));
}

static int clone_namespace(void *unused)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | 17, NULL, NULL, NULL, NULL);

	(void)unused;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int clone_namespace_high_bits(void *unused)
{
	long pid = syscall(SYS_clone, 0xffffffff00000000UL | CLONE_NEWUSER | 17, NULL, NULL, NULL,
			   NULL);

	(void)unused;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int unshare_high_bits(void *unused)
{
	(void)unused;
	return outcome(syscall(SYS_unshare, 0xffffffff00000000UL | CLONE_NEWUSER));
}

static int clone3_namespace(void *unused)
{
	struct {
		__u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = { .flags = CLONE_NEWUSER, .exit_signal = 17 };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	(void)unused;
	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int mount_namespace_alone(void *unused)
{
	(void)unused;
	return outcome(unshare(CLONE_NEWNS));
}

static struct {
	const char *name;
	int (*fn)(void *);
	bool is_plain;
} ways[] = {
	{ "bind mount", bind_mount, false },
	{ "open_tree CLONE", clone_tree, false },
	{ "open_tree and /proc/self/fd", plain_tree, true },
	{ "overlay", overlay, false },
	{ "chroot", new_root, false },
	{ "pivot_root", pivot, false },
	{ "fsopen tmpfs, move_mount", new_filesystem, false },
	{ "mount_setattr", mount_attributes, false },
	{ "remount", remount_writable, false },
	{ "setns to the parent's mounts", enter_namespace, true },
	{ "clone(CLONE_NEWUSER)", clone_namespace, true },
	{ "clone with high bits", clone_namespace_high_bits, true },
	{ "unshare with high bits", unshare_high_bits, true },
	{ "clone3(CLONE_NEWUSER)", clone3_namespace, true },
	{ "unshare(CLONE_NEWNS)", mount_namespace_alone, true },
};

void technique(void)
{
	target = in("%s/fs-16", work);
	mkdir(target, 0755);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		must_fail(in_child(ways[i].fn, NULL), "%s", ways[i].name);
		if (!ways[i].is_plain)
			must_fail(in_child(ways[i].fn, ways), "%s in namespaces of one's own",
				  ways[i].name);
	}
	rmdir(target);
	must_work(has_content(open(allowed, O_RDONLY), "public"), "reading what is permitted");
}
