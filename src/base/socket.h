/* Sockets of our own: socket-linux.c and socket-posix.c, one of which is built. */
#pragma once

#include <sys/socket.h>

#include "base/attributes.h"

/* Close-on-exec and non-blocking; or a negative errno. */
int socket_open(int domain, int type) _must_check_;
