#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/running.h"
#include "event/store.h"

int running_process_open(const struct running *r, struct running_process *ret, struct err *err)
{
	_cleanup_close_ int fd = -1;

	if (r->pid <= 1)
		return err_say(err, -ESRCH, "the session %s has not said which process it is",
			       r->id);
	fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (fd < 0)
		return err_set(err, -errno, "find the process of the session %s", r->id);
	/* While it holds its lock it lives, and so nobody else has had its number meanwhile. */
	if (!event_store_is_open(r->directory))
		return err_say(err, -ESRCH, "the session %s is over", r->id);
	*ret = (struct running_process){ TAKE_FD(fd), r };
	return 0;
}

void running_process_close(struct running_process *p)
{
	cleanup_close(&p->fd);
}

int running_process_signal(const struct running_process *p, int number)
{
	if (syscall(SYS_pidfd_send_signal, p->fd, number, NULL, 0) < 0 && errno != ESRCH)
		return -errno;
	return 0;
}

int running_process_wait(const struct running_process *p, uint64_t wait_ms)
{
	struct pollfd poll_fd = { .fd = p->fd, .events = POLLIN };
	int n;

	do
		n = poll(&poll_fd, 1, (int)wait_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}
