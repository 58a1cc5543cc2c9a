#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

int fd_read_all(int fd, struct buf *out)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (buf_append(out, chunk, (size_t)n) < 0)
			return -EMSGSIZE;
	}
}

int file_read_at(int dir_fd, const char *path, struct buf *out)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd_read_all(fd, out);
}

int fd_write_all(int fd, const void *p, size_t len)
{
	const char *at = p;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_new(const char *path, struct span content, unsigned mode, bool want_sync)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, content.p, content.len);
	if (r < 0)
		return r;
	return want_sync && fsync(fd) < 0 ? -errno : 0;
}

int file_replace(const char *path, struct span content, unsigned mode, bool want_sync, struct err *err)
{
	_cleanup_free_ char *temporary = xasprintf("%s.%d.new", path, (int)getpid());
	int r;

	(void)unlink(temporary);
	r = write_new(temporary, content, mode, want_sync);
	if (r >= 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return err_set(err, r, "write %s", path);
	}
	return 0;
}

int file_replace_target(const char *path, struct span content, unsigned mode, bool want_sync,
			struct err *err)
{
	_cleanup_free_ char *target = path_resolve(path);
	_cleanup_free_ char *directory = NULL;
	struct span above;
	int r;

	if (!target)
		return err_set(err, -errno, "%s", path);
	above = path_directory(span_of(target));
	directory = xmemdup0(above.p, above.len);
	r = mkdir_all(directory, 0700);
	if (r < 0)
		return err_set(err, r, "make the directory %s", directory);
	return file_replace(target, content, mode, want_sync, err);
}

int mkdir_all(const char *path, unsigned mode)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *p = copy + 1; copy[0]; p++) {
		char c = *p;

		if (c != '/' && c != 0)
			continue;
		*p = 0;
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = c;
		if (c == 0)
			return 0;
	}
	return -EINVAL;
}

int fd_open_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++)
		/* The lowest number that is free is this one. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return errno ? -errno : -EBADF;
	return 0;
}

int fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_map(int fd, struct span *ret)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size == 0) {
		*ret = (struct span){ 0 };
		return 0;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = span_make(p, (size_t)st.st_size);
	return 0;
}

void memfd_unmap(struct span mapped)
{
	if (mapped.len)
		(void)munmap((void *)(uintptr_t)mapped.p, mapped.len);
}

void fd_close(int fd)
{
	cleanup_close(&fd);
}
