/* Containers whose leash is gone are told by their names; nobody else's container is. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/container.h"
#include "unit.h"

static void test_own(void **state)
{
	_cleanup_free_ char *name = container_name("20260131-142501-k3f9");

	(void)state;
	assert_false(container_is_orphan(name, "/"));
}

static void test_gone(void **state)
{
	char name[128] = "";
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		_cleanup_free_ char *own = container_name("20260131-142501-k3f9");

		_exit(write(fds[1], own, strlen(own)) < 0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(read(fds[0], name, sizeof(name) - 1) > 0);
	assert_true(container_is_orphan(name, "/"));
	close(fds[0]);
	close(fds[1]);
}

/* The number lives on as another process. */
static void test_other_start(void **state)
{
	char name[128];

	(void)state;
	(void)snprintf(name, sizeof(name), "leash-20260131-142501-k3f9-%d-1", getpid());
	assert_true(container_is_orphan(name, "/"));
}

static void test_foreign(void **state)
{
	static const char *const names[] = {
		"",	    "leash",	   "leash-",	  "web",	"leash-x",
		"leash-1-", "leash-a-b-c", "leash-1-2x",  "other-1-1",	"xleash-99999999-1",
		"leash--1", "leash-0-1",   "leash-x-0-5", "leash-5x-7",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (container_is_orphan(names[i], "/"))
			fail_msg("%s is no container of ours", names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_other_start),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
