#include "supervise/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int notify_size(size_t *ret)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return -errno;
	*ret = MAX((size_t)sizes.seccomp_notif, sizeof(struct seccomp_notif));
	return 0;
}

int notify_set_sync_wake(int listener_fd)
{
	if (ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) <
	    0)
		return -errno;
	return 0;
}

int notify_receive(int listener_fd, struct seccomp_notif *n, size_t len)
{
	memset(n, 0, len);
	return ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, n) < 0 ? -errno : 0;
}

bool notify_is_valid(int listener_fd, uint64_t id)
{
	return ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static int send(int listener_fd, struct seccomp_notif_resp *answer)
{
	int r;

	do
		r = ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, answer);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int notify_answer(int listener_fd, uint64_t id, int64_t value, int error)
{
	struct seccomp_notif_resp answer = { .id = id, .val = error ? 0 : value, .error = error };

	return send(listener_fd, &answer);
}

int notify_continue(int listener_fd, uint64_t id)
{
	struct seccomp_notif_resp answer = { .id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return send(listener_fd, &answer);
}

static int add_fd(int listener_fd, uint64_t id, int fd, bool close_on_exec, uint32_t flags)
{
	struct seccomp_notif_addfd add = { .id = id,
					   .flags = flags,
					   .srcfd = (uint32_t)fd,
					   .newfd_flags = close_on_exec ? O_CLOEXEC : 0 };
	int r = ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return r < 0 ? -errno : r;
}

int notify_give_fd(int listener_fd, uint64_t id, int fd, bool close_on_exec)
{
	return add_fd(listener_fd, id, fd, close_on_exec, SECCOMP_ADDFD_FLAG_SEND);
}

int notify_place_fd(int listener_fd, uint64_t id, int fd, bool close_on_exec)
{
	return add_fd(listener_fd, id, fd, close_on_exec, 0);
}
