#include "cli/detach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cli/moment.h"
#include "daemon/attach.h"

struct leaving {
	const char *directory;
	int parent_fd; /* somebody waits there until the command is let go */
};

static int replace(int fd, const char *path, int flags)
{
	_cleanup_close_ int to = open(path, flags | O_CLOEXEC, 0600);

	return to < 0 || dup2(to, fd) < 0 ? -errno : 0;
}

/* What the caller has left open is not to be kept from its other readers and writers for hours. */
static void close_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		uint64_t fd;
		int flags;

		if (moment_parse_number(entry->d_name, INT32_MAX, &fd) < 0 || fd <= STDERR_FILENO)
			continue;
		flags = fcntl((int)fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			fd_close((int)fd);
	}
	if (dir)
		(void)closedir(dir);
}

/* What is said before that is for who has called; what comes later goes into a file. */
static int on_released(void *ctx)
{
	struct leaving *l = ctx;
	_cleanup_free_ char *log = path_join(l->directory, ATTACH_LOG);
	ssize_t n = send(l->parent_fd, "", 1, MSG_NOSIGNAL);

	fd_close(TAKE_FD(l->parent_fd));
	if (n != 1)
		return -EPIPE;
	return replace(STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
}

static int run(struct session_options *o, int parent_fd, struct err *err)
{
	struct leaving leaving = { .directory = o->directory, .parent_fd = parent_fd };
	int r, code;

	close_inherited();
	o->on_released = on_released;
	o->on_released_ctx = &leaving;
	r = setsid() < 0 ? -errno : replace(STDIN_FILENO, "/dev/null", O_RDWR);
	if (r >= 0)
		r = replace(STDOUT_FILENO, "/dev/null", O_RDWR);
	if (r < 0) {
		(void)err_set(err, r, "leave the terminal");
		code = EXIT_LEASH_FAILED;
	} else {
		code = session_run(o, err);
	}
	cleanup_close(&leaving.parent_fd);
	return code;
}

/* 0 once the command is let go; else the session's own exit code, which has said why. */
static int wait_for(const struct session_options *o, pid_t pid, int fd, struct err *err)
{
	ssize_t n;
	int status;
	char c;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return printf("%s\n", o->id) < 0 || fflush(stdout) != 0 ? EXIT_LEASH_FAILED : 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			(void)err_set(err, -errno, "wait for the session");
			return EXIT_LEASH_FAILED;
		}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_LEASH_FAILED;
}

int detach_run(struct session_options *o, struct err *err)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		(void)err_set(err, -errno, "socketpair");
		return EXIT_LEASH_FAILED;
	}
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0) {
		(void)err_set(err, -errno, "fork");
		return EXIT_LEASH_FAILED;
	}
	if (pid == 0) {
		fd_close(TAKE_FD(ours));
		return run(o, TAKE_FD(theirs), err);
	}
	fd_close(TAKE_FD(theirs));
	return wait_for(o, pid, ours, err);
}
