/*
 * Widening what is writable at mount level while a container runs: a short-lived
 * process joins the container's namespaces and lays a writable mount of the
 * directory over the read-only one. The policy still decides each write.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sandbox/sandbox.h"

/* In the child; the exit status is the errno. */
static int widen(int init_pidfd, const char *path)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int tree = -1;

	if (setns(init_pidfd, CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	/* Not recursive: what is mounted below keeps its own flags (a read-only /proc stays so). */
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return errno;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return errno;
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return errno;
	return 0;
}

int sandbox_make_writable(struct sandbox *s, const char *path, struct err *err)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_set(err, -errno, "make %s writable", path);
	if (pid == 0)
		_exit(widen(s->init_pidfd, path));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "make %s writable", path);
	if (!WIFEXITED(status))
		return err_say(err, -ECHILD, "make %s writable: the helper process died", path);
	/* A directory that does not exist has nothing to be written in yet. */
	if (WEXITSTATUS(status) == ENOENT || WEXITSTATUS(status) == ENOTDIR)
		return 0;
	return WEXITSTATUS(status) ? err_set(err, -WEXITSTATUS(status), "make %s writable", path)
				   : 0;
}
