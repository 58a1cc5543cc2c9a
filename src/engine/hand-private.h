/* What goes over the socket that leads into a container on the same machine. */
#pragma once

#include "base/ipc.h"
#include "engine/hand.h"

enum hand_message {
	HAND_NONE,
	HAND_API,  /* fd: where the API is served */
	HAND_PORT, /* with the port's number in their order as id, fd: a published port */
	HAND_DONE, /* that was all */
	HAND_MAX,
};

/* By the directory's descriptor, which is returned: a socket's address is short, paths are not. */
struct sockaddr_un;
int hand_address(const char *directory, struct sockaddr_un *ret) _must_check_;
