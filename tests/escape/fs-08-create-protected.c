/*
 * FS-08: bring a protected name into being that does not exist yet. DENIED is such a name, and
 * neither it nor (with ABSENT_PARENT) its directory exists. ALLOWED is an absent permitted name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts =
	CONTEXT_SELF | CONTEXT_THREAD | CONTEXT_ORPHAN | CONTEXT_EXEC;

enum { N_WAYS = 17 };

static bool is_parent_absent;

static const char *mine(const char *suffix)
{
	return in("%s/fs-08-%d%s", work, gettid(), suffix);
}

static int link_temporary(const char *path)
{
	int result, fd = open(work, O_TMPFILE | O_WRONLY, 0644);

	if (fd < 0)
		return -1;
	if (write(fd, "evil", 4) != 4)
		give_up("write to O_TMPFILE");
	result = linkat(AT_FDCWD, in("/proc/self/fd/%d", fd), AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	close(fd);
	return result;
}

static int link_temporary_of_directory(const char *path)
{
	int result, fd = open(directory_of(path), O_TMPFILE | O_WRONLY, 0644);

	if (fd < 0)
		return -1;
	result = linkat(fd, "", AT_FDCWD, path, AT_EMPTY_PATH);
	close(fd);
	return result;
}

static int bind_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int result, directory, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	directory = open(directory_of(path), O_PATH | O_DIRECTORY);
	if (directory < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%.60s", directory,
		 name_of(path));
	result = bind(fd, (struct sockaddr *)&address, sizeof(address));
	close(directory);
	close(fd);
	return result;
}

static int create_in_directory_fd(const char *path)
{
	int result, fd = open(directory_of(path), O_PATH | O_DIRECTORY);

	result = openat(fd, name_of(path), O_WRONLY | O_CREAT | O_EXCL, 0644);
	close(fd);
	return result;
}

static int create_through_dangling_link(const char *path)
{
	const char *link = mine("-dangling");
	int fd;

	if (symlink(path, link) < 0)
		give_up("symlink");
	fd = open(link, O_WRONLY | O_CREAT, 0644);
	unlink(link);
	return fd;
}

static int create_with_openat2(const char *path)
{
	struct {
		__u64 flags, mode, resolve;
	} how = { .flags = O_WRONLY | O_CREAT, .mode = 0644 };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static int rename_file(const char *path)
{
	put(mine("-file"), "evil");
	return rename(mine("-file"), path);
}

static int hard_link(const char *path)
{
	put(mine("-file"), "evil");
	return link(mine("-file"), path);
}

static void make_staging(const char *path)
{
	mkdir(mine("-dir"), 0755);
	put(in("%s/%s", mine("-dir"), name_of(path)), "evil");
}

/* The parent's name may be free to take: a prepared directory is moved or linked to it. */
static int rename_directory(const char *path)
{
	make_staging(path);
	return renameat2(AT_FDCWD, mine("-dir"), AT_FDCWD, directory_of(path), RENAME_NOREPLACE);
}

static int link_directory(const char *path)
{
	make_staging(path);
	return symlink(mine("-dir"), directory_of(path));
}

static int exchange_directory(const char *path)
{
	make_staging(path);
	mkdir(directory_of(path), 0755);
	return renameat2(AT_FDCWD, mine("-dir"), AT_FDCWD, directory_of(path), RENAME_EXCHANGE);
}

static int way(int number, const char *path)
{
	switch (number) {
	case 0:
		return open(path, O_WRONLY | O_CREAT, 0644);
	case 1:
		return creat(path, 0644);
	case 2:
		return create_with_openat2(path);
	case 3:
		return create_in_directory_fd(path);
	case 4:
		return create_through_dangling_link(path);
	case 5:
		return mkdir(path, 0755);
	case 6:
		return mknod(path, S_IFREG | 0644, 0);
	case 7:
		return mkfifo(path, 0644);
	case 8:
		return symlink("/etc/passwd", path);
	case 9:
		return rename_file(path);
	case 10:
		return hard_link(path);
	case 11:
		return link_temporary(path);
	case 12:
		return link_temporary_of_directory(path);
	case 13:
		return bind_socket(path);
	case 14:
		return rename_directory(path);
	case 15:
		return link_directory(path);
	default:
		return exchange_directory(path);
	}
}

static void remove_all(const char *path)
{
	const char *above = directory_of(path);

	unlink(path);
	rmdir(path);
	if (is_parent_absent) {
		unlink(above);
		rmdir(above);
	}
	unlink(mine("-file"));
	unlink(in("%s/%s", mine("-dir"), name_of(path)));
	rmdir(mine("-dir"));
}

static int attempt(int number, const char *path)
{
	int result;

	if (is_parent_absent && number < 14)
		mkdir(directory_of(path), 0755);
	result = way(number, path);
	if (result > 2)
		close(result);
	result = outcome(result);
	/* Only what stands there afterwards counts. */
	if (exists(path))
		result = 0;
	else if (result == 0)
		result = -ENOENT;
	remove_all(path);
	return result;
}

void technique(void)
{
	is_parent_absent = optional("ABSENT_PARENT", NULL) != NULL;
	for (int i = 0; i < N_WAYS; i++) {
		int result;

		/* Replacing a directory that has to stay needs a place of the test's own. */
		if (i >= 14 && !is_parent_absent)
			break;
		must_fail(attempt(i, denied), "creating it, way %d", i);
		result = attempt(i, allowed);
		/* O_TMPFILE by AT_EMPTY_PATH needs a capability; a socket's address takes no magic
		 * link. */
		if (i != 12 && i != 13)
			must_work(result, "creating it, way %d", i);
	}
}
