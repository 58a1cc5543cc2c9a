/*
 * Executing programs: what is permitted runs, what is not fails with EACCES,
 * by every way that a program can be named.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"

static const char policy[] =
	"permit (principal, action in Action::\"FileOpen\", resource);"
	"permit (principal, action == Action::\"ProcessExec\", resource);"
	"forbid (principal, action == Action::\"ProcessExec\", resource in Dir::\"${DIR}/no/\");"
	"forbid (principal, action == Action::\"ProcessExec\", resource == File::\"memfd:\");"
	"forbid (principal, action == Action::\"ProcessExec\", resource) when { "
	"context.argv.contains(\"--evil\") };";

static char *const no_env[] = { NULL };

/* Runs a program in a child: its status, or 200 + errno where exec failed. */
static int run(const char *path, char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve(path, argv, no_env);
		_exit(200 + errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define ARGS(...) ((char *[]){ __VA_ARGS__, NULL })
#define S(text) ((char[]){ text })
#define DENIED (200 + EACCES)

static char *word(const char *s)
{
	return strdup(s);
}

static int programs(void)
{
	char *yes = word(at("yes/true")), *no = word(at("no/true"));

	CHECK(run(yes, ARGS(yes)) == 0);
	CHECK(run("/bin/false", ARGS(S("false"))) == 1);
	CHECK(run(no, ARGS(no)) == DENIED);
	CHECK(run(at("yes/link"), ARGS(S("x"))) == DENIED);
	CHECK(run(at("no/../no/true"), ARGS(S("/bin/true"))) == DENIED);
	CHECK(run(at("yes/absent"), ARGS(S("x"))) == 200 + ENOENT);
	CHECK(run(at("yes"), ARGS(S("x"))) == DENIED);
	CHECK(run(at("yes/not-executable"), ARGS(S("x"))) == DENIED);
	CHECK(run(at("yes/garbage"), ARGS(S("x"))) == 200 + ENOEXEC);
	CHECK(run(yes, (char *[]){ NULL }) == 0);
	return 0;
}

static void test_programs(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(programs);
	assert_true(harness_has_event(EVENT_PROC_EXEC, EVENT_DENY, at("no/true")));
}

static int scripts(void)
{
	char *yes = word(at("yes/script")), *no = word(at("no/script"));

	CHECK(run(yes, ARGS(yes, S("a"), S("b"))) == 7);
	CHECK(run(no, ARGS(no)) == DENIED);
	CHECK(run(at("yes/bad-interpreter"), ARGS(S("x"))) == DENIED);
	CHECK(run(at("yes/nested"), ARGS(S("x"))) == 7);
	CHECK(run(at("yes/nested-bad"), ARGS(S("x"))) == DENIED);
	CHECK(chdir(at("yes")) == 0);
	CHECK(run("./script", ARGS(S("x"))) == 7);
	CHECK(run("script", ARGS(S("x"))) == 7);
	return 0;
}

static void test_scripts(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(scripts);
	assert_true(harness_has_event(EVENT_PROC_EXEC, EVENT_ALLOW, at("yes/script")));
}

static int run_fd(int fd, const char *path, int flags)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char *argv[] = { S("x"), NULL };

		syscall(SYS_execveat, fd, path, argv, no_env, flags);
		_exit(200 + errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int copy_to(int out, const char *from)
{
	char block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (in >= 0 && (n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			return -1;
	return in < 0 ? -1 : close(in);
}

static int by_descriptor(void)
{
	int yes = open(at("yes/true"), O_RDONLY | O_CLOEXEC);
	int no = open(at("no/true"), O_RDONLY | O_CLOEXEC);
	int dir = open(harness_dir, O_PATH | O_CLOEXEC);
	int script = open(at("yes/script"), O_RDONLY);
	int memory = memfd_create("program", MFD_CLOEXEC);
	char path[64];

	CHECK(yes >= 0 && no >= 0 && dir >= 0 && script >= 0 && memory >= 0);
	CHECK(run_fd(yes, "", AT_EMPTY_PATH) == 0);
	CHECK(run_fd(no, "", AT_EMPTY_PATH) == DENIED);
	CHECK(run_fd(dir, "yes/true", 0) == 0);
	CHECK(run_fd(dir, "no/true", 0) == DENIED);
	CHECK(run_fd(dir, "yes/script", 0) == 127 || run_fd(dir, "yes/script", 0) == 200 + ENOENT);
	CHECK(run_fd(script, "", AT_EMPTY_PATH) == 7);
	CHECK(run_fd(dir, "yes/link", AT_SYMLINK_NOFOLLOW) == 200 + ELOOP);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", no);
	CHECK(run(path, ARGS(S("x"))) == DENIED);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", yes);
	CHECK(run(path, ARGS(S("x"))) == 0);
	CHECK(copy_to(memory, "/bin/true") == 0);
	CHECK(run_fd(memory, "", AT_EMPTY_PATH) == DENIED);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	CHECK(run(path, ARGS(S("x"))) == DENIED);
	return 0;
}

static void test_by_descriptor(void **state)
{
	(void)state;
	assert_inside(by_descriptor);
}

static int arguments(void)
{
	CHECK(run("/bin/true", ARGS(S("true"), S("--good"))) == 0);
	CHECK(run("/bin/true", ARGS(S("true"), S("--evil"))) == DENIED);
	CHECK(run(at("yes/script"), ARGS(S("s"), S("--evil"))) == DENIED);
	return 0;
}

static void test_arguments(void **state)
{
	struct seen seen[64];
	size_t n;
	bool is_seen = false;

	(void)state;
	harness_forget_events();
	assert_inside(arguments);
	n = harness_events(seen, ARRAY_SIZE(seen));
	for (size_t i = 0; i < n; i++)
		if (seen[i].kind == EVENT_PROC_EXEC &&
		    strncmp(seen[i].argv, "true --good", 11) == 0)
			is_seen = true;
	assert_true(is_seen);
}

static int loader(void)
{
	const char *ld = "/lib64/ld-linux-x86-64.so.2";
	char *no = word(at("no/true")), *yes = word(at("yes/true"));

	if (access(ld, X_OK) < 0)
		return 0;
	CHECK(run(ld, ARGS(S("ld"), yes)) == 0);
	CHECK(run(ld, ARGS(S("ld"), no)) == DENIED);
	CHECK(run(ld, ARGS(S("ld"), S("--argv0"), S("x"), no)) == DENIED);
	/* an option that we do not know: seen when the loader opens the file */
	CHECK(run(at("yes/ld"), ARGS(S("ld"), no)) == DENIED);
	return 0;
}

static void test_loader(void **state)
{
	(void)state;
	assert_inside(loader);
}

static void *exec_in_thread(void *arg)
{
	char *argv[] = { S("sh"), S("-c"), S("exit 5"), NULL };

	execve("/bin/sh", argv, no_env);
	(void)arg;
	return NULL;
}

static int exec_of_thread(void)
{
	pthread_t t;

	(void)pthread_create(&t, NULL, exec_in_thread, NULL);
	for (;;)
		pause();
	return 0;
}

static int vfork_and_spawn(void)
{
	char *argv[] = { S("sh"), S("-c"), S("exit 6"), NULL };
	pid_t pid;
	int status;

	CHECK(inside_fork(exec_of_thread) == 5);
	for (int i = 0; i < 50; i++) {
		CHECK(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, no_env) == 0);
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
	}
	CHECK(posix_spawn(&pid, at("no/true"), NULL, NULL, argv, no_env) == EACCES);
	return 0;
}

static void test_threads(void **state)
{
	(void)state;
	assert_inside(vfork_and_spawn);
}

/* ---- races ---- */

static char racing_path[256], *racing_argv1;
static volatile bool is_racing;

static void *swap_path(void *arg)
{
	(void)arg;
	for (unsigned i = 0; is_racing; i++) {
		/* one byte makes the difference, so the path is always whole */
		racing_path[strlen(racing_path) - 1] = i & 1 ? '1' : '0';
		sched_yield();
	}
	return NULL;
}

static void *swap_argument(void *arg)
{
	(void)arg;
	for (unsigned i = 0; is_racing; i++)
		memcpy(racing_argv1, i & 1 ? "--evil" : "--good", 6);
	return NULL;
}

/* A child with a thread that changes what is executed while it is. The status tells what ran. */
static int race_once(void *(*swap)(void *), const char *path, char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pthread_t t;

		is_racing = true;
		(void)pthread_create(&t, NULL, swap, NULL);
		sched_yield();
		execve(path, argv, no_env);
		_exit(100);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int rounds(void)
{
	const char *long_form = secure_getenv("LEASH_TEST_ROUNDS");

	return long_form ? atoi(long_form) : 300;
}

static int race_path(void)
{
	int n_ran = 0;

	/* prog0 is permitted and exits with 10, prog1 is not and would exit with 11 */
	(void)snprintf(racing_path, sizeof(racing_path), "%s", at("race/prog0"));
	for (int i = 0; i < rounds(); i++) {
		int status = race_once(swap_path, racing_path, ARGS(S("x")));

		CHECK(status == 10 || status == 100 || status == 128 + SIGKILL);
		n_ran += status == 10;
	}
	CHECK(n_ran > 0);
	return 0;
}

static int race_image(void)
{
	int n_ran = 0;

	/* copies of true and false */
	(void)snprintf(racing_path, sizeof(racing_path), "%s", at("race/image0"));
	for (int i = 0; i < rounds(); i++) {
		int status = race_once(swap_path, racing_path, ARGS(S("x")));

		CHECK(status == 0 || status == 100 || status == 128 + SIGKILL);
		n_ran += status == 0;
	}
	CHECK(n_ran > 0);
	return 0;
}

static int race_argument(void)
{
	int n_ran = 0;

	racing_argv1 = word("--good");
	for (int i = 0; i < rounds(); i++) {
		/* exits with 1 if it sees --evil */
		int status =
			race_once(swap_argument, at("race/check"), ARGS(S("check"), racing_argv1));

		CHECK(status == 0 || status == 100 || status == 128 + SIGKILL);
		n_ran += status == 0;
	}
	CHECK(n_ran > 0);
	return 0;
}

static void test_race_path(void **state)
{
	(void)state;
	harness_policy("permit (principal, action, resource);"
		       "forbid (principal, action == Action::\"ProcessExec\", resource == "
		       "File::\"${DIR}/race/prog1\");"
		       "forbid (principal, action == Action::\"ProcessExec\", resource == "
		       "File::\"${DIR}/race/image1\");");
	assert_inside(race_path);
	assert_inside(race_image);
	harness_forget_events();
}

static void test_race_argument(void **state)
{
	(void)state;
	harness_policy(policy);
	assert_inside(race_argument);
	harness_forget_events();
}

/* A tracer inside has the task already: under a policy that restricts exec, it may execute nothing. */
static int traced(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char *argv[] = { S("sh"), S("-c"), S("exit 9"), NULL };

		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execve("/bin/sh", argv, no_env);
		_exit(100);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		CHECK(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 100);
	return 0;
}

static void test_traced(void **state)
{
	(void)state;
	assert_inside(traced);
}

static void install(const char *name, const char *from)
{
	char *argv[] = { S("cp"), word(from), word(at(name)), NULL };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execv("/bin/cp", argv);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		exit(1);
}

static void script(const char *name, const char *interpreter, const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "#!%s\n%s\n", interpreter, body);
	put(name, text, 0755);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),      cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_by_descriptor), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_loader),	      cmocka_unit_test(test_threads),
		cmocka_unit_test(test_traced),	      cmocka_unit_test(test_race_argument),
		cmocka_unit_test(test_race_path),
	};
	int r;

	harness_start(policy);
	put_dir("yes");
	put_dir("no");
	put_dir("race");
	install("yes/true", "/bin/true");
	install("no/true", "/bin/true");
	if (access("/lib64/ld-linux-x86-64.so.2", X_OK) == 0)
		install("yes/ld", "/lib64/ld-linux-x86-64.so.2");
	assert_int_equal(symlink("../no/true", at("yes/link")), 0);
	install("race/image0", "/bin/true");
	install("race/image1", "/bin/false");
	put("yes/not-executable", "#!/bin/sh\n", 0644);
	put("yes/garbage", "this is no program at all, not by any means\n", 0755);
	script("yes/script", "/bin/sh", "exit 7");
	script("no/script", "/bin/sh", "exit 7");
	script("yes/bad-interpreter", at("no/true"), "");
	script("yes/nested", at("yes/script"), "");
	script("yes/nested-bad", at("yes/bad-interpreter"), "");
	script("race/prog0", "/bin/sh", "exit 10");
	script("race/prog1", "/bin/sh", "exit 11");
	script("race/check", "/bin/sh", "test \"$1\" != --evil");
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
