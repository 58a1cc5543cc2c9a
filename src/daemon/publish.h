/*
 * Published ports: `-p [ip:][host:]container` opens a listening socket on the
 * host, which the proxy then serves.
 */
#pragma once

#include "base/err.h"
#include "base/vec.h"

struct published_port {
	char *address;	  /* "127.0.0.1" unless given; owned */
	uint16_t host, container;
	int listen_fd;
};

typedef VEC(struct published_port) published_ports;

/*
 * Reads a -p option and opens its socket. Without a host port the container's
 * number is taken, or the next free one; with one, a busy port is an error.
 */
int publish_open(published_ports *ports, const char *option, struct err *err) _must_check_;
void publish_done(published_ports *ports);
