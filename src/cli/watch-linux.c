#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cli/watch.h"

int watch_open(const char *directory, struct err *err)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || inotify_add_watch(fd, directory,
					IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
		return err_set(err, -errno, "watch %s", directory);
	return TAKE_FD(fd);
}

int watch_wait(int fd, int most_ms, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char changes[4096];

	if (poll(&p, 1, most_ms) < 0 && errno != EINTR)
		return err_set(err, -errno, "wait for changes");
	if (read(fd, changes, sizeof(changes)) < 0 && errno != EAGAIN && errno != EINTR)
		return err_set(err, -errno, "wait for changes");
	return 0;
}
