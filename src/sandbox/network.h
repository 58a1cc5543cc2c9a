/*
 * The container's network: a loopback to which every address is local, the
 * listeners at which everything that leaves arrives, and the rules that lead
 * it there.
 */
#pragma once

#include "base/err.h"

struct network {
	int tcp_listen_fds[2]; /* IPv4, IPv6 */
	int dns_udp_fds[2], dns_tcp_fds[2];
	uint16_t proxy_port, dns_port;
};

/* To be called in the new network namespace, with CAP_NET_ADMIN in it. */
int network_set_up(struct network *ret, struct err *err) _must_check_;
