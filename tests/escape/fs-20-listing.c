/*
 * FS-20: what a denied directory holds. Listing it is reading it; so is watching it. What stat says
 * of a name that is known already is not governed, and only noted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

static int list(int fd)
{
	char entries[4096];
	long n;

	if (fd < 0)
		return -errno;
	n = syscall(SYS_getdents64, fd, entries, sizeof(entries));
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : 0;
}

static int reopen_list(const char *path)
{
	int result, fd = open(path, O_PATH | O_DIRECTORY);

	if (fd < 0)
		return -errno;
	result = list(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	if (result < 0)
		result = list(open(in("/proc/self/fd/%d", fd), O_RDONLY | O_DIRECTORY));
	if (result < 0)
		result = list(fd);
	else
		close(fd);
	return result;
}

static int list_from_inside(const char *path)
{
	if (chdir(path) < 0)
		return -errno;
	return list(open(".", O_RDONLY | O_DIRECTORY));
}

static int watch(const char *path)
{
	int result, fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0)
		return -errno;
	result = outcome(inotify_add_watch(fd, path, IN_ALL_EVENTS));
	close(fd);
	return result;
}

static int mark(const char *path)
{
	int result, fd = (int)syscall(SYS_fanotify_init,
				      FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_REPORT_DFID_NAME,
				      O_RDONLY);

	if (fd < 0)
		return -errno;
	result = outcome(syscall(SYS_fanotify_mark, fd, FAN_MARK_ADD,
				 FAN_OPEN | FAN_CREATE | FAN_ONDIR, AT_FDCWD, path));
	close(fd);
	return result;
}

void technique(void)
{
	const char *denied_dir = need("DENIED_DIR"), *allowed_dir = need("ALLOWED_DIR");
	struct stat st;

	must_fail(list(open(denied_dir, O_RDONLY | O_DIRECTORY)), "getdents");
	must_fail(reopen_list(denied_dir), "getdents through an O_PATH descriptor");
	must_fail(list_from_inside(denied_dir), "chdir and getdents");
	must_fail(watch(denied_dir), "inotify");
	must_fail(mark(denied_dir), "fanotify");
	must_work(list(open(allowed_dir, O_RDONLY | O_DIRECTORY)), "getdents");
	must_work(list_from_inside(allowed_dir), "chdir and getdents");
	must_work(watch(allowed_dir), "inotify");
	note("stat of a denied file %s", stat(denied, &st) == 0 ? "works" : "fails");
	note("access of a denied file %s", access(denied, R_OK) == 0 ? "works" : "fails");
}
