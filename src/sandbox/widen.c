/*
 * sandbox_make_writable: a child joins the container's user and mount
 * namespaces, where it may change mounts, and lays a writable copy of the
 * directory's mount over the read-only one.
 */
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "sandbox/mount-api.h"
#include "sandbox/mounts.h"
#include "sandbox/sandbox.h"

static int set_writable(int dir_fd, const char *path, unsigned int flags)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	return mount_result(syscall(SYS_mount_setattr, dir_fd, path, flags, &attr, sizeof(attr)));
}

/*
 * The copy has everything that is mounted below, which keeps its own flags:
 * what was hidden stays hidden, what was mounted read-only stays so.
 */
static int widen(const char *path)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (strcmp(path, "/") == 0)
		return set_writable(AT_FDCWD, path, 0);
	fd = mount_clone(AT_FDCWD, path);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	r = set_writable(fd, "", AT_EMPTY_PATH);
	return r < 0 ? r : mount_attach(fd, path);
}

_noreturn_ static void join_and_widen(int init_pidfd, const char *path)
{
	int r = setns(init_pidfd, CLONE_NEWUSER | CLONE_NEWNS) < 0 ? -errno : widen(path);

	_exit(-r); /* error numbers are below 256 */
}

int sandbox_make_writable(struct sandbox *s, const char *path, struct err *err)
{
	_cleanup_free_ char *real = path_resolve(path);
	int status;
	pid_t pid;

	if (!real)
		return err_set(err, -errno, "resolve %s", path);
	/* What the container has for itself is writable already, or never will be. */
	if (mounts_is_private(real))
		return 0;
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "start a process to change the container's mounts");
	if (pid == 0)
		join_and_widen(s->init_pidfd, real);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "wait for the process that changes mounts");
	if (!WIFEXITED(status))
		return err_say(err, -ECHILD,
			       "the process that changes the container's mounts died");
	if (WEXITSTATUS(status))
		return err_set(err, -WEXITSTATUS(status), "make %s writable in the container",
			       real);
	return 0;
}
