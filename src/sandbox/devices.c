#include "sandbox/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/mount-api.h"

/* Device nodes can't be made in a user namespace, so the host's are mounted one by one. */
static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[DEVICES_COUNT] = {
	{ "null", 1, 3 },   { "zero", 1, 5 },	 { "full", 1, 7 },
	{ "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 },
};

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },	 { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },
};

static int take_node(size_t i)
{
	char path[32];
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	(void)snprintf(path, sizeof(path), "/dev/%s", nodes[i].name);
	fd = mount_clone(AT_FDCWD, path);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor))
		return -ENODEV;
	/* Read-only, else a container of root's could chmod the host's node. Devices are written
	 * regardless. */
	r = mount_protect(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0);
	return r < 0 ? r : TAKE_FD(fd);
}

int devices_take(struct devices *d, struct err *err)
{
	for (size_t i = 0; i < DEVICES_COUNT; i++) {
		d->fds[i] = take_node(i);
		if (d->fds[i] < 0)
			return err_set(err, d->fds[i], "take the host's /dev/%s", nodes[i].name);
	}
	return 0;
}

static int fill(int dev_fd)
{
	for (size_t i = 0; i < DEVICES_COUNT; i++) {
		int fd = openat(dev_fd, nodes[i].name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				0644);

		if (fd < 0)
			return -errno;
		fd_close(fd);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, dev_fd, links[i].name) < 0)
			return -errno;
	if (mkdirat(dev_fd, "pts", 0755) < 0 || mkdirat(dev_fd, "shm", 0755) < 0 ||
	    mkdirat(dev_fd, "mqueue", 0755) < 0)
		return -errno;
	return 0;
}

static int attach_new(const char *type, const struct mount_option *options, const char *path)
{
	_cleanup_close_ int fd = mount_new(type, options,
					   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC |
						   (strcmp(type, "devpts") ? MOUNT_ATTR_NODEV : 0));

	return fd < 0 ? fd : mount_attach(fd, path);
}

static int mount_dev(const struct devices *d)
{
	static const struct mount_option dev[] = { { "mode", "0755" }, { NULL, NULL } };
	static const struct mount_option shm[] = { { "mode", "1777" }, { NULL, NULL } };
	static const struct mount_option pts[] = { { "mode", "0620" },
						   { "ptmxmode", "0666" },
						   { NULL, NULL } };
	_cleanup_close_ int dev_fd = mount_new("tmpfs", dev, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	int r = dev_fd < 0 ? dev_fd : fill(dev_fd);

	if (r >= 0)
		r = mount_attach(dev_fd, "/dev");
	for (size_t i = 0; i < DEVICES_COUNT && r >= 0; i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "/dev/%s", nodes[i].name);
		r = mount_attach(d->fds[i], path);
	}
	if (r >= 0)
		r = attach_new("devpts", pts, "/dev/pts");
	if (r >= 0)
		r = attach_new("tmpfs", shm, "/dev/shm");
	if (r >= 0)
		r = attach_new("mqueue", NULL, DEVICES_QUEUES);
	if (r == -ENODEV) /* a kernel without POSIX message queues */
		r = 0;
	if (r >= 0)
		r = mount_protect(dev_fd, MOUNT_ATTR_RDONLY, 0);
	return r;
}

int devices_mount(const struct devices *d, struct err *err)
{
	int r = mount_dev(d);

	return r < 0 ? err_set(err, r, "mount the container's /dev") : 0;
}

void devices_done(struct devices *d)
{
	for (size_t i = 0; i < DEVICES_COUNT; i++) {
		cleanup_close(&d->fds[i]);
		d->fds[i] = -1;
	}
}
