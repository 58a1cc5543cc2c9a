#include "harness.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define TEST_UID 54321
#define TIMEOUT_MS 10000

static char dir[256];
static char program[] = "/bin/sh";
static char dash_c[] = "-c";
static char *arguments[4];
static char *environment[] = { (char[]){ "PATH=/usr/local/bin:/usr/bin:/bin" },
			       (char[]){ "LC_ALL=C" }, NULL };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_dir(const char *base)
{
	(void)snprintf(dir, sizeof(dir), "%s/leash-test-XXXXXX", base);
	if (!mkdtemp(dir)) {
		perror(dir);
		exit(1);
	}
}

/* A program executed anew, as a user's programs are: after setuid alone its /proc files are root's.
 */
static void become_user(char **argv)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *args[] = { argv[0], (char[]){ "child" }, dir, NULL };

	if (fd < 0 || setgroups(0, NULL) < 0 || setresgid(TEST_UID, TEST_UID, TEST_UID) < 0 ||
	    setresuid(TEST_UID, TEST_UID, TEST_UID) < 0 || chdir("/") < 0)
		exit(1);
	(void)execveat(fd, "", args, environ, AT_EMPTY_PATH);
	exit(1);
}

int harness_start(int argc, char **argv)
{
	bool wants_user = argc > 1 && strcmp(argv[1], "user") == 0;
	int status;
	pid_t pid;

	if (argc > 2 && strcmp(argv[1], "child") == 0) {
		(void)snprintf(dir, sizeof(dir), "%s", argv[2]);
		return -1;
	}
	if (geteuid() != 0) {
		make_dir(secure_getenv("HOME"));
		(void)atexit(remove_dir);
		return -1;
	}
	make_dir("/home");
	(void)atexit(remove_dir);
	if (!wants_user)
		return -1;
	if (chown(dir, TEST_UID, TEST_UID) < 0)
		return 1;
	pid = fork();
	if (pid == 0)
		become_user(argv);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

const char *harness_dir(void)
{
	return dir;
}

struct sandbox_options harness_options(const char *script)
{
	arguments[0] = program;
	arguments[1] = dash_c;
	arguments[2] = (char *)(uintptr_t)script;
	return (struct sandbox_options){ .program = program,
					 .argv = arguments,
					 .envp = environment,
					 .cwd = "/",
					 .workspace = dir,
					 .home = dir,
					 .hostname = "inside",
					 .stdio_fds = { 0, 1, 2 },
					 .resolv_conf = SPAN("nameserver 127.0.0.53\n") };
}

struct sandbox harness_begin(struct sandbox_options o)
{
	struct sandbox s = SANDBOX_INIT;
	struct err err = { 0 };

	if (sandbox_start(&o, &s, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < o.n_files; i++) {
		assert_int_equal(fd_write_all(s.file_fds[i], "written\n", 8), 0);
		fd_close(s.file_fds[i]);
		s.file_fds[i] = -1;
	}
	assert_int_equal(sandbox_release(&s), 0);
	return s;
}

struct sandbox_event harness_event(struct sandbox *s)
{
	struct sandbox_event e = { 0 };
	struct pollfd fd = { .fd = s->control_fd, .events = POLLIN };

	assert_int_equal(poll(&fd, 1, TIMEOUT_MS), 1);
	assert_int_equal(sandbox_next_event(s, &e), 1);
	return e;
}

static void read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = 0;
}

struct outcome harness_run(struct sandbox_options o)
{
	struct outcome ret = { .status = -1 };
	struct sandbox_event e;
	struct sandbox s;
	int fds[2], null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(null_fd >= 0);
	o.stdio_fds[0] = null_fd;
	o.stdio_fds[1] = o.stdio_fds[2] = fds[1];
	s = harness_begin(o);
	assert_int_equal(close(fds[1]), 0);
	if (o.want_pty) {
		read_all(s.pty_fd, ret.output, sizeof(ret.output));
	} else {
		read_all(fds[0], ret.output, sizeof(ret.output));
	}
	e = harness_event(&s);
	if (e.type == SANDBOX_FAILED)
		ret.error = e.status;
	else
		ret.status = e.status;
	sandbox_done(&s);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(null_fd), 0);
	return ret;
}

const char *harness_output(struct sandbox_options o)
{
	static struct outcome outcome;

	outcome = harness_run(o);
	if (outcome.status != 0)
		fail_msg("status %d: %s", outcome.status, outcome.output);
	return outcome.output;
}

int harness_inside(const struct sandbox *s, int namespaces, int (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setns(s->init_pidfd, namespaces) < 0)
			_exit(200);
		_exit(fn(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool harness_is_gone(int pidfd)
{
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	return poll(&fd, 1, TIMEOUT_MS) == 1;
}
