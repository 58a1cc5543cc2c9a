#include <errno.h>
#include <sys/file.h>

#include "base/lock.h"

int lock_take(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

/* There is no asking: it is taken for a moment, beside others who ask. */
bool lock_is_taken(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	(void)flock(fd, LOCK_UN);
	return false;
}
