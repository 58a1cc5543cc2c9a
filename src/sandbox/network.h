/*
 * The container's network: loopback, every address local to it, the packet
 * rules, and the sockets on which the proxy outside listens inside.
 */
#pragma once

#include "base/err.h"

/* Outside the range from which the kernel takes local ports, so nobody gets them by accident. */
#define NETWORK_PROXY_PORT 65021
#define NETWORK_DNS_PORT 65053

/* Each pair: 127.0.0.1, [::1]. Without IPv6 the second one is an idle socket on 127.0.0.1. */
struct network_sockets {
	int tcp[2], dns_udp[2], dns_tcp[2];
};

#define NETWORK_SOCKETS_INIT                                                                       \
	{                                                                                          \
		{ -1, -1 }, { -1, -1 },                                                            \
		{                                                                                  \
			-1, -1                                                                     \
		}                                                                                  \
	}

/* Sets up the caller's network namespace, which is new, and opens the sockets (owned by the
 * caller). */
int network_make(struct network_sockets *ret, struct err *err) _must_check_;
