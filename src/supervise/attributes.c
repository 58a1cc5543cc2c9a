/*
 * What belongs to a file beside its content: mode, owner, times, extended
 * attributes, flags, and truncation by path. Decided as FileSetAttributes on
 * the object. A descriptor opened for reading alone is enough for the kernel
 * to change some of these, so the calls on descriptors are governed as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/xattr.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "base/alloc.h"
#include "supervise/caller.h"
#include "supervise/canonical.h"
#include "supervise/decide.h"
#include "supervise/handlers.h"
#include "supervise/ioctls.h"
#include "supervise/memory.h"

/* A change, performed through the name of a descriptor of ours; returns as a system call does. */
struct change {
	int (*apply)(const char *path, int fd, const struct change *c);
	bool by_descriptor; /* on the caller's own descriptor: fd is that */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int64_t length;
	struct timespec times[2];
	bool has_times;
	char name[XATTR_NAME_MAX + 1];
	void *value;
	size_t value_len;
	int flags;
	unsigned int command;
	union {
		int flags;
		struct fsxattr fsx;
	} argument;
};

static int64_t decide_and_apply(struct worker *w, int fd, const struct stat *st,
				const struct change *c)
{
	struct canonical name;
	struct verdict v = { 0 };
	struct event e = { .kind = EVENT_FILE_ATTR,
			   .mode_bits = c->mode,
			   .has_mode_bits = c->mode };
	char number[16];
	int r = canonical_of(w->s, fd, st, w->name, sizeof(w->name), &name);
	bool may;

	if (r < 0)
		return r;
	if (!identity_allows_mode(w, fd, st, c->mode))
		return -EPERM;
	if (!name.is_nameless) {
		may = decide_path(w, POLICY_FILE_SET_ATTRIBUTES, name.path, S_ISDIR(st->st_mode),
				  false, &v);
		e.path = name.path;
		e.error = may ? 0 : EACCES;
		decide_record(w, &e, &v);
		if (!may)
			return -EACCES;
	}
	(void)snprintf(number, sizeof(number), "%d", fd);
	return c->apply(number, c->by_descriptor ? fd : -1, c) < 0 ? -errno : 0;
}

static int64_t change_path(struct worker *w, int dir_fd, uint64_t path, unsigned at_flags,
			   const struct change *c)
{
	_cleanup_place_ struct place p = PLACE_INIT;
	int r;

	if (at_flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = caller_resolve(w, dir_fd, path, at_flags,
			   at_flags & AT_SYMLINK_NOFOLLOW ? RESOLVE_LINK : RESOLVE_OBJECT, w->path,
			   &p);
	return r < 0 ? r : decide_and_apply(w, p.fd, &p.st, c);
}

static int64_t change_fd(struct worker *w, int caller_fd, struct change *c)
{
	_cleanup_close_ int fd = process_take_fd(w->process, caller_fd);
	struct stat st;

	if (fd < 0)
		return fd;
	if (!worker_is_call_valid(w))
		return -ESRCH;
	if (fstat(fd, &st) < 0)
		return -errno;
	c->by_descriptor = true;
	return decide_and_apply(w, fd, &st, c);
}

/* ---- truncate ---- */

static int apply_truncate(const char *path, int fd, const struct change *c)
{
	(void)fd;
	return truncate(path, c->length);
}

int64_t handle_truncate(struct worker *w, const uint64_t args[6])
{
	struct change c = { .apply = apply_truncate, .length = (int64_t)args[1] };

	return c.length < 0 ? -EINVAL : change_path(w, AT_FDCWD, args[0], 0, &c);
}

/* ---- mode ---- */

static int apply_chmod(const char *path, int fd, const struct change *c)
{
	return fd >= 0 ? fchmod(fd, c->mode) : chmod(path, c->mode);
}

static int64_t change_mode(struct worker *w, int dir_fd, uint64_t path, uint64_t mode,
			   uint64_t flags)
{
	struct change c = { .apply = apply_chmod, .mode = (mode_t)mode & 07777 };

	return change_path(w, dir_fd, path, (unsigned)flags, &c);
}

int64_t handle_chmod(struct worker *w, const uint64_t args[6])
{
	return change_mode(w, AT_FDCWD, args[0], args[1], 0);
}

int64_t handle_fchmodat(struct worker *w, const uint64_t args[6])
{
	return change_mode(w, (int)args[0], args[1], args[2], 0);
}

int64_t handle_fchmodat2(struct worker *w, const uint64_t args[6])
{
	return change_mode(w, (int)args[0], args[1], args[2], args[3]);
}

int64_t handle_fchmod(struct worker *w, const uint64_t args[6])
{
	struct change c = { .apply = apply_chmod, .mode = (mode_t)args[1] & 07777 };

	return change_fd(w, (int)args[0], &c);
}

/* ---- owner ---- */

static int apply_chown(const char *path, int fd, const struct change *c)
{
	return fd >= 0 ? fchown(fd, c->uid, c->gid) : chown(path, c->uid, c->gid);
}

static int64_t change_owner(struct worker *w, int dir_fd, uint64_t path, const uint64_t ids[2],
			    uint64_t flags)
{
	struct change c = { .apply = apply_chown, .uid = (uid_t)ids[0], .gid = (gid_t)ids[1] };

	return change_path(w, dir_fd, path, (unsigned)flags, &c);
}

int64_t handle_chown(struct worker *w, const uint64_t args[6])
{
	return change_owner(w, AT_FDCWD, args[0], args + 1, 0);
}

int64_t handle_lchown(struct worker *w, const uint64_t args[6])
{
	return change_owner(w, AT_FDCWD, args[0], args + 1, AT_SYMLINK_NOFOLLOW);
}

int64_t handle_fchownat(struct worker *w, const uint64_t args[6])
{
	return change_owner(w, (int)args[0], args[1], args + 2, args[4]);
}

int64_t handle_fchown(struct worker *w, const uint64_t args[6])
{
	struct change c = { .apply = apply_chown, .uid = (uid_t)args[1], .gid = (gid_t)args[2] };

	return change_fd(w, (int)args[0], &c);
}

/* ---- times ---- */

static int apply_times(const char *path, int fd, const struct change *c)
{
	const struct timespec *times = c->has_times ? c->times : NULL;

	return fd >= 0 ? futimens(fd, times) : utimensat(AT_FDCWD, path, times, 0);
}

static int64_t change_times(struct worker *w, int dir_fd, uint64_t path, uint64_t flags,
			    struct change *c)
{
	c->apply = apply_times;
	if (c->has_times && c->times[0].tv_nsec == UTIME_OMIT && c->times[1].tv_nsec == UTIME_OMIT)
		return 0; /* nothing is asked for, and the kernel does not even look */
	if (!path && dir_fd != AT_FDCWD)
		return flags ? -EINVAL : change_fd(w, dir_fd, c); /* futimens(3) */
	return change_path(w, dir_fd, path, (unsigned)flags, c);
}

int64_t handle_utimensat(struct worker *w, const uint64_t args[6])
{
	struct change c = { .has_times = args[2] };

	if (args[2] && memory_read((pid_t)w->call->pid, args[2], c.times, sizeof(c.times)) < 0)
		return -EFAULT;
	return change_times(w, (int)args[0], args[1], args[3], &c);
}

static int64_t change_times_us(struct worker *w, int dir_fd, uint64_t path, uint64_t address)
{
	struct change c = { .has_times = address };
	struct timeval times[2];

	if (address && memory_read((pid_t)w->call->pid, address, times, sizeof(times)) < 0)
		return -EFAULT;
	for (int i = 0; address && i < 2; i++) {
		if (times[i].tv_usec < 0 || times[i].tv_usec >= 1000000)
			return -EINVAL;
		c.times[i] = (struct timespec){ times[i].tv_sec, times[i].tv_usec * 1000 };
	}
	return change_times(w, dir_fd, path, 0, &c);
}

int64_t handle_utimes(struct worker *w, const uint64_t args[6])
{
	return change_times_us(w, AT_FDCWD, args[0], args[1]);
}

int64_t handle_futimesat(struct worker *w, const uint64_t args[6])
{
	return change_times_us(w, (int)args[0], args[1], args[2]);
}

int64_t handle_utime(struct worker *w, const uint64_t args[6])
{
	struct change c = { .has_times = args[1] };
	struct utimbuf times;

	if (args[1]) {
		if (memory_read((pid_t)w->call->pid, args[1], &times, sizeof(times)) < 0)
			return -EFAULT;
		c.times[0].tv_sec = times.actime;
		c.times[1].tv_sec = times.modtime;
	}
	return change_times(w, AT_FDCWD, args[0], 0, &c);
}

/* ---- extended attributes ---- */

static int apply_setxattr(const char *path, int fd, const struct change *c)
{
	return fd >= 0 ? fsetxattr(fd, c->name, c->value, c->value_len, c->flags)
		       : setxattr(path, c->name, c->value, c->value_len, c->flags);
}

static int apply_removexattr(const char *path, int fd, const struct change *c)
{
	return fd >= 0 ? fremovexattr(fd, c->name) : removexattr(path, c->name);
}

static int read_name(struct worker *w, uint64_t address, struct change *c)
{
	ssize_t n = memory_read_string((pid_t)w->call->pid, address, c->name, sizeof(c->name));

	if (n == -ENAMETOOLONG || n == 0)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

/* where: the path's address, or the descriptor. */
static int64_t set_xattr(struct worker *w, const uint64_t args[6], bool by_fd, unsigned at_flags)
{
	struct change c = { .apply = apply_setxattr, .value_len = args[3], .flags = (int)args[4] };
	_cleanup_free_ void *value = NULL;
	int r = read_name(w, args[1], &c);

	if (r < 0)
		return r;
	if (c.value_len > XATTR_SIZE_MAX)
		return -E2BIG;
	c.value = value = xcalloc(1, c.value_len + 1);
	r = memory_read((pid_t)w->call->pid, args[2], value, c.value_len);
	if (r < 0)
		return r;
	return by_fd ? change_fd(w, (int)args[0], &c)
		     : change_path(w, AT_FDCWD, args[0], at_flags, &c);
}

static int64_t remove_xattr(struct worker *w, const uint64_t args[6], bool by_fd, unsigned at_flags)
{
	struct change c = { .apply = apply_removexattr };
	int r = read_name(w, args[1], &c);

	if (r < 0)
		return r;
	return by_fd ? change_fd(w, (int)args[0], &c)
		     : change_path(w, AT_FDCWD, args[0], at_flags, &c);
}

int64_t handle_setxattr(struct worker *w, const uint64_t args[6])
{
	return set_xattr(w, args, /* by_fd = */ false, 0);
}

int64_t handle_lsetxattr(struct worker *w, const uint64_t args[6])
{
	return set_xattr(w, args, /* by_fd = */ false, AT_SYMLINK_NOFOLLOW);
}

int64_t handle_fsetxattr(struct worker *w, const uint64_t args[6])
{
	return set_xattr(w, args, /* by_fd = */ true, 0);
}

int64_t handle_removexattr(struct worker *w, const uint64_t args[6])
{
	return remove_xattr(w, args, /* by_fd = */ false, 0);
}

int64_t handle_lremovexattr(struct worker *w, const uint64_t args[6])
{
	return remove_xattr(w, args, /* by_fd = */ false, AT_SYMLINK_NOFOLLOW);
}

int64_t handle_fremovexattr(struct worker *w, const uint64_t args[6])
{
	return remove_xattr(w, args, /* by_fd = */ true, 0);
}

/* ---- ioctl ---- */

static int apply_ioctl(const char *path, int fd, const struct change *c)
{
	struct change copy = *c;

	(void)path;
	return ioctl(fd, c->command, &copy.argument);
}

static int64_t refuse_ioctl(struct worker *w, int error)
{
	struct event e = { .kind = EVENT_REFUSED,
			   .error = error,
			   .access = SPAN("ioctl"),
			   .message = SPAN("a terminal or file system command that is never "
					   "allowed in the container") };

	decide_note(w, &e, EVENT_DENY);
	return -error;
}

int64_t handle_ioctl(struct worker *w, const uint64_t args[6])
{
	struct change c = { .apply = apply_ioctl, .command = (unsigned int)args[1] };
	size_t len = 0;

	if (c.command == FS_IOC_SETFLAGS || c.command == FS_IOC_SETVERSION)
		len = sizeof(c.argument.flags);
	else if (c.command == FS_IOC_FSSETXATTR)
		len = sizeof(c.argument.fsx);
	else
		return refuse_ioctl(w, EPERM);
	if (memory_read((pid_t)w->call->pid, args[2], &c.argument, len) < 0)
		return -EFAULT;
	return change_fd(w, (int)args[0], &c);
}
