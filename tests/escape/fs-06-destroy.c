/*
 * FS-06: destroy or empty what may only be read. DENIED is readable and not writable, DENIED_DIR an
 * empty directory of the same kind. Whether anything happened is read off the object itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

static const char *victim;
static const char *expected;

/* The result of the call counts only if the object has changed, else it would be a false alarm. */
static int harm(long result)
{
	int error = outcome(result);
	int content = has_content(open(victim, O_RDONLY), expected);

	if (content < 0 || error == 0) {
		unlink(victim);
		put(victim, expected);
		return 0;
	}
	return error;
}

static int on_fd(int flags, int (*fn)(int))
{
	int result, fd = open(victim, flags);

	if (fd < 0)
		return -1;
	result = fn(fd);
	close(fd);
	return result;
}

static int truncate_fd(int fd)
{
	return ftruncate(fd, 0);
}

static int punch_fd(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}

static int write_fd(int fd)
{
	return pwrite(fd, "x", 1, 0) == 1 ? 0 : -1;
}

static int reopen_and_truncate_fd(int fd)
{
	return truncate(in("/proc/self/fd/%d", fd), 0);
}

static int reopen_and_write_fd(int fd)
{
	int result, again = open(in("/proc/self/fd/%d", fd), O_WRONLY);

	if (again < 0)
		return -1;
	result = write_fd(again);
	close(again);
	return result;
}

static int rename_over(unsigned int flags)
{
	const char *mine = in("%s/fs-06-mine-%d", work, gettid());
	int result;

	put(mine, "replaced");
	result = renameat2(AT_FDCWD, mine, AT_FDCWD, victim, flags);
	unlink(mine);
	return result;
}

static int unlink_in_directory(void)
{
	int result, fd = open(directory_of(victim), O_PATH | O_DIRECTORY);

	result = unlinkat(fd, name_of(victim), 0);
	close(fd);
	return result;
}

static void files(void (*expect)(int, const char *, ...), const char *path, const char *content)
{
	victim = path;
	expected = content;
	expect(harm(truncate(victim, 0)), "truncate");
	expect(harm(took(open(victim, O_RDONLY | O_TRUNC)) < 0 ? -1 : 0), "O_RDONLY | O_TRUNC");
	expect(harm(took(creat(victim, 0600)) < 0 ? -1 : 0), "creat");
	expect(harm(on_fd(O_RDWR, truncate_fd)), "ftruncate");
	expect(harm(on_fd(O_RDWR, punch_fd)), "fallocate");
	expect(harm(on_fd(O_WRONLY, write_fd)), "O_WRONLY and write");
	expect(harm(on_fd(O_WRONLY | O_APPEND, write_fd)), "O_APPEND and write");
	expect(harm(on_fd(O_PATH, reopen_and_truncate_fd)), "O_PATH, truncate(/proc/self/fd)");
	expect(harm(on_fd(O_RDONLY, reopen_and_truncate_fd)), "O_RDONLY, truncate(/proc/self/fd)");
	expect(harm(on_fd(O_PATH, reopen_and_write_fd)), "O_PATH, open(/proc/self/fd) for writing");
	expect(harm(on_fd(O_RDONLY, reopen_and_write_fd)),
	       "O_RDONLY, open(/proc/self/fd) for writing");
	expect(harm(rename_over(0)), "another file renamed over it");
	expect(harm(rename_over(RENAME_EXCHANGE)), "exchanged with another file");
	expect(harm(unlink(victim)), "unlink");
	expect(harm(unlinkat(AT_FDCWD, victim, 0)), "unlinkat");
	expect(harm(unlink_in_directory()), "unlinkat with a directory");
}

static int read_only_descriptors(int (*fn)(int))
{
	int result, fd = open(victim, O_RDONLY);

	if (fd < 0)
		return -1;
	result = fn(fd);
	close(fd);
	return result;
}

static int remove_by(int way, const char *path)
{
	int result;

	if (way == 0)
		result = rmdir(path);
	else if (way == 1)
		result = unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
	else
		result = rename(path, in("%s/fs-06-away-%d", work, gettid()));
	if (result < 0)
		return outcome(result);
	rmdir(in("%s/fs-06-away-%d", work, gettid()));
	mkdir(path, 0755);
	return 0;
}

void technique(void)
{
	const char *denied_dir = need("DENIED_DIR"), *mine = in("%s/fs-06-file-%d", work, gettid());
	const char *my_dir = in("%s/fs-06-dir-%d", work, gettid());

	files(must_fail, denied, secret);
	victim = denied;
	must_fail(harm(read_only_descriptors(truncate_fd)), "ftruncate on a read-only descriptor");
	must_fail(harm(read_only_descriptors(punch_fd)), "fallocate on a read-only descriptor");
	put(mine, "public");
	files(must_work, mine, "public");
	unlink(mine);
	mkdir(my_dir, 0755);
	for (int way = 0; way < 3; way++) {
		must_fail(remove_by(way, denied_dir), "a directory removed, way %d", way);
		must_work(remove_by(way, my_dir), "a directory removed, way %d", way);
	}
	rmdir(my_dir);
}
