/*
 * Where there are no sealed memory files: a file without a name, open for reading
 * alone. Only this process and those that it hands the descriptor to have it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

	if (flags < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((flags & O_ACCMODE) != O_RDONLY || st.st_nlink)
		return -EINVAL;
	return fd_map(fd, ret);
}
