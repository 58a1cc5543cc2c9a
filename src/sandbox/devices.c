#include "sandbox/devices.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/mount-calls.h"

static const char *const names[DEVICES_N] = { "/dev/null",   "/dev/zero",    "/dev/full",
					      "/dev/random", "/dev/urandom", "/dev/tty" };

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },		{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },	{ "/dev/stderr", "/proc/self/fd/2" },
	{ "/dev/ptmx", "pts/ptmx" },
};

int devices_take(struct devices *d, struct err *err)
{
	for (size_t i = 0; i < DEVICES_N; i++) {
		d->fds[i] = mount_clone(names[i], /* recursive = */ false);
		if (d->fds[i] < 0)
			return err_set(err, d->fds[i], "%s", names[i]);
	}
	return 0;
}

static int place_nodes(struct devices *d)
{
	int r = 0;

	for (size_t i = 0; i < DEVICES_N && r >= 0; i++) {
		r = file_create(names[i], (struct span){ 0 });
		if (r >= 0)
			r = mount_place(d->fds[i], names[i]);
	}
	return r;
}

static int place_links(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlink(links[i].target, links[i].path) < 0)
			return -errno;
	return 0;
}

int devices_place(struct devices *d, struct err *err)
{
	int r = mount_new("tmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k");

	if (r >= 0)
		r = place_nodes(d);
	if (r >= 0)
		r = place_links();
	if (r >= 0 && (mkdir("/dev/pts", 0755) < 0 || mkdir("/dev/shm", 01777) < 0))
		r = -errno;
	if (r >= 0)
		r = mount_new("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	if (r >= 0)
		r = mount_new("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	return r < 0 ? err_set(err, r, "make /dev") : 0;
}

void devices_done(struct devices *d)
{
	for (size_t i = 0; i < DEVICES_N; i++)
		if (d->fds[i] >= 0)
			fd_close(TAKE_FD(d->fds[i]));
}
