#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/state.h"

static char home[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(home, sizeof(home), "/tmp/leash-test-state.XXXXXX");
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
	return mkdtemp(home) ? 0 : -1;
}

static void run(const char *program, const char *argument, const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execlp(program, program, argument, path, NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int tear_down(void **state)
{
	(void)state;
	run("rm", "-rf", home);
	return 0;
}

static void make(const char *id)
{
	_cleanup_free_ char *path = xasprintf("%s/.local/state/leash/sessions/%s", home, id);

	run("mkdir", "-p", path);
}

static void directories_follow_xdg(void **state)
{
	_cleanup_free_ char *own = state_directory("/home/u");
	_cleanup_free_ char *run_own = runtime_directory("/home/u");
	_cleanup_free_ char *xdg = NULL, *relative = NULL, *run_xdg = NULL;

	(void)state;
	assert_string_equal(own, "/home/u/.local/state/leash");
	assert_string_equal(run_own, "/home/u/.local/state/leash/run");
	assert_int_equal(setenv("XDG_STATE_HOME", "/x", 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/1", 1), 0);
	xdg = state_directory("/home/u");
	run_xdg = runtime_directory("/home/u");
	assert_string_equal(xdg, "/x/leash");
	assert_string_equal(run_xdg, "/run/user/1/leash");
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
	relative = state_directory("/home/u");
	assert_string_equal(relative, "/home/u/.local/state/leash");
}

static void new_sessions_are_private_and_sort_as_they_began(void **state)
{
	_cleanup_free_ char *dir = state_directory(home);
	char last[32] = "";

	(void)state;
	for (int i = 0; i < 50; i++) {
		_cleanup_free_ char *id = NULL, *directory = NULL;
		struct stat st;

		assert_int_equal(state_session_create(dir, &id, &directory, NULL), 0);
		assert_int_equal(stat(directory, &st), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0700);
		assert_true(strncmp(last, id, 18) <= 0); /* but for the two random letters */
		(void)snprintf(last, sizeof(last), "%s", id);
		assert_int_equal(strlen(id), 20);
	}
}

static void lists_newest_first_and_sessions_only(void **state)
{
	_cleanup_(event_session_ids_done) event_session_ids list = { 0 };
	_cleanup_free_ char *dir = state_directory(home);

	(void)state;
	assert_int_equal(state_session_list_read(dir, &list, NULL), 0);
	assert_int_equal(list.len, 0);
	make("20260102-030405-abcd");
	make("20260103-000000-k3f9");
	make("20260102-030406-0000");
	make("notes");
	make("20260104-000000-UPPR");
	make("20260104-000000-abcde");
	assert_int_equal(state_session_list_read(dir, &list, NULL), 0);
	assert_int_equal(list.len, 3);
	assert_string_equal(list.items[0], "20260103-000000-k3f9");
	assert_string_equal(list.items[1], "20260102-030406-0000");
	assert_string_equal(list.items[2], "20260102-030405-abcd");
}

static void assert_found(const char *name, int result, const char *expected)
{
	_cleanup_free_ char *dir = state_directory(home);
	_cleanup_free_ char *id = NULL, *directory = NULL;
	struct err err = { 0 };

	assert_int_equal(state_session_find(dir, name, &id, &directory, &err), result);
	if (result == 0) {
		assert_string_equal(id, expected);
		assert_non_null(strstr(directory, "/sessions/20"));
	} else {
		assert_non_null(strstr(err.text, expected));
	}
}

static void a_session_is_found_by_what_people_call_it(void **state)
{
	(void)state;
	assert_found(NULL, -ENOENT, "no sessions yet");
	make("20260102-030405-abcd");
	make("20260102-030406-0000");
	make("20260103-000000-k3f9");
	assert_found(NULL, 0, "20260103-000000-k3f9");
	assert_found("20260103", 0, "20260103-000000-k3f9");
	assert_found("20260102-030405-abcd", 0, "20260102-030405-abcd");
	assert_found("abcd", 0, "20260102-030405-abcd");
	assert_found("20260102", -ENOTUNIQ, "several sessions");
	assert_found("20270101", -ENOENT, "no session is called 20270101");
	assert_found("", -ENOENT, "no session");
	assert_found("..", -ENOENT, "no session");
	assert_found("../sessions/20260103-000000-k3f9", -ENOENT, "no session");
}

static void call(const char *id, const char *name)
{
	_cleanup_free_ char *path =
		xasprintf("%s/.local/state/leash/sessions/%s/session.json", home, id);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "{\"name\":\"%s\"}\n", name) > 0);
	assert_int_equal(fclose(f), 0);
}

static void a_session_is_found_by_its_name(void **state)
{
	(void)state;
	make("20260102-030405-abcd");
	make("20260102-030406-0000");
	make("20260103-000000-k3f9");
	call("20260102-030405-abcd", "box");
	call("20260102-030406-0000", "box");
	call("20260103-000000-k3f9", "abcd");
	assert_found("box", 0, "20260102-030406-0000");
	/* None of them runs: the letters of an id go before. */
	assert_found("abcd", 0, "20260102-030405-abcd");
	assert_found("bo", -ENOENT, "no session is called bo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(directories_follow_xdg, set_up, tear_down),
		cmocka_unit_test_setup_teardown(new_sessions_are_private_and_sort_as_they_began,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_newest_first_and_sessions_only, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_session_is_found_by_what_people_call_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_session_is_found_by_its_name, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
