/*
 * /dev of the container: the few devices that every program expects, a
 * terminal multiplexer of its own, shared memory and message queues of its own.
 */
#pragma once

#include "base/err.h"

#define DEVICES_COUNT 6
/* Where the container's own POSIX message queues are. */
#define DEVICES_QUEUES "/dev/mqueue"

struct devices {
	int fds[DEVICES_COUNT]; /* detached mounts of the host's nodes */
};

#define DEVICES_INIT                                                                               \
	{                                                                                          \
		{                                                                                  \
			-1, -1, -1, -1, -1, -1                                                     \
		}                                                                                  \
	}

/* Takes the host's nodes, while /dev is still the host's. */
int devices_take(struct devices *d, struct err *err) _must_check_;
/* Mounts the container's /dev. */
int devices_mount(const struct devices *d, struct err *err) _must_check_;
void devices_done(struct devices *d);
