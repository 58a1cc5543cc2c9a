#include "openers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

static int by_openat(const char *path)
{
	return openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
}

#ifdef SYS_open
static int by_open(const char *path)
{
	return (int)syscall(SYS_open, path, O_RDONLY);
}
#endif

static int by_openat_nonblock(const char *path)
{
	return openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_LARGEFILE);
}

static int by_openat_create(const char *path)
{
	return openat(AT_FDCWD, path, O_RDONLY | O_CREAT, 0600);
}

static int by_openat_directory_fd(const char *path)
{
	int result, fd = open(directory_of(path[0] == '/' ? path : in("./%s", path)),
			      O_PATH | O_DIRECTORY);

	if (fd < 0)
		return -1;
	result = openat(fd, name_of(path), O_RDONLY);
	close(fd);
	return result;
}

/* The upper half of the flags is not looked at by openat, but a filter or a copy may see it. */
static int by_openat_high_bits(const char *path)
{
	return (int)syscall(SYS_openat, 0xdeadbeef00000000UL | (unsigned int)AT_FDCWD, path,
			    0xdeadbeef00000000UL | O_RDONLY, 0);
}

static int by_openat2(const char *path)
{
	struct open_how how = { .flags = O_RDONLY };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* A structure larger than the kernel's, with zeros behind, is valid. */
static int by_openat2_large(const char *path)
{
	struct {
		struct open_how how;
		char zeros[512];
	} large = { .how = { .flags = O_RDONLY } };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &large, sizeof(large));
}

static int by_openat2_in_root(const char *path)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT };
	int result, root = open("/", O_PATH | O_DIRECTORY);

	result = (int)syscall(SYS_openat2, path[0] == '/' ? root : AT_FDCWD, path, &how,
			      sizeof(how));
	close(root);
	return result;
}

static int by_openat2_beneath(const char *path)
{
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	int result, fd = open(directory_of(path[0] == '/' ? path : in("./%s", path)),
			      O_PATH | O_DIRECTORY);

	if (fd < 0)
		return -1;
	result = (int)syscall(SYS_openat2, fd, name_of(path), &how, sizeof(how));
	close(fd);
	return result;
}

static int reopen(int path_fd, const char *format)
{
	int result;

	if (path_fd < 0)
		return -1;
	result = open(in(format, path_fd), O_RDONLY);
	close(path_fd);
	return result;
}

static int by_path_fd(const char *path)
{
	return reopen(open(path, O_PATH), "/proc/self/fd/%d");
}

static int by_path_fd_dev(const char *path)
{
	return reopen(open(path, O_PATH), "/dev/fd/%d");
}

static int by_path_fd_thread(const char *path)
{
	return reopen(open(path, O_PATH), "/proc/thread-self/fd/%d");
}

static int by_path_fd_openat(const char *path)
{
	int result, fd = open(path, O_PATH),
		    directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);

	if (fd < 0 || directory < 0)
		return -1;
	result = openat(directory, in("%d", fd), O_RDONLY);
	close(fd);
	close(directory);
	return result;
}

static int by_changing_directory(const char *path)
{
	char before[4096];
	int result;

	if (!getcwd(before, sizeof(before)))
		give_up("getcwd");
	if (chdir(directory_of(path[0] == '/' ? path : in("./%s", path))) < 0)
		return -1;
	result = open(name_of(path), O_RDONLY);
	if (chdir(before) < 0)
		give_up("chdir %s", before);
	return result;
}

/* Access mode 3 asks for no reading and no writing, but for the permission to both (ioctl). */
static int by_read_write(const char *path)
{
	return open(path, O_RDWR);
}

static int by_handle(const char *path)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, result, mount;

	if (name_to_handle_at(AT_FDCWD, path, &u.handle, &mount_id, AT_SYMLINK_FOLLOW) < 0)
		return -1;
	mount = open(directory_of(path[0] == '/' ? path : in("./%s", path)),
		     O_RDONLY | O_DIRECTORY);
	result = open_by_handle_at(mount, &u.handle, O_RDONLY);
	if (mount >= 0)
		close(mount);
	return result;
}

const struct opener openers[] = {
	{ "openat", by_openat },
#ifdef SYS_open
	{ "open", by_open },
#endif
	{ "openat O_NONBLOCK", by_openat_nonblock },
	{ "openat O_CREAT", by_openat_create },
	{ "openat with a directory", by_openat_directory_fd },
	{ "openat with high bits", by_openat_high_bits },
	{ "openat2", by_openat2 },
	{ "openat2 with a larger structure", by_openat2_large },
	{ "openat2 RESOLVE_IN_ROOT", by_openat2_in_root },
	{ "openat2 RESOLVE_BENEATH", by_openat2_beneath },
	{ "O_PATH and /proc/self/fd", by_path_fd },
	{ "O_PATH and /dev/fd", by_path_fd_dev },
	{ "O_PATH and /proc/thread-self/fd", by_path_fd_thread },
	{ "O_PATH and openat(/proc/self/fd)", by_path_fd_openat },
	{ "chdir and open", by_changing_directory },
	{ "openat O_RDWR", by_read_write },
	{ "open_by_handle_at", by_handle },
	{ 0 },
};
