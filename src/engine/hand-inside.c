#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/tcp.h"
#include "engine/hand-private.h"
#include "engine/places.h"

static const struct ipc_type to_inside[HAND_MAX] = {
	[HAND_API] = { "api", 0, 0, 1 },
	[HAND_PORT] = { "port", 0, 0, 1 },
	[HAND_DONE] = { "done", 0, 0, 0 },
};

/* ---- Near --------------------------------------------------------------------- */

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

static int take_near(const char *directory, struct api_listen *listen, published_ports *ports,
		     struct err *err)
{
	struct sockaddr_un a;
	_cleanup_close_ int directory_fd = hand_address(directory, &a);
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

/* ---- Far ---------------------------------------------------------------------- */

static int tell(int fd, enum hand_news news)
{
	unsigned char byte = (unsigned char)news;

	return fd_write_all(fd, &byte, 1);
}

/* At every address of the container: the engine knows to which it leads. */
static int listen_here(uint16_t port, int *ret_fd, struct err *err)
{
	int r = tcp_listen("0.0.0.0", port, /* is_v6_only = */ false, ret_fd);

	return r < 0 ? err_set(err, r, "listen on port %u of the container", port) : 0;
}

static int take_far(const char *directory, struct api_listen *listen, published_ports *ports,
		    struct err *err)
{
	_cleanup_free_ char *path = path_join(directory, PLACES_NEWS);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return err_say(err, -errno,
			       "the container does not have leash's files (%s): its engine must "
			       "share your home directory with its machine, and run on this one "
			       "(DOCKER_HOST, `docker context ls`)",
			       strerror(errno));
	if (listen->address[0])
		r = listen_here(listen->port, &listen->fd, err);
	for (size_t i = 0; i < ports->len && r >= 0; i++)
		r = listen_here(ports->items[i].host, &ports->items[i].listen_fd, err);
	if (r < 0)
		return r;
	r = tell(fd, HAND_CAME_UP);
	return r < 0 ? err_set(err, r, "write to leash outside") : TAKE_FD(fd);
}

/* ---- Both --------------------------------------------------------------------- */

int hand_take(const char *directory, bool is_far, struct api_listen *listen, published_ports *ports,
	      struct hand_inside *ret, struct err *err)
{
	int fd = is_far ? take_far(directory, listen, ports, err)
			: take_near(directory, listen, ports, err);

	if (fd < 0)
		return fd;
	*ret = (struct hand_inside){ .fd = fd, .is_far = is_far };
	return 0;
}

int hand_life_fd(const struct hand_inside *h)
{
	return h->is_far ? -1 : h->fd;
}

static int tell_any(const struct hand_inside *h, enum hand_news news)
{
	return h->is_far ? tell(h->fd, news)
			 : ipc_send(h->fd, (uint16_t)news, 0, (struct span){ 0 }, NULL, 0);
}

int hand_tell_released(const struct hand_inside *h)
{
	return tell_any(h, HAND_RELEASED);
}

void hand_tell_taken(struct hand_inside *h, size_t len)
{
	if (!h->is_far || h->fd < 0)
		return;
	/* Where it cannot be written, less is sent: that does no harm but wait. */
	for (h->n_taken += len; h->n_taken >= HAND_CREDIT; h->n_taken -= HAND_CREDIT)
		(void)tell(h->fd, HAND_TAKEN);
}

void hand_tell_ended(const struct hand_inside *h)
{
	/* Where nobody hears it nobody needs it. */
	if (h->fd >= 0)
		(void)tell_any(h, HAND_ENDED);
}

void hand_let_go(struct hand_inside *h)
{
	cleanup_close(&h->fd);
	h->fd = -1;
}
