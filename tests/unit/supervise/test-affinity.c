/*
 * The processors that a program may use stay its own: the supervisor may hold a
 * caller on one while it answers, but nobody gets to see that.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"

#define OPENS 2000
#define PROGRAMS 300
#define NOT_EXECUTED 250

static const char policy[] = "permit (principal, action, resource);";

static cpu_set_t every, last; /* all processors, and the last of them alone */
static const cpu_set_t *mask; /* of the function that runs inside */
static char self[512];
static bool has_static; /* a static program beside */

static bool has_mask(void)
{
	cpu_set_t now;

	return sched_getaffinity(0, sizeof(now), &now) == 0 && CPU_EQUAL(&now, mask);
}

static int open_once(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	close(fd);
	return has_mask() ? 0 : -2;
}

static void *open_in_thread(void *arg)
{
	for (int i = 0; i < OPENS; i++)
		if (open_once("/etc/passwd", O_RDONLY) < 0)
			return arg;
	return NULL;
}

static int opens(void)
{
	char name[64];
	pthread_t t;
	void *failed;

	(void)snprintf(name, sizeof(name), "%s", at("written"));
	CHECK(sched_setaffinity(0, sizeof(*mask), mask) == 0);
	CHECK(pthread_create(&t, NULL, open_in_thread, name) == 0);
	for (int i = 0; i < OPENS; i++) {
		CHECK(open_once("/etc/passwd", O_RDONLY) == 0);
		CHECK(open_once(name, O_RDWR | O_CREAT) == 0);
	}
	CHECK(pthread_join(t, &failed) == 0 && !failed);
	return 0;
}

/* With all processors, then with one. */
static int with_both_masks(inside_fn fn)
{
	int line;

	mask = &every;
	line = fn();
	if (line)
		return line;
	mask = &last;
	return fn();
}

static int opens_with_both_masks(void)
{
	return with_both_masks(opens);
}

static void test_opens(void **state)
{
	(void)state;
	assert_inside(opens_with_both_masks);
	harness_forget_events();
}

/* The program tells, as the first thing that it does, how many processors it has. */
static int processors_of(const char *program)
{
	char name[] = "count", *argv[] = { name, name, NULL }, *env[] = { NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, env) != 0)
		return NOT_EXECUTED;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int programs(void)
{
	char name[] = "garbage", *argv[] = { name, NULL };
	int count = CPU_COUNT(mask);

	CHECK(sched_setaffinity(0, sizeof(*mask), mask) == 0);
	for (int i = 0; i < PROGRAMS; i++) {
		CHECK(processors_of(self) == count);
		CHECK(!has_static || processors_of(at("static")) == count);
		CHECK(processors_of(at("garbage")) == NOT_EXECUTED);
		CHECK_FAILS(execv(at("garbage"), argv), ENOEXEC);
		CHECK(has_mask());
	}
	return 0;
}

/* A good program, but too much to tell it. */
static int exec_that_fails(void)
{
	size_t size = 1024 * 1024;
	char *long_word = malloc(size), *argv[] = { long_word, NULL };

	mask = &every;
	CHECK(long_word);
	memset(long_word, 'x', size - 1);
	long_word[size - 1] = 0;
	for (int i = 0; i < 20; i++) {
		CHECK_FAILS(execv(self, argv), E2BIG);
		for (int tries = 0; tries < 1000 && !has_mask(); tries++)
			(void)usleep(1000);
		CHECK(has_mask());
	}
	return 0;
}

static int programs_with_both_masks(void)
{
	return with_both_masks(programs);
}

static void test_programs(void **state)
{
	(void)state;
	assert_inside(programs_with_both_masks);
	assert_inside(exec_that_fails);
	harness_forget_events();
}

/* One thread executes, others compute: the process lives on as the thread that had its number. */
static void *execute(void *arg)
{
	char name[] = "count", *argv[] = { name, name, NULL }, *env[] = { NULL };

	execve(arg, argv, env);
	return NULL;
}

static int exec_of_thread(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, execute, self) == 0);
	for (;;)
		pause();
	return 0;
}

static int threads(void)
{
	for (int i = 0; i < PROGRAMS / 10; i++)
		CHECK(inside_fork(exec_of_thread) == CPU_COUNT(&every));
	return 0;
}

static void test_threads(void **state)
{
	(void)state;
	assert_inside(threads);
	harness_forget_events();
}

static int count(void)
{
	cpu_set_t now;

	return sched_getaffinity(0, sizeof(now), &now) == 0 ? CPU_COUNT(&now) : NOT_EXECUTED;
}

static void find_masks(void)
{
	assert_int_equal(sched_getaffinity(0, sizeof(every), &every), 0);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &every))
			continue;
		CPU_ZERO(&last);
		CPU_SET(i, &last);
	}
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_threads),
	};
	const char *counter = getenv("COUNT_PROCESSORS");
	ssize_t len;
	int r;

	has_static = counter != NULL;
	if (argc > 1 && strcmp(argv[1], "count") == 0)
		return count();
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		return 1;
	harness_workers = 4; /* a program that is held may be answered by another one */
	find_masks();
	harness_start(policy); /* what runs inside has what there is by now */
	put("garbage", "this is no program at all, not by any means\n", 0755);
	if (has_static && symlink(counter, at("static")) < 0)
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
