#include "engine/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/ipc.h"
#include "engine/places.h"

static const struct ipc_type to_inside[HAND_MAX] = {
	[HAND_API] = { "api", 0, 0, 1 },
	[HAND_PORT] = { "port", 0, 0, 1 },
	[HAND_DONE] = { "done", 0, 0, 0 },
};

static const struct ipc_type to_outside[HAND_NEWS_MAX] = {
	[HAND_RELEASED] = { "released", 0, 0, 0 },
	[HAND_ENDED] = { "ended", 0, 0, 0 },
};

/* By the directory's descriptor: a socket's address is short, and paths are not. */
static int address(const char *directory, struct sockaddr_un *ret)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", fd,
		       PLACES_SOCKET);
	return fd;
}

int hand_listen(const char *directory, struct err *err)
{
	struct sockaddr_un a;
	_cleanup_close_ int directory_fd = address(directory, &a);
	_cleanup_close_ int fd = -1;

	if (directory_fd < 0)
		return err_set(err, directory_fd, "open %s", directory);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return err_set(err, -errno, "make the session's socket in %s", directory);
	return TAKE_FD(fd);
}

void hand_unlink(const char *directory)
{
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)unlinkat(fd, PLACES_SOCKET, 0);
}

static int give_all(int fd, const struct api_listen *listen, const published_ports *ports)
{
	int r = 0;

	if (listen->fd >= 0)
		r = ipc_send(fd, HAND_API, 0, (struct span){ 0 }, &listen->fd, 1);
	for (size_t i = 0; i < ports->len && r >= 0; i++)
		r = ipc_send(fd, HAND_PORT, (uint32_t)i, (struct span){ 0 },
			     &ports->items[i].listen_fd, 1);
	return r < 0 ? r : ipc_send(fd, HAND_DONE, 0, (struct span){ 0 }, NULL, 0);
}

int hand_over(int listen_fd, const struct api_listen *listen, const published_ports *ports,
	      struct err *err)
{
	_cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "hear from the container");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
		return err_say(err, -EPERM, "another user's process calls itself the container");
	r = give_all(fd, listen, ports);
	return r < 0 ? err_set(err, r, "hand the ports to the container") : TAKE_FD(fd);
}

static int take_one(struct ipc_message *m, struct api_listen *listen, published_ports *ports)
{
	switch (m->type) {
	case HAND_API:
		if (listen->fd >= 0)
			return -EBADMSG;
		listen->fd = TAKE_FD(m->fds[0]);
		return 0;
	case HAND_PORT:
		if (m->id >= ports->len || ports->items[m->id].listen_fd >= 0)
			return -EBADMSG;
		ports->items[m->id].listen_fd = TAKE_FD(m->fds[0]);
		return 0;
	default:
		return 1;
	}
}

static bool has_all(const published_ports *ports)
{
	for (size_t i = 0; i < ports->len; i++)
		if (ports->items[i].listen_fd < 0)
			return false;
	return true;
}

static int take_all(int fd, struct api_listen *listen, published_ports *ports)
{
	int r = 0;

	while (r == 0) {
		_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;

		r = ipc_receive(fd, to_inside, HAND_MAX, &m);
		if (r == 0)
			return -ECONNRESET;
		if (r > 0)
			r = take_one(&m, listen, ports);
	}
	return r < 0 ? r : has_all(ports) ? 0 : -EBADMSG;
}

int hand_take(const char *directory, struct api_listen *listen, published_ports *ports,
	      struct err *err)
{
	struct sockaddr_un a;
	_cleanup_close_ int directory_fd = address(directory, &a);
	_cleanup_close_ int fd = -1;
	int r;

	if (directory_fd < 0)
		return err_set(err, directory_fd, "open %s", directory);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, -errno, "make a socket");
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_say(err, -errno,
			       "the container does not reach leash outside (%s): its engine must "
			       "run on this machine, neither on another one nor in a virtual one "
			       "(DOCKER_HOST, `docker context ls`)",
			       strerror(errno));
	r = take_all(fd, listen, ports);
	return r < 0 ? err_set(err, r, "take the session's ports") : TAKE_FD(fd);
}

int hand_tell_released(int fd)
{
	return ipc_send(fd, HAND_RELEASED, 0, (struct span){ 0 }, NULL, 0);
}

void hand_tell_ended(int fd)
{
	/* Where nobody hears it nobody needs it. */
	if (fd >= 0)
		(void)ipc_send(fd, HAND_ENDED, 0, (struct span){ 0 }, NULL, 0);
}

int hand_hear(int fd)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r = ipc_receive(fd, to_outside, HAND_NEWS_MAX, &m);

	return r > 0 ? (int)m.type : r;
}
