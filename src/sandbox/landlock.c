#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/devices.h"

/* Our own copy of the kernel's structure and numbers; distributions' headers know fewer. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
#define RULE_PATH_BENEATH 1

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* What each version brought. */
static const struct ruleset brought[] = {
	{ .fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
		LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM },
	{ .fs = FS_REFER },
	{ .fs = FS_TRUNCATE },
	{ .net = NET_BIND_TCP | NET_CONNECT_TCP },
	{ .fs = FS_IOCTL_DEV },
	{ .scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL },
};

int landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version < 0 ? 0 : (int)version;
}

/*
 * mq_open(3) is no open of a path, so nobody can do it for the command: the
 * queues, which are the container's own, may be written.
 */
static int allow_queues(int ruleset_fd)
{
	_cleanup_close_ int fd = open(DEVICES_QUEUES, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct path_rule rule = { LANDLOCK_ACCESS_FS_WRITE_FILE, fd };

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno
											   : 0;
}

int landlock_confine(struct err *err)
{
	struct ruleset handled = { 0 };
	size_t version = (size_t)landlock_version();
	_cleanup_close_ int fd = -1;
	int r;

	if (version == 0)
		return 0;
	for (size_t i = 0; i < MIN(version, ARRAY_SIZE(brought)); i++) {
		handled.fs |= brought[i].fs;
		handled.net |= brought[i].net;
		handled.scoped |= brought[i].scoped;
	}
	/* Fields that the kernel does not know are zero here, which it accepts. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (fd < 0)
		return err_set(err, -errno, "make the command's Landlock rules");
	r = allow_queues(fd);
	if (r < 0)
		return err_set(err, r, "allow the container's message queues");
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_set(err, -errno, "put the command's Landlock rules in force");
	return 0;
}
