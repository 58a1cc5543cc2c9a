/*
 * The socket between leash outside and leash in an engine's container: hands
 * the listening sockets in, and its end tells that who listened is gone.
 */
#pragma once

#include "daemon/session.h"

enum hand_message {
	HAND_NONE,
	HAND_API,  /* fd: where the API is served */
	HAND_PORT, /* with the port's number in their order as id, fd: a published port */
	HAND_DONE, /* that was all */
	HAND_MAX,
};

/* The other way. */
enum hand_news {
	HAND_NO_NEWS,
	HAND_RELEASED, /* the command of a detached session has been let go */
	HAND_ENDED,    /* the session is over, and the container goes by itself */
	HAND_NEWS_MAX,
};

/* Makes the socket in the directory. Returns the listening descriptor. */
int hand_listen(const char *directory, struct err *err) _must_check_;
void hand_unlink(const char *directory);
/* Takes the one who connects, who must be this user, and gives him everything. Returns its
 * descriptor. */
int hand_over(int listen_fd, const struct api_listen *listen, const published_ports *ports,
	      struct err *err) _must_check_;
/* The next news (-EAGAIN where the socket does not wait for it), HAND_NO_NEWS when the other side
 * is gone. */
int hand_hear(int fd) _must_check_;
/* The other side: connects and takes all. Returns the descriptor, to be kept open. */
int hand_take(const char *directory, struct api_listen *listen, published_ports *ports,
	      struct err *err) _must_check_;
/* Of a detached session, once: the one outside waits for it. */
int hand_tell_released(int fd) _must_check_;
/* Last: the end is the session's own. -1 allowed. */
void hand_tell_ended(int fd);
