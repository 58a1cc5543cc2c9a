/*
 * Opening files from inside the container, in every way that a path can be
 * given: what is permitted works, what is not fails with EACCES.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attributes.h"

static const char policy[] =
	"permit (principal, action == Action::\"FileOpenReadOnly\", resource);"
	"permit (principal, action == Action::\"FileOpenReadWrite\", resource) when { resource in "
	"Dir::\"${DIR}/rw/\" };"
	"permit (principal, action == Action::\"FileOpenReadWrite\", resource == "
	"File::\"/dev/null\");"
	"permit (principal, action == Action::\"ProcessExec\", resource);"
	"forbid (principal, action in Action::\"FileOpen\", resource in Dir::\"${DIR}/secret/\");"
	"forbid (principal, action in Action::\"FileOpen\", resource == File::\"/usr/bin/env\");";

static bool can_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int reads_plain(void)
{
	char text[16] = "";
	int fd = open(at("ro/file"), O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text)) == 5 && memcmp(text, "hello", 5) == 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	fd = open(at("ro/file"), O_RDONLY);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0);
	close(fd);
	CHECK_FAILS(open(at("ro/absent"), O_RDONLY), ENOENT);
	CHECK_FAILS(open(at("ro/file/x"), O_RDONLY), ENOTDIR);
	CHECK_FAILS(open(at("ro/file/"), O_RDONLY), ENOTDIR);
	CHECK_FAILS(open("", O_RDONLY), ENOENT);
	CHECK_FAILS(open((const char *)16, O_RDONLY), EFAULT);
	CHECK_FAILS(open(at("ro/file"), O_WRONLY), EACCES);
	CHECK_FAILS(open(at("ro/file"), O_RDWR), EACCES);
	CHECK_FAILS(open(at("ro/file"), O_RDONLY | O_TRUNC), EACCES);
	CHECK_FAILS(open(at("ro/new"), O_WRONLY | O_CREAT, 0644), EACCES);
	CHECK(open("/dev/null", O_RDWR) >= 0);
	return 0;
}

static void test_plain(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(reads_plain);
	assert_true(harness_has_event(EVENT_FILE_OPEN, EVENT_ALLOW, at("ro/file")));
}

static int denied_by_every_spelling(void)
{
	char path[512];
	int dir;

	CHECK_FAILS(open(at("secret/key"), O_RDONLY), EACCES);
	CHECK_FAILS(open(at("secret/key"), O_PATH), EACCES);
	CHECK_FAILS(open(at("ro/../secret/key"), O_RDONLY), EACCES);
	CHECK_FAILS(open(at("secret//.//key"), O_RDONLY), EACCES);
	CHECK_FAILS(open(at("rw/link"), O_RDONLY), EACCES);
	CHECK_FAILS(open(at("rw/chain"), O_RDONLY), EACCES);
	CHECK_FAILS(open(at("rw/dirlink/key"), O_RDONLY), EACCES);
	CHECK(chdir(at("secret")) == 0);
	CHECK_FAILS(open("key", O_RDONLY), EACCES);
	CHECK_FAILS(open("./key", O_RDONLY), EACCES);
	CHECK_FAILS(open("/proc/self/cwd/key", O_RDONLY), EACCES);
	CHECK_FAILS(open("/proc/thread-self/cwd/key", O_RDONLY), EACCES);
	(void)snprintf(path, sizeof(path), "/proc/self/root%s", at("secret/key"));
	CHECK_FAILS(open(path, O_RDONLY), EACCES);
	(void)snprintf(path, sizeof(path), "/proc/%d/root%s", getpid(), at("secret/key"));
	CHECK_FAILS(open(path, O_RDONLY), EACCES);
	dir = open(harness_dir, O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK_FAILS(openat(dir, "secret/key", O_RDONLY), EACCES);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/secret/key", dir);
	CHECK_FAILS(open(path, O_RDONLY), EACCES);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d/secret/key", dir);
	CHECK_FAILS(open(path, O_RDONLY), EACCES);
	/* a name that only begins alike */
	CHECK(can_read(at("secret2")));
	return 0;
}

static void test_spellings(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(denied_by_every_spelling);
	assert_true(harness_has_event(EVENT_FILE_OPEN, EVENT_DENY, at("secret/key")));
}

static int through_top_links(void)
{
	CHECK(can_read("/bin/cat"));
	CHECK_FAILS(open("/bin/env", O_RDONLY), EACCES);
	CHECK_FAILS(open("/bin//env", O_RDONLY), EACCES);
	CHECK_FAILS(open("/bin/../bin/env", O_RDONLY), EACCES);
	CHECK_FAILS(open("/bin/absent-program", O_RDONLY), ENOENT);
	CHECK_FAILS(open("/binary", O_RDONLY), ENOENT);
	CHECK(open("/bin", O_RDONLY | O_DIRECTORY) >= 0);
	return 0;
}

static void test_top_links(void **state)
{
	char target[16] = "";

	(void)state;
	if (readlink("/bin", target, sizeof(target) - 1) < 0 || strcmp(target, "usr/bin") != 0)
		skip();
	harness_forget_events();
	assert_inside(through_top_links);
	assert_true(harness_has_event(EVENT_FILE_OPEN, EVENT_DENY, "/usr/bin/env"));
	assert_inside(through_top_links);
	assert_true(harness_has_event(EVENT_FILE_OPEN, EVENT_ALLOW, "/usr/bin/cat"));
}

static int own_descriptors(void)
{
	char path[64], text[8] = "", link[512];
	int fd = open(at("rw/file"), O_RDWR), again;
	int pipes[2];
	ssize_t n;

	CHECK(fd >= 0);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), i ? "/dev/fd/%d" : "/proc/self/fd/%d", fd);
		again = open(path, O_RDONLY);
		CHECK(again >= 0 && read(again, text, 5) == 5);
		close(again);
	}
	n = readlink("/proc/self/fd/0", link, sizeof(link));
	CHECK(n > 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	CHECK(n > 0);
	link[n] = 0;
	CHECK(strcmp(link, at("rw/file")) == 0);
	/* pipes and memory files are the agent's own */
	CHECK(pipe(pipes) == 0 && write(pipes[1], "x", 1) == 1);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", pipes[0]);
	again = open(path, O_RDONLY);
	CHECK(again >= 0 && read(again, text, 1) == 1 && text[0] == 'x');
	again = memfd_create("own", 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", again);
	CHECK(open(path, O_RDWR) >= 0);
	/* reading a file through a descriptor does not make it writable */
	fd = open(at("ro/file"), O_RDONLY);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(open(path, O_RDONLY) >= 0);
	CHECK_FAILS(open(path, O_RDWR), EACCES);
	CHECK(can_read("/proc/self/status") && can_read("/proc/self/maps") &&
	      can_read("/proc/thread-self/stat"));
	CHECK(can_read("/proc/mounts") && can_read("/etc/mtab"));
	CHECK(can_read("/proc/self/exe"));
	return 0;
}

static void test_own_descriptors(void **state)
{
	(void)state;
	assert_inside(own_descriptors);
}

static int deleted_files(void)
{
	char path[64];
	int fd;

	/* a file keeps the rules of the name it had */
	fd = open(at("rw/gone"), O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && unlink(at("rw/gone")) == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(open(path, O_RDWR) >= 0);
	/* a file that is really called so */
	CHECK(can_read(at("secret2 (deleted)")));
	CHECK_FAILS(open(at("secret/x (deleted)"), O_RDONLY), EACCES);
	return 0;
}

static void test_deleted(void **state)
{
	(void)state;
	assert_inside(deleted_files);
}

static int creates(void)
{
	struct stat st;
	int fd;

	umask(027);
	fd = open(at("rw/new"), O_WRONLY | O_CREAT | O_EXCL, 0666);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0640);
	CHECK(st.st_uid == getuid());
	close(fd);
	CHECK_FAILS(open(at("rw/new"), O_WRONLY | O_CREAT | O_EXCL, 0666), EEXIST);
	fd = open(at("rw/new"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
	CHECK(fd >= 0);
	close(fd);
	umask(0);
	fd = creat(at("rw/new2"), 0604);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0604);
	close(fd);
	/* through a dangling symlink: what it names comes into being, if it may */
	fd = open(at("rw/dangling"), O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && lstat(at("rw/made"), &st) == 0 && S_ISREG(st.st_mode));
	CHECK_FAILS(open(at("rw/dangling-out"), O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_FAILS(open(at("rw/dangling-out"), O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	CHECK_FAILS(open(at("rw/dangling-out"), O_RDONLY), ENOENT);
	CHECK_FAILS(open(at("rw/new/"), O_WRONLY | O_CREAT, 0600), ENOTDIR);
	CHECK_FAILS(open(at("rw/none/"), O_WRONLY | O_CREAT, 0600), EISDIR);
	CHECK_FAILS(open(at("rw"), O_WRONLY | O_CREAT, 0600), EISDIR);
	CHECK_FAILS(open(at("rw"), O_WRONLY), EISDIR);
	CHECK_FAILS(open(at("rw/none/x"), O_WRONLY | O_CREAT, 0600), ENOENT);
	CHECK_FAILS(open(at("secret/new"), O_WRONLY | O_CREAT, 0600), EACCES);
	fd = open(at("rw"), O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	CHECK_FAILS(open(at("ro"), O_TMPFILE | O_RDWR, 0600), EACCES);
	return 0;
}

static void test_create(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(creates);
	assert_true(harness_has_event(EVENT_FILE_CREATE, EVENT_ALLOW, at("rw/new")));
}

static int flags_of_open(void)
{
	struct stat st;
	int fd;

	CHECK_FAILS(open(at("rw/inner-link"), O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = open(at("rw/inner-link"), O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK_FAILS(open(at("ro/file"), O_RDONLY | O_DIRECTORY), ENOTDIR);
	fd = open(at("ro"), O_PATH);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode));
	CHECK(openat(fd, "file", O_RDONLY) >= 0);
	CHECK_FAILS(openat(999, "file", O_RDONLY), EBADF);
	CHECK_FAILS(open(at("loop"), O_RDONLY), ELOOP);
	fd = open(at("rw/file"), O_WRONLY | O_APPEND);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE)) == (O_APPEND | O_WRONLY));
	return 0;
}

static void test_flags(void **state)
{
	(void)state;
	assert_inside(flags_of_open);
}

/* ---- a caller that is killed while it gets its descriptor ---- */

#define KILLED 120
#define LONGEST_US 400

static const char *numbered(int i)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "killed/%d", i);
	return at(name);
}

/* Opens in a process that shares this one's table and is killed at some moment. The descriptor, or
 * -1. */
static int open_and_be_killed(const char *path, useconds_t after_us)
{
	int free_fd = dup(STDERR_FILENO);
	pid_t pid;

	close(free_fd);
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		(void)open(path, O_RDONLY);
		for (;;)
			pause();
	}
	(void)usleep(after_us);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return fcntl(free_fd, F_GETFD) < 0 ? -1 : free_fd;
}

/* Writes down of which files it got a descriptor. */
static int killed_openers(void)
{
	int out_fd = open(at("rw/got"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(out_fd >= 0);
	for (int i = 0; i < KILLED; i++) {
		unsigned char number = (unsigned char)i;
		int fd = open_and_be_killed(numbered(i), (useconds_t)(LONGEST_US * i / KILLED));

		if (fd < 0)
			continue;
		close(fd);
		CHECK(write(out_fd, &number, 1) == 1);
	}
	close(out_fd);
	return 0;
}

static void test_killed_openers(void **state)
{
	static struct seen seen[1024];
	unsigned char got[KILLED];
	int fd;
	ssize_t n_got;
	size_t n;

	(void)state;
	harness_forget_events();
	assert_inside(killed_openers);
	fd = open(at("rw/got"), O_RDONLY | O_CLOEXEC);
	n_got = read(fd, got, sizeof(got));
	close(fd);
	assert_true(n_got > 0);
	n = harness_events(seen, ARRAY_SIZE(seen));
	for (ssize_t i = 0; i < n_got; i++) {
		bool is_recorded = false;

		for (size_t k = 0; k < n; k++)
			is_recorded |= strcmp(seen[k].path, numbered(got[i])) == 0;
		assert_true(is_recorded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	  cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_top_links), cmocka_unit_test(test_own_descriptors),
		cmocka_unit_test(test_deleted),	  cmocka_unit_test(test_create),
		cmocka_unit_test(test_flags),	  cmocka_unit_test(test_killed_openers),
	};
	int r;

	harness_start(policy);
	put_dir("ro");
	put("ro/file", "hello", 0644);
	put_dir("rw");
	put("rw/file", "hello", 0644);
	put_dir("killed");
	for (int i = 0; i < KILLED; i++)
		put(numbered(i) + strlen(at("")), "x", 0644);
	put_dir("secret");
	put("secret/key", "key", 0600);
	put("secret/x (deleted)", "key", 0600);
	put("secret2", "x", 0600);
	put("secret2 (deleted)", "x", 0600);
	assert_int_equal(symlink(at("secret/key"), at("rw/link")), 0);
	assert_int_equal(symlink("link", at("rw/chain")), 0);
	assert_int_equal(symlink("../secret", at("rw/dirlink")), 0);
	assert_int_equal(symlink("file", at("rw/inner-link")), 0);
	assert_int_equal(symlink("made", at("rw/dangling")), 0);
	assert_int_equal(symlink("../ro/made", at("rw/dangling-out")), 0);
	assert_int_equal(symlink("loop", at("loop")), 0);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
