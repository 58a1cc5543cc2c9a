#include "cli/detach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cli/moment.h"
#include "daemon/attach.h"
#include "event/session.h"

static int replace(int fd, const char *path, int flags)
{
	_cleanup_close_ int to = open(path, flags | O_CLOEXEC, 0600);

	return to < 0 || dup2(to, fd) < 0 ? -errno : 0;
}

/* What the caller has left open is not to be kept from its other readers and writers for hours. */
static void close_inherited(void)
{
	DIR *dir = opendir("/dev/fd");
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

/* One who is gone is an error, and not our end. */
static int tell(int fd, const char *id)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	int r = sigaction(SIGPIPE, &ignore, &before) < 0 ? -errno : 0;

	if (r < 0)
		return r;
	r = fd_write_all(fd, id, strlen(id));
	(void)sigaction(SIGPIPE, &before, NULL);
	return r;
}

/* What is said before that is for who has called; what comes later goes into a file. */
static int on_released(void *ctx)
{
	struct detach *d = ctx;
	_cleanup_free_ char *log = path_join(d->directory, ATTACH_LOG);
	int r = tell(d->caller_fd, d->id);

	fd_close(TAKE_FD(d->caller_fd));
	if (r < 0)
		return r;
	return replace(STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
}

int detach_leave(struct detach *d, struct session_options *o, struct err *err)
{
	int r = setsid() < 0 ? -errno : replace(STDIN_FILENO, "/dev/null", O_RDWR);

	if (r >= 0)
		r = replace(STDOUT_FILENO, "/dev/null", O_RDWR);
	if (r < 0)
		return err_set(err, r, "leave the terminal");
	close_inherited();
	d->id = o->id;
	d->directory = o->directory;
	o->on_released = on_released;
	o->on_released_ctx = d;
	return 0;
}

/* 0 once the command is let go; else the session's own exit code, which has said why. */
static int wait_for(pid_t pid, int fd, struct err *err)
{
	char id[EVENT_SESSION_ID_LEN + 1] = "";
	ssize_t n;
	int status;

	do
		n = read(fd, id, EVENT_SESSION_ID_LEN);
	while (n < 0 && errno == EINTR);
	if (n == EVENT_SESSION_ID_LEN)
		return printf("%s\n", id) < 0 || fflush(stdout) != 0 ? EXIT_LEASH_FAILED : 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			(void)err_set(err, -errno, "wait for the session");
			return EXIT_LEASH_FAILED;
		}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool detach_begin(struct detach *d, int *ret_code, struct err *err)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2];
	pid_t pid = -1;

	*ret_code = EXIT_LEASH_FAILED;
	if (pipe2(pair, O_CLOEXEC) < 0) {
		(void)err_set(err, -errno, "make a pipe");
		return false;
	}
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid == 0) {
		d->caller_fd = TAKE_FD(theirs);
		return true;
	}
	if (pid < 0) {
		(void)err_set(err, -errno, "fork");
		return false;
	}
	fd_close(TAKE_FD(theirs));
	*ret_code = wait_for(pid, ours, err);
	return false;
}
