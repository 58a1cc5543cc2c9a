/*
 * The file is locked as long as leash outside lives, which is how others know that the
 * session runs: the locks that are held inside are another kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "engine/hand.h"
#include "engine/places.h"

/* Together with the last piece, less than the inside's buffer (inside.c). */
#define HAND_WINDOW (4 * HAND_CREDIT)

bool hand_is_far(void)
{
	return true;
}

size_t hand_window(void)
{
	return HAND_WINDOW;
}

static void publish(const char *address, uint16_t port, client_words *w)
{
	bool is_v6 = strchr(address, ':');

	client_add(w, "--publish");
	client_addf(w, "%s%s%s:%u:%u/tcp", is_v6 ? "[" : "", address, is_v6 ? "]" : "", port, port);
}

/* Ports by the numbers that they have outside: so what the session says of them is right. */
void hand_describe(const struct session_options *o, client_words *w)
{
	/* Nobody inside is root, and a number below 1024 may have been asked for. */
	client_add(w, "--sysctl");
	client_add(w, "net.ipv4.ip_unprivileged_port_start=0");
	/* A directory that is shared need not take sockets, and nobody outside could use one. */
	if (o->attach_socket) {
		client_add(w, "--tmpfs");
		client_add(w, PLACES_LOCAL ":mode=1777");
	}
	if (o->listen->address[0])
		publish(o->listen->address, o->listen->port, w);
	for (size_t i = 0; i < o->ports->len; i++)
		publish(o->ports->items[i].address, o->ports->items[i].host, w);
}

/* They were taken while it was not clear what is free; now the engine takes them. */
static void give_up_ports(const struct session_options *o)
{
	api_listen_close(o->listen);
	for (size_t i = 0; i < o->ports->len; i++)
		if (o->ports->items[i].listen_fd >= 0)
			fd_close(TAKE_FD(o->ports->items[i].listen_fd));
}

int hand_open(struct hand *h, const struct session_options *o, struct err *err)
{
	_cleanup_free_ char *path = path_join(o->directory, PLACES_NEWS);
	_cleanup_close_ int fd =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_set(err, -errno, "create %s", path);
	r = lock_take(fd);
	if (r < 0)
		return err_set(err, r, "lock %s", path);
	give_up_ports(o);
	*h = (struct hand){ TAKE_FD(fd), false, o->directory, o->listen, o->ports };
	return 0;
}

int hand_poll_fd(const struct hand *h)
{
	(void)h;
	return -1;
}

int hand_next(struct hand *h, struct err *err)
{
	unsigned char news;
	ssize_t n = read(h->fd, &news, 1);

	if (n < 0 && errno != EINTR)
		return err_set(err, -errno, "hear from the container");
	if (n <= 0)
		return HAND_NO_NEWS;
	if (news == HAND_CAME_UP)
		h->is_up = true;
	return news < HAND_NEWS_MAX ? news : HAND_NO_NEWS;
}

void hand_close(struct hand *h)
{
	cleanup_close(&h->fd);
	h->fd = -1;
}
