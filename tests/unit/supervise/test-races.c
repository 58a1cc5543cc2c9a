/*
 * What hostile and unlucky programs do: change a path while it is looked at,
 * swap files under it, make the supervisor wait, reload the policy meanwhile.
 * LEASH_TEST_ROUNDS makes the races longer.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"

static const char policy[] =
	"permit (principal, action in Action::\"FileOpen\", resource);"
	"permit (principal, action == Action::\"ProcessExec\", resource);"
	"forbid (principal, action in Action::\"FileOpen\", resource == File::\"${DIR}/d/secret\");"
	"forbid (principal, action in Action::\"FileOpen\", resource in Dir::\"${DIR}/closed/\");";

static char path[256];
static _Atomic bool is_running;

static int rounds(void)
{
	const char *long_form = secure_getenv("LEASH_TEST_ROUNDS");

	return long_form ? atoi(long_form) : 3000;
}

/* Opens `path` again and again while fn runs in another thread; reads what it gets. */
static int read_while(void *(*fn)(void *))
{
	pthread_t t;
	int n_read = 0;

	is_running = true;
	if (pthread_create(&t, NULL, fn, NULL) != 0)
		return 1;
	for (int i = 0; i < rounds(); i++) {
		char text[8] = "";
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text)) > 0 && text[0] != 'p')
			return inside_failed(__LINE__, "read the secret");
		close(fd);
		n_read++;
	}
	is_running = false;
	(void)pthread_join(t, NULL);
	CHECK(n_read > 0);
	return 0;
}

static void *swap_text(void *arg)
{
	size_t at_name = strlen(path) - 6;

	while (is_running) {
		memcpy(path + at_name, "secret", 6);
		memcpy(path + at_name, "public", 6);
	}
	return arg;
}

static int text_changes(void)
{
	(void)snprintf(path, sizeof(path), "%s", at("d/public"));
	return read_while(swap_text);
}

static void *swap_link(void *arg)
{
	char link[256], other[256];

	(void)snprintf(link, sizeof(link), "%s", at("d/link"));
	(void)snprintf(other, sizeof(other), "%s", at("d/other"));
	while (is_running)
		(void)syscall(SYS_renameat2, AT_FDCWD, link, AT_FDCWD, other, RENAME_EXCHANGE);
	return arg;
}

static int link_changes(void)
{
	CHECK(symlink("public", at("d/link")) == 0 && symlink("secret", at("d/other")) == 0);
	(void)snprintf(path, sizeof(path), "%s", at("d/link"));
	return read_while(swap_link);
}

static void *swap_directory(void *arg)
{
	char a[256], b[256];

	(void)snprintf(a, sizeof(a), "%s", at("x/dir"));
	(void)snprintf(b, sizeof(b), "%s", at("x/dir2"));
	while (is_running) {
		(void)rename(a, b);
		(void)rename(b, a);
	}
	return arg;
}

static int directory_changes(void)
{
	CHECK(mkdir(at("x"), 0700) == 0 && mkdir(at("x/dir"), 0700) == 0);
	int fd = open(at("x/dir/file"), O_WRONLY | O_CREAT, 0600);

	CHECK(fd >= 0 && write(fd, "public", 6) == 6);
	(void)snprintf(path, sizeof(path), "%s", at("x/dir/file"));
	return read_while(swap_directory);
}

static void test_swaps(void **state)
{
	(void)state;
	assert_inside(text_changes);
	assert_inside(link_changes);
	assert_inside(directory_changes);
}

/* A directory moves into the closed one while files are made in it. */
static void *move_in(void *arg)
{
	char from[256], to[256];

	(void)snprintf(from, sizeof(from), "%s", at("moving"));
	(void)snprintf(to, sizeof(to), "%s", at("closed/moving"));
	while (is_running)
		(void)rename(from, to);
	return arg;
}

static int creation_in_moving(void)
{
	pthread_t t;
	struct stat st;

	CHECK(mkdir(at("moving"), 0700) == 0);
	is_running = true;
	CHECK(pthread_create(&t, NULL, move_in, NULL) == 0);
	for (int i = 0; i < rounds() / 10; i++) {
		int fd = open(at("moving/file"), O_WRONLY | O_CREAT, 0600);

		CHECK(fd >= 0);
		close(fd);
		CHECK(unlink(at("moving/file")) == 0);
	}
	is_running = false;
	(void)pthread_join(t, NULL);
	CHECK(lstat(at("closed/moving"), &st) < 0);
	return 0;
}

static void test_moving_directory(void **state)
{
	(void)state;
	assert_inside(creation_in_moving);
}

/* ---- waiting ---- */

static void *open_writer(void *arg)
{
	int fd = open(at("fifo"), O_WRONLY);

	if (fd >= 0 && write(fd, "x", 1) == 1)
		close(fd);
	return arg;
}

static int fifo(void)
{
	pthread_t t;
	char c;
	int fd;

	CHECK(mkfifo(at("fifo"), 0600) == 0);
	CHECK(pthread_create(&t, NULL, open_writer, NULL) == 0);
	fd = open(at("fifo"), O_RDONLY);
	CHECK(fd >= 0 && read(fd, &c, 1) == 1 && c == 'x');
	(void)pthread_join(t, NULL);
	close(fd);
	fd = open(at("fifo"), O_RDONLY | O_NONBLOCK);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	close(fd);
	CHECK_FAILS(open(at("fifo"), O_WRONLY | O_NONBLOCK), ENXIO);
	return 0;
}

/* Many processes that wait, and yet others are served; then all are killed. */
static int many_wait(void)
{
	pid_t pids[40];

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			(void)open(at("fifo"), i & 1 ? O_RDONLY : O_RDONLY | O_CREAT, 0600);
			_exit(1);
		}
	}
	for (int i = 0; i < 100; i++) {
		int fd = open(at("d/public"), O_RDONLY);

		CHECK(fd >= 0);
		close(fd);
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		int status;

		CHECK(kill(pids[i], SIGKILL) == 0 && waitpid(pids[i], &status, 0) == pids[i]);
		CHECK(WIFSIGNALED(status));
	}
	CHECK(rename(at("x"), at("x2")) == 0); /* nobody holds the tree */
	return 0;
}

static void on_alarm(int number)
{
	(void)number;
}

static int interrupted(void)
{
	struct sigaction a = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value = { 0, 50000 } };

	CHECK(sigaction(SIGALRM, &a, NULL) == 0 && setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK_FAILS(open(at("fifo"), O_RDONLY), EINTR);
	return 0;
}

static void test_waiting(void **state)
{
	(void)state;
	assert_inside(fifo);
	assert_inside(many_wait);
	assert_inside(interrupted);
}

/* ---- signals ---- */

static int under_signals(void)
{
	struct sigaction a = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { 0 };

	CHECK(sigaction(SIGALRM, &a, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (int i = 0; i < 2000; i++) {
		int fd = open(at("d/public"), O_RDONLY);

		CHECK(fd >= 0);
		close(fd);
	}
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	return 0;
}

static void test_signals(void **state)
{
	(void)state;
	assert_inside(under_signals);
}

/* ---- reload ---- */

static int can_read_public(void)
{
	int fd = open(at("d/public"), O_RDONLY);

	return fd >= 0 ? 0 : errno;
}

static void test_reload(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		harness_policy("permit (principal, action, resource);"
			       "forbid (principal, action in Action::\"FileOpen\", resource == "
			       "File::\"${DIR}/d/public\");");
		assert_int_equal(harness_run(can_read_public), EACCES);
		harness_policy(policy);
		assert_int_equal(harness_run(can_read_public), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_swaps),	cmocka_unit_test(test_moving_directory),
		cmocka_unit_test(test_waiting), cmocka_unit_test(test_signals),
		cmocka_unit_test(test_reload),
	};
	int r;

	harness_start(policy);
	harness_drain_forever();
	put_dir("d");
	put_dir("closed");
	put("d/public", "public", 0644);
	put("d/secret", "secret", 0644);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
