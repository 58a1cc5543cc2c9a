#include <errno.h>
#include <poll.h>
#include <sys/file.h>

#include "base/lock.h"

#define MAX_TRIES 10

/* Who asks has it for a moment, too. */
int lock_take(int fd)
{
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (i == MAX_TRIES)
			return -EAGAIN;
		(void)poll(NULL, 0, 1);
	}
	return 0;
}

/* There is no asking: it is taken for a moment, beside others who ask. */
bool lock_is_taken(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	(void)flock(fd, LOCK_UN);
	return false;
}
