/*
 * Widening what is writable at mount level while a container runs: a short-lived
 * process joins the container's namespaces and lays a writable mount of the
 * directory over the read-only one. The policy still decides each write.
 */
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/mount-calls.h"
#include "sandbox/sandbox.h"

/* In the child; the exit status is the errno. */
static int widen(const struct sandbox *s, const char *path)
{
	_cleanup_close_ int tree = -1;

	int r;

	if (setns(s->namespace_fds[0], CLONE_NEWUSER) < 0 || setns(s->namespace_fds[1], CLONE_NEWNS) < 0)
		return errno;
	tree = mount_clone(path, /* recursive = */ true);
	if (tree < 0)
		return -tree;
	/* What is mounted below keeps its own flags. */
	r = mount_change(tree, 0, MOUNT_ATTR_RDONLY, /* recursive = */ false);
	return -(r < 0 ? r : mount_place(tree, path));
}

int sandbox_make_writable(struct sandbox *s, const char *path, struct err *err)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return err_set(err, -errno, "make %s writable", path);
	if (pid == 0)
		_exit(widen(s, path));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, -errno, "make %s writable", path);
	if (!WIFEXITED(status))
		return err_say(err, -ECHILD, "make %s writable: the helper process died", path);
	/* A directory that does not exist has nothing to be written in yet. */
	if (WEXITSTATUS(status) == ENOENT || WEXITSTATUS(status) == ENOTDIR)
		return 0;
	return WEXITSTATUS(status) ? err_set(err, -WEXITSTATUS(status), "make %s writable", path) : 0;
}
