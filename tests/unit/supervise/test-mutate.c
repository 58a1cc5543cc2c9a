/*
 * Making, removing, renaming and changing files: each permitted act works, and
 * the same act where it is forbidden fails with EACCES and changes nothing.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#include "base/attributes.h"

static const char policy[] = "permit (principal, action == Action::\"FileOpenReadOnly\", resource);"
			     "permit (principal, action in Action::\"FileOpenReadWrite\", resource "
			     "in Dir::\"${DIR}/rw/\");"
			     "permit (principal, action in Action::\"FileOpenReadWrite\", resource "
			     "in Dir::\"${DIR}/open/\");"
			     "forbid (principal, action in Action::\"FileOpen\", resource in "
			     "Dir::\"${DIR}/rw/hidden/\");"
			     "forbid (principal, action == Action::\"FileOpenReadOnly\", resource "
			     "in Dir::\"${DIR}/rw/blind/\");"
			     "forbid (principal, action == Action::\"FileDelete\", resource in "
			     "Dir::\"${DIR}/rw/keep/\");"
			     "forbid (principal, action in Action::\"FileOpenReadWrite\", resource "
			     "== File::\"${DIR}/rw/repo/.git/hooks/run\");"
			     "forbid (principal, action in Action::\"FileOpenReadWrite\", resource "
			     "== File::\"${DIR}/rw/other/hooks/run\");";

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int makes(void)
{
	struct stat st;
	char link[64];
	ssize_t n;

	umask(022);
	CHECK(mkdir(at("rw/d"), 0777) == 0 && stat(at("rw/d"), &st) == 0 &&
	      (st.st_mode & 0777) == 0755);
	CHECK(mkdir(at("rw/d/slash/"), 0700) == 0);
	CHECK_FAILS(mkdir(at("rw/d"), 0700), EEXIST);
	CHECK_FAILS(mkdir("/", 0700), EEXIST);
	CHECK_FAILS(mkdir(at("rw/."), 0700), EEXIST);
	CHECK_FAILS(mkdir(at("ro/d"), 0700), EACCES);
	CHECK_FAILS(mkdir(at("ro"), 0700), EEXIST);
	CHECK_FAILS(mkdir(at("rw/none/d"), 0700), ENOENT);
	CHECK(!exists(at("ro/d")));
	CHECK(mknod(at("rw/fifo"), S_IFIFO | 0600, 0) == 0);
	CHECK(mknod(at("rw/node"), S_IFREG | 0600, 0) == 0);
	CHECK_FAILS(mknod(at("rw/device"), S_IFCHR | 0600, 0x103), EPERM);
	CHECK_FAILS(mknod(at("ro/fifo"), S_IFIFO | 0600, 0), EACCES);
	CHECK(symlink("anything", at("rw/symlink")) == 0);
	n = readlink(at("rw/symlink"), link, sizeof(link));
	CHECK(n == 8 && memcmp(link, "anything", 8) == 0);
	CHECK_FAILS(symlink("anything", at("ro/symlink")), EACCES);
	CHECK_FAILS(symlink("anything", at("rw/symlink")), EEXIST);
	CHECK_FAILS(symlink("", at("rw/empty")), ENOENT);
	return 0;
}

static int removes(void)
{
	CHECK(unlink(at("rw/node")) == 0 && !exists(at("rw/node")));
	CHECK_FAILS(unlink(at("rw/node")), ENOENT);
	CHECK_FAILS(unlink(at("ro/file")), EACCES);
	CHECK_FAILS(unlink(at("rw/keep/file")), EACCES);
	CHECK(exists(at("ro/file")) && exists(at("rw/keep/file")));
	CHECK_FAILS(unlink(at("rw/d")), EISDIR);
	CHECK_FAILS(rmdir(at("rw/fifo")), ENOTDIR);
	CHECK_FAILS(rmdir(at("rw/d")), ENOTEMPTY);
	CHECK_FAILS(rmdir(at("rw/d/.")), EINVAL);
	CHECK_FAILS(rmdir(at("rw/d/..")), ENOTEMPTY);
	CHECK_FAILS(rmdir("/"), EBUSY);
	CHECK(rmdir(at("rw/d/slash/")) == 0);
	CHECK(unlinkat(AT_FDCWD, at("rw/d"), AT_REMOVEDIR) == 0);
	CHECK_FAILS(rmdir(at("ro/dir")), EACCES);
	CHECK(unlink(at("rw/symlink")) == 0);
	return 0;
}

static int removes_link_not_target(void)
{
	CHECK(symlink(at("ro/file"), at("rw/to-ro")) == 0);
	CHECK(unlink(at("rw/to-ro")) == 0 && exists(at("ro/file")));
	/* a directory symlink leads to where it is decided */
	CHECK(symlink(at("ro"), at("rw/ro-dir")) == 0);
	CHECK_FAILS(unlink(at("rw/ro-dir/file")), EACCES);
	CHECK_FAILS(mkdir(at("rw/ro-dir/x"), 0700), EACCES);
	CHECK_FAILS(rmdir(at("rw/ro-dir/")), ENOTDIR);
	return 0;
}

static void test_names(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(makes);
	assert_true(harness_has_event(EVENT_FILE_CREATE, EVENT_DENY, at("ro/d")));
	assert_inside(removes_link_not_target);
	assert_true(harness_has_event(EVENT_FILE_DELETE, EVENT_DENY, at("ro/file")));
}

static void test_removals(void **state)
{
	(void)state;
	assert_inside(removes);
}

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int links(void)
{
	char fd_path[64];
	int fd;

	CHECK(make_file(at("rw/one")) >= 0);
	CHECK(link(at("rw/one"), at("rw/two")) == 0);
	CHECK_FAILS(link(at("rw/one"), at("rw/two")), EEXIST);
	CHECK_FAILS(link(at("rw/one"), at("ro/two")), EACCES);
	CHECK_FAILS(link(at("ro/file"), at("rw/three")), EACCES);
	CHECK_FAILS(link(at("rw/hidden/file"), at("rw/three")), EACCES);
	CHECK_FAILS(link(at("rw/blind/file"), at("rw/three")), EACCES);
	CHECK_FAILS(link(at("rw/none"), at("rw/three")), ENOENT);
	CHECK_FAILS(link(at("rw"), at("rw/three")), EPERM);
	fd = open(at("ro/file"), O_RDONLY);
	(void)snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	CHECK_FAILS(linkat(AT_FDCWD, fd_path, AT_FDCWD, at("rw/three"), AT_SYMLINK_FOLLOW), EACCES);
	CHECK_FAILS(linkat(fd, "", AT_FDCWD, at("rw/three"), AT_EMPTY_PATH), EACCES);
	CHECK(!exists(at("rw/three")));
	fd = open(at("rw"), O_TMPFILE | O_RDWR, 0600);
	(void)snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, fd_path, AT_FDCWD, at("rw/three"), AT_SYMLINK_FOLLOW) == 0);
	return 0;
}

static void test_links(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(links);
	assert_true(harness_has_event(EVENT_FILE_LINK, EVENT_DENY, at("ro/file")));
}

static int renames(void)
{
	CHECK(make_file(at("rw/a")) >= 0);
	CHECK(rename(at("rw/a"), at("rw/b")) == 0 && !exists(at("rw/a")) && exists(at("rw/b")));
	CHECK_FAILS(rename(at("rw/a"), at("rw/c")), ENOENT);
	CHECK_FAILS(rename(at("rw/b"), at("ro/b")), EACCES);
	CHECK_FAILS(rename(at("ro/file"), at("rw/file")), EACCES);
	CHECK_FAILS(rename(at("rw/keep/file"), at("rw/file")), EACCES);
	/* overwriting deletes */
	CHECK_FAILS(rename(at("rw/b"), at("rw/keep/file")), EACCES);
	CHECK(make_file(at("rw/c")) >= 0 && rename(at("rw/b"), at("rw/c")) == 0);
	CHECK_FAILS(syscall(SYS_renameat2, AT_FDCWD, at("rw/c"), AT_FDCWD, at("rw/keep/file"),
			    RENAME_NOREPLACE),
		    EEXIST);
	CHECK_FAILS(syscall(SYS_renameat2, AT_FDCWD, at("rw/c"), AT_FDCWD, at("rw/keep/file"),
			    RENAME_EXCHANGE),
		    EACCES);
	CHECK_FAILS(
		syscall(SYS_renameat2, AT_FDCWD, at("rw/c"), AT_FDCWD, at("rw/w"), RENAME_WHITEOUT),
		EPERM);
	/* what may not be read must not become readable under another name */
	CHECK_FAILS(rename(at("rw/blind/file"), at("rw/seen")), EACCES);
	CHECK_FAILS(rename(at("rw/."), at("rw/x")), EBUSY);
	CHECK_FAILS(rename(at("open"), at("open/inside")), EINVAL);
	return 0;
}

static int renames_directories(void)
{
	CHECK(mkdir(at("open/tree"), 0700) == 0 && mkdir(at("open/tree/sub"), 0700) == 0);
	CHECK(make_file(at("open/tree/sub/file")) >= 0);
	CHECK(rename(at("open/tree"), at("open/moved")) == 0 && exists(at("open/moved/sub/file")));
	CHECK(rename(at("open/moved"), at("rw/moved")) == 0);
	/* a directory that holds a name which its new place forbids */
	CHECK(mkdir(at("open/git"), 0700) == 0 && mkdir(at("open/git/hooks"), 0700) == 0);
	CHECK(make_file(at("open/git/hooks/run")) >= 0);
	CHECK(mkdir(at("rw/repo"), 0700) == 0);
	CHECK_FAILS(rename(at("open/git"), at("rw/repo/.git")), EACCES);
	CHECK(unlink(at("open/git/hooks/run")) == 0);
	CHECK(rename(at("open/git"), at("rw/repo/.git")) == 0);
	CHECK_FAILS(make_file(at("rw/repo/.git/hooks/run")), EACCES);
	/* one that holds what may not go, or may not be read */
	CHECK_FAILS(rename(at("rw/keep"), at("rw/kept")), EACCES);
	CHECK_FAILS(rename(at("rw/blind"), at("rw/sighted")), EACCES);
	CHECK_FAILS(rename(at("rw/hidden"), at("open/shown")), EACCES);
	CHECK(exists(at("rw/keep/file")) && exists(at("rw/blind/file")));
	/* exchanging goes both ways */
	CHECK(mkdir(at("open/left"), 0700) == 0 && mkdir(at("open/right"), 0700) == 0);
	CHECK(syscall(SYS_renameat2, AT_FDCWD, at("open/left"), AT_FDCWD, at("open/right"),
		      RENAME_EXCHANGE) == 0);
	CHECK_FAILS(syscall(SYS_renameat2, AT_FDCWD, at("open/left"), AT_FDCWD, at("rw/keep"),
			    RENAME_EXCHANGE),
		    EACCES);
	return 0;
}

static void test_renames(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(renames);
	assert_true(harness_has_event(EVENT_FILE_RENAME, EVENT_DENY, at("rw/b")));
	assert_inside(renames_directories);
}

static int attributes_by_path(void)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	struct utimbuf old = { 3, 4 };
	struct timeval us[2] = { { 5, 0 }, { 6, 0 } };
	struct stat st;

	CHECK(chmod(at("rw/file"), 0640) == 0 && stat(at("rw/file"), &st) == 0 &&
	      (st.st_mode & 0777) == 0640);
	CHECK_FAILS(chmod(at("ro/file"), 0777), EACCES);
	CHECK_FAILS(fchmodat(AT_FDCWD, at("ro/file"), 0777, 0), EACCES);
	CHECK_FAILS(syscall(452, AT_FDCWD, at("ro/file"), 0777, 0), EACCES);
	CHECK(syscall(452, AT_FDCWD, at("rw/file"), 0600, 0) == 0);
	CHECK(chown(at("rw/file"), getuid(), (gid_t)-1) == 0);
	CHECK_FAILS(chown(at("ro/file"), getuid(), (gid_t)-1), EACCES);
	CHECK_FAILS(lchown(at("ro/file"), getuid(), (gid_t)-1), EACCES);
	CHECK(utimensat(AT_FDCWD, at("rw/file"), times, 0) == 0 && stat(at("rw/file"), &st) == 0 &&
	      st.st_mtime == 2);
	CHECK_FAILS(utimensat(AT_FDCWD, at("ro/file"), times, 0), EACCES);
	CHECK(utime(at("rw/file"), &old) == 0 && stat(at("rw/file"), &st) == 0 && st.st_mtime == 4);
	CHECK_FAILS(utime(at("ro/file"), &old), EACCES);
	CHECK(utimes(at("rw/file"), us) == 0 && stat(at("rw/file"), &st) == 0 && st.st_mtime == 6);
	CHECK_FAILS(utimes(at("ro/file"), us), EACCES);
	CHECK(truncate(at("rw/file"), 3) == 0 && stat(at("rw/file"), &st) == 0 && st.st_size == 3);
	CHECK_FAILS(truncate(at("ro/file"), 0), EACCES);
	CHECK_FAILS(truncate(at("ro/none"), 0), ENOENT);
	CHECK_FAILS(setxattr(at("ro/file"), "user.x", "y", 1, 0), EACCES);
	CHECK_FAILS(lsetxattr(at("ro/file"), "user.x", "y", 1, 0), EACCES);
	CHECK_FAILS(removexattr(at("ro/file"), "user.x"), EACCES);
	CHECK(setxattr(at("rw/file"), "user.x", "y", 1, 0) == 0 || errno == ENOTSUP);
	CHECK(removexattr(at("rw/file"), "user.x") == 0 || errno == ENOTSUP);
	return 0;
}

static int attributes_by_descriptor(void)
{
	struct timespec times[2] = { { 1, 0 }, { 2, 0 } };
	int ro = open(at("ro/file"), O_RDONLY), rw = open(at("rw/file"), O_RDONLY), pipes[2],
	    flags = 0;
	char path[64];

	CHECK(ro >= 0 && rw >= 0 && pipe(pipes) == 0);
	CHECK(fchmod(rw, 0600) == 0 && fchown(rw, getuid(), (gid_t)-1) == 0 &&
	      futimens(rw, times) == 0);
	CHECK_FAILS(fchmod(ro, 0777), EACCES);
	CHECK_FAILS(fchown(ro, getuid(), (gid_t)-1), EACCES);
	CHECK_FAILS(futimens(ro, times), EACCES);
	CHECK_FAILS(fsetxattr(ro, "user.x", "y", 1, 0), EACCES);
	CHECK_FAILS(fremovexattr(ro, "user.x"), EACCES);
	CHECK_FAILS(fchownat(ro, "", getuid(), (gid_t)-1, AT_EMPTY_PATH), EACCES);
	CHECK_FAILS(ioctl(ro, FS_IOC_SETFLAGS, &flags), EACCES);
	CHECK(ioctl(rw, FS_IOC_SETFLAGS, &flags) == 0 || errno != EACCES);
	CHECK(fchmod(pipes[0], 0600) == 0);
	CHECK_FAILS(fchmod(999, 0600), EBADF);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ro);
	CHECK_FAILS(chmod(path, 0777), EACCES);
	return 0;
}

static void test_attributes(void **state)
{
	struct stat st;

	(void)state;
	harness_forget_events();
	assert_inside(attributes_by_path);
	assert_true(harness_has_event(EVENT_FILE_ATTR, EVENT_DENY, at("ro/file")));
	assert_inside(attributes_by_descriptor);
	assert_int_equal(stat(at("ro/file"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(st.st_size, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_removals),
		cmocka_unit_test(test_links),	   cmocka_unit_test(test_renames),
		cmocka_unit_test(test_attributes),
	};
	int r;

	harness_start(policy);
	put_dir("ro");
	put("ro/file", "hello", 0644);
	put_dir("ro/dir");
	put_dir("rw");
	put("rw/file", "hello", 0644);
	put_dir("open");
	put_dir("rw/hidden");
	put("rw/hidden/file", "x", 0600);
	put_dir("rw/blind");
	put("rw/blind/file", "x", 0600);
	put_dir("rw/keep");
	put("rw/keep/file", "x", 0600);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
