/*
 * FS-07: change mode, owner, times, extended attributes and inode flags of what may only be read,
 * by name and by descriptor. Judged by what the object shows afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "escape.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

enum { N_WAYS = 26 };

static const char *const names[N_WAYS] = {
	"chmod",
	"fchmod, read-only",
	"fchmod through /proc/self/fd of an O_PATH",
	"fchmodat",
	"fchmodat2",
	"fchmodat2 AT_EMPTY_PATH on an O_PATH",
	"utimensat",
	"futimens, read-only",
	"utimensat AT_EMPTY_PATH on an O_PATH",
	"utime",
	"utimes",
	"futimesat",
	"utimensat to now",
	"setxattr",
	"lsetxattr",
	"fsetxattr, read-only",
	"setxattr through /proc/self/fd of an O_PATH",
	"setxattrat AT_EMPTY_PATH, read-only",
	"FS_IOC_SETFLAGS, read-only",
	"FS_IOC_FSSETXATTR, read-only",
	"file_setattr",
	"chown",
	"lchown",
	"fchown, read-only",
	"fchownat AT_EMPTY_PATH on an O_PATH",
	"FS_IOC_SETFLAGS with high bits, read-only",
};

static int set_flags(int fd, unsigned long command)
{
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return -1;
	flags |= FS_NODUMP_FL;
	return (int)syscall(SYS_ioctl, fd, command, &flags);
}

static int set_fsxattr(int fd)
{
	struct fsxattr x = { 0 };

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
		return -1;
	x.fsx_xflags |= FS_XFLAG_NODUMP;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x);
}

static int file_setattr(const char *path)
{
	struct {
		__u64 xflags;
		__u32 extsize, nextents, projid, cowextsize;
	} attributes = { .xflags = FS_XFLAG_NODUMP };

	return (int)syscall(SYS_file_setattr, AT_FDCWD, path, &attributes, sizeof(attributes), 0);
}

static int setxattrat(int fd)
{
	struct {
		__u64 value;
		__u32 size, flags;
	} args = { .value = (__u64)(unsigned long)"x", .size = 1 };

	return (int)syscall(SYS_setxattrat, fd, "", AT_EMPTY_PATH, "user.escape", &args,
			    sizeof(args));
}

static int by_descriptor(int way, int fd, int path_fd)
{
	struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };

	switch (way) {
	case 1:
		return fchmod(fd, 0777);
	case 2:
		return chmod(in("/proc/self/fd/%d", path_fd), 0777);
	case 5:
		return (int)syscall(SYS_fchmodat2, path_fd, "", 0777, AT_EMPTY_PATH);
	case 7:
		return futimens(fd, past);
	case 8:
		return utimensat(path_fd, "", past, AT_EMPTY_PATH);
	case 15:
		return fsetxattr(fd, "user.escape", "x", 1, 0);
	case 16:
		return setxattr(in("/proc/self/fd/%d", path_fd), "user.escape", "x", 1, 0);
	case 17:
		return setxattrat(fd);
	case 18:
		return set_flags(fd, FS_IOC_SETFLAGS);
	case 19:
		return set_fsxattr(fd);
	case 23:
		return fchown(fd, getuid(), getgid());
	case 24:
		return fchownat(path_fd, "", getuid(), getgid(), AT_EMPTY_PATH);
	default:
		return set_flags(fd, 0xdeadbeef00000000UL | FS_IOC_SETFLAGS);
	}
}

static int by_name(int way, const char *path)
{
	struct timespec past[2] = { { 1000, 0 }, { 1000, 0 } };
	struct timeval past_tv[2] = { { 1000, 0 }, { 1000, 0 } };
	struct utimbuf past_buf = { 1000, 1000 };

	switch (way) {
	case 0:
		return chmod(path, 0777);
	case 3:
		return (int)syscall(SYS_fchmodat, AT_FDCWD, path, 0777);
	case 4:
		return (int)syscall(SYS_fchmodat2, AT_FDCWD, path, 0777, AT_SYMLINK_NOFOLLOW);
	case 6:
		return utimensat(AT_FDCWD, path, past, 0);
	case 9:
		return utime(path, &past_buf);
	case 10:
		return utimes(path, past_tv);
	case 11:
		return futimesat(AT_FDCWD, path, past_tv);
	case 12:
		return utimensat(AT_FDCWD, path, NULL, 0);
	case 13:
		return setxattr(path, "user.escape", "x", 1, 0);
	case 14:
		return lsetxattr(path, "user.escape", "x", 1, 0);
	case 20:
		return file_setattr(path);
	case 21:
		return chown(path, getuid(), getgid());
	default:
		return lchown(path, getuid(), getgid());
	}
}

static bool wants_descriptor(int way)
{
	return strstr(names[way], "read-only") || strstr(names[way], "O_PATH");
}

/* Puts the object into a known state; what can't be put back was never changed. */
static void reset(const char *path)
{
	struct timespec then[2] = { { 5000, 0 }, { 5000, 0 } };
	int zero = 0, fd = open(path, O_RDONLY);

	chmod(path, 0644);
	utimensat(AT_FDCWD, path, then, 0);
	removexattr(path, "user.escape");
	if (fd >= 0) {
		ioctl(fd, FS_IOC_SETFLAGS, &zero);
		close(fd);
	}
}

struct state {
	mode_t mode;
	struct timespec mtime, ctime;
	ssize_t xattr;
};

static struct state look(const char *path)
{
	struct state s = { .xattr = getxattr(path, "user.escape", NULL, 0) };
	struct stat st;

	if (stat(path, &st) < 0)
		give_up("stat %s", path);
	s.mode = st.st_mode;
	s.mtime = st.st_mtim;
	s.ctime = st.st_ctim;
	return s;
}

static int change(int way, const char *path)
{
	struct state before, after;
	int result;

	reset(path);
	before = look(path);
	if (wants_descriptor(way)) {
		int fd = open(path, O_RDONLY), path_fd = open(path, O_PATH);

		result = outcome(by_descriptor(way, fd, path_fd));
		close(fd);
		close(path_fd);
	} else {
		result = outcome(by_name(way, path));
	}
	after = look(path);
	/* Everything that changes an inode shows in its change time. */
	if (before.mode != after.mode || memcmp(&before.mtime, &after.mtime, sizeof(after.mtime)) ||
	    memcmp(&before.ctime, &after.ctime, sizeof(after.ctime)) || before.xattr != after.xattr)
		return 0;
	return result;
}

void technique(void)
{
	const char *mine = in("%s/fs-07-%d", work, gettid());

	put(mine, "public");
	for (int i = 0; i < N_WAYS; i++) {
		int result;

		must_fail(change(i, denied), "%s", names[i]);
		result = change(i, mine);
		/* Calls younger than the kernel, and what a file system lacks. */
		if (result != -ENOSYS && result != -EOPNOTSUPP && result != -ENOTTY &&
		    !strstr(names[i], "FS_") && !strstr(names[i], "file_setattr"))
			must_work(result, "%s", names[i]);
	}
	unlink(mine);
}
