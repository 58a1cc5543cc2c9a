/*
 * Where there are no sealed memory files: a file without a name, open for reading
 * alone. Only this process and those that it hands the descriptor to have it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

int memfd_sealed(const char *name, struct span content)
{
	char path[] = "/tmp/leash-XXXXXX";
	_cleanup_close_ int writing = mkstemp(path);
	_cleanup_close_ int fd = -1;
	int r;

	(void)name;
	if (writing < 0)
		return -errno;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : 0;
	if (unlink(path) < 0 && r == 0)
		r = -errno;
	if (r == 0)
		r = fd_write_all(writing, content.p, content.len);
	return r < 0 ? r : TAKE_FD(fd);
}

int memfd_map_sealed(int fd, struct span *ret)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;
	void *p;

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((flags & O_ACCMODE) != O_RDONLY || st.st_nlink)
		return -EINVAL;
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
