/*
 * Where the API listens: what `--listen` may say, and the socket.
 *
 * PORT, :PORT, HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. HOST is an address or
 * "localhost". Nothing at all: no API. Without a host 127.0.0.1, without a port
 * 18080 or the next one that is free.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define API_DEFAULT_PORT 18080
#define API_ADDRESS_MAX 46 /* INET6_ADDRSTRLEN */

struct api_listen {
	char address[API_ADDRESS_MAX]; /* numeric; empty: there is no API */
	uint16_t port;
	bool is_port_given; /* else the next free one is as good */
	int fd;		    /* -1 until api_listen_open */
};

#define API_LISTEN_DEFAULT { .address = "127.0.0.1", .port = API_DEFAULT_PORT, .fd = -1 }

/* -EINVAL with a sentence that names the forms. fd stays -1. */
int api_listen_parse(struct span text, struct api_listen *ret, struct err *err) _must_check_;
/* Can it be reached from this machine alone? */
bool api_listen_is_loopback(const struct api_listen *l);
/* Does it stand for every address of this machine? */
bool api_listen_is_any(const struct api_listen *l);
/* Makes the listening socket; port is then the one that it has. */
int api_listen_open(struct api_listen *l, struct err *err) _must_check_;
void api_listen_close(struct api_listen *l);
