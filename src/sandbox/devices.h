/*
 * A /dev of the container's own: the harmless devices of the host, a devpts
 * instance, shared memory, and the usual links.
 */
#pragma once

#include "base/err.h"

#define DEVICES_N 6

struct devices {
	int fds[DEVICES_N]; /* detached mounts of the host's device nodes */
};

#define DEVICES_INIT { .fds = { -1, -1, -1, -1, -1, -1 } }

/* While the host's /dev is still there. */
int devices_take(struct devices *d, struct err *err) _must_check_;
/* In the new root. */
int devices_place(struct devices *d, struct err *err) _must_check_;
void devices_done(struct devices *d);
