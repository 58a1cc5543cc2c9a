#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/hand-private.h"
#include "engine/places.h"

static const struct ipc_type to_outside[HAND_NEWS_MAX] = {
	[HAND_RELEASED] = { "released", 0, 0, 0 },
	[HAND_ENDED] = { "ended", 0, 0, 0 },
};

bool hand_is_far(void)
{
	return false;
}

size_t hand_window(void)
{
	return SIZE_MAX;
}

void hand_describe(const struct session_options *o, client_words *w)
{
	(void)o;
	(void)w;
}

int hand_open(struct hand *h, const struct session_options *o, struct err *err)
{
	struct sockaddr_un a;
	_cleanup_close_ int directory_fd = hand_address(o->directory, &a);
	_cleanup_close_ int fd = -1;

	if (directory_fd < 0)
		return err_set(err, directory_fd, "open %s", o->directory);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0)
		return err_set(err, -errno, "make the session's socket in %s", o->directory);
	*h = (struct hand){ TAKE_FD(fd), false, o->directory, o->listen, o->ports };
	return 0;
}

int hand_poll_fd(const struct hand *h)
{
	return h->fd;
}

static void remove_socket(const char *directory)
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
	if (r >= 0)
		r = ipc_send(fd, HAND_DONE, 0, (struct span){ 0 }, NULL, 0);
	return r < 0 ? r : fd_set_nonblock(fd, true);
}

/* Takes the one who connects, who must be this user, and gives him everything. */
static int hand_over(struct hand *h, struct err *err)
{
	_cleanup_close_ int fd = accept4(h->fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "hear from the container");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
		return err_say(err, -EPERM, "another user's process calls itself the container");
	r = give_all(fd, h->listen, h->ports);
	if (r < 0)
		return err_set(err, r, "hand the ports to the container");
	fd_close(h->fd);
	h->fd = TAKE_FD(fd);
	h->is_up = true;
	remove_socket(h->directory);
	return HAND_CAME_UP;
}

int hand_next(struct hand *h, struct err *err)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int r;

	if (!h->is_up)
		return hand_over(h, err);
	r = ipc_receive(h->fd, to_outside, HAND_NEWS_MAX, &m);
	if (r == -EAGAIN)
		return HAND_NO_NEWS;
	return r > 0 ? (int)m.type : HAND_GONE;
}

void hand_close(struct hand *h)
{
	if (h->fd < 0)
		return;
	if (!h->is_up)
		remove_socket(h->directory);
	fd_close(TAKE_FD(h->fd));
}
