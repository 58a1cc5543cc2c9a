/*
 * What leash outside and leash in an engine's container do together beside the
 * frames. Near, on one machine, a socket in the session's directory hands the
 * listening sockets in, and its end tells that who listened is gone. Far, where the
 * container is in a virtual machine, neither gets across: the engine publishes the
 * ports, the end of the input alone is the end of life, and news come by a file in
 * that directory, at which leash outside looks.
 *
 * hand-near.c and hand-far.c are the ways outside, one of which is linked;
 * hand-inside.c knows both.
 */
#pragma once

#include "daemon/session.h"
#include "engine/client.h"

/* From the inside. In the file each is a byte. */
enum hand_news {
	HAND_NO_NEWS,
	HAND_RELEASED, /* the command of a detached session has been let go */
	HAND_ENDED,    /* the session is over, and the container goes by itself */
	HAND_CAME_UP,  /* it has taken what it was handed */
	HAND_TAKEN,    /* far: HAND_CREDIT more bytes of the command's input */
	HAND_GONE,     /* near, and not said: nobody is there any more */
	HAND_NEWS_MAX,
};

/* ---- Outside ------------------------------------------------------------------ */

struct hand {
	int fd; /* -1: not open */
	bool is_up;
	const char *directory; /* the session's; the caller's */
	const struct api_listen *listen;
	const published_ports *ports;
};

#define HAND_INIT                                                                                  \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Which way is it? The inside has to be told. */
bool hand_is_far(void);
/* What the engine has to be told besides. */
void hand_describe(const struct session_options *o, client_words *w);
/*
 * How much of the command's input may be under way. Near, the container takes what its command
 * takes. Far, it always takes all, or what waits there would keep the end of the input, and so of
 * our life, from it: so no more is sent than it can hold.
 */
size_t hand_window(void);
#define HAND_CREDIT ((size_t)64 * 1024)
/* Makes the socket or the file, before the container starts. The options outlive the hand. */
int hand_open(struct hand *h, const struct session_options *o, struct err *err) _must_check_;
/* What is to be read from when there are news; -1: look after HAND_LOOK_MS. */
int hand_poll_fd(const struct hand *h);
#define HAND_LOOK_MS 10
/* The next news, without waiting. */
int hand_next(struct hand *h, struct err *err) _must_check_;
/* Near, ends the container. */
void hand_close(struct hand *h);

/* ---- Inside ------------------------------------------------------------------- */

struct hand_inside {
	int fd; /* -1: nobody is to be told any more */
	bool is_far;
	size_t n_taken; /* of the input, and not told yet */
};

/* Takes the listening sockets, or makes them, and says that it has come up. */
int hand_take(const char *directory, bool is_far, struct api_listen *listen, published_ports *ports,
	      struct hand_inside *ret, struct err *err) _must_check_;
/* Readable when leash outside is gone; -1: nothing says so but the end of the input. */
int hand_life_fd(const struct hand_inside *h);
/* Of a detached session, once: the one outside waits for it. */
int hand_tell_released(const struct hand_inside *h) _must_check_;
/* So many bytes of the input are the command's now, or dropped. */
void hand_tell_taken(struct hand_inside *h, size_t len);
/* Last: the end is the session's own. */
void hand_tell_ended(const struct hand_inside *h);
void hand_let_go(struct hand_inside *h);
