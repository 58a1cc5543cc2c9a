#include <errno.h>
#include <fcntl.h>

#include "base/socket.h"

/* Not at once: no other thread may start a program meanwhile. */
int socket_open(int domain, int type)
{
	_cleanup_close_ int fd = socket(domain, type, 0);

	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return TAKE_FD(fd);
}
