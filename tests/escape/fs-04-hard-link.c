/* FS-04: a second name for a denied file where it may be read; also through descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_EXEC;

enum { N_WAYS = 8 };

static int link_by(int way, const char *from, const char *to)
{
	int fd, result;

	switch (way) {
	case 0:
		return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
	case 1:
		return link(from, to);
	case 2:
		return linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
	case 3:
		fd = open(from, O_PATH);
		result = linkat(AT_FDCWD, in("/proc/self/fd/%d", fd), AT_FDCWD, to,
				AT_SYMLINK_FOLLOW);
		close(fd);
		return result;
	case 4:
		fd = open(from, O_PATH);
		result = linkat(fd, "", AT_FDCWD, to, AT_EMPTY_PATH);
		close(fd);
		return result;
	case 5:
		fd = open(directory_of(from), O_PATH | O_DIRECTORY);
		result = linkat(fd, name_of(from), AT_FDCWD, to, 0);
		close(fd);
		return result;
	case 6:
		fd = open(directory_of(from), O_PATH | O_DIRECTORY);
		result = linkat(AT_FDCWD, in("/proc/self/fd/%d/%s", fd, name_of(from)), AT_FDCWD,
				to, 0);
		close(fd);
		return result;
	default:
		fd = open(directory_of(to), O_PATH | O_DIRECTORY);
		result = linkat(AT_FDCWD, in("/proc/self/root%s", from), fd, name_of(to), 0);
		close(fd);
		return result;
	}
}

static const char *link_through_symlink(const char *from)
{
	const char *soft = in("%s/fs-04-soft-%d-%d", work, getpid(), gettid()),
		   *hard = in("%s-hard", soft);

	if (symlink(from, soft) < 0)
		give_up("symlink");
	if (linkat(AT_FDCWD, soft, AT_FDCWD, hard, AT_SYMLINK_FOLLOW) < 0)
		hard = NULL;
	unlink(soft);
	return hard;
}

void technique(void)
{
	const char *to = in("%s/fs-04-%d-%d", work, getpid(), gettid()), *hard;

	for (int i = 0; i < N_WAYS; i++) {
		int result = outcome(link_by(i, denied, to));

		must_fail(result, "link, way %d", i);
		if (exists(to)) {
			must_fail(has_content(open(to, O_RDONLY), secret),
				  "reading the link, way %d", i);
			must_fail(took(open(to, O_WRONLY)), "writing the link, way %d", i);
			unlink(to);
		}
		/* linkat(AT_EMPTY_PATH) depends on the kernel's version. */
		result = outcome(link_by(i, allowed, to));
		if (i != 4)
			must_work(result, "link, way %d", i);
		if (result == 0)
			must_work(has_content(open(to, O_RDONLY), "public"),
				  "reading the link, way %d", i);
		unlink(to);
	}
	hard = link_through_symlink(denied);
	must_fail(hard ? 0 : -EACCES, "link through a symbolic link");
	if (hard)
		unlink(hard);
	hard = link_through_symlink(allowed);
	must_work(hard ? 0 : -EACCES, "link through a symbolic link");
	if (hard)
		unlink(hard);
}
