/*
 * Netlink messages: a small builder and the exchange with the kernel. Several
 * messages go out in one datagram; the kernel answers the last one.
 */
#pragma once

#include "base/buf.h"

struct netlink {
	int fd;
	struct buf out;
	size_t message; /* where the open message begins */
	uint32_t seq;	/* of the open message */
};

#define NETLINK_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

int netlink_open(struct netlink *n, int protocol) _must_check_;
/* Begins a message; header is what follows struct nlmsghdr (struct rtmsg and the like). */
void netlink_begin(struct netlink *n, uint16_t type, uint16_t flags, const void *header,
		   size_t len);
/* Adds an attribute to the open message. */
void netlink_put(struct netlink *n, uint16_t type, const void *data, size_t len);
void netlink_put_be32(struct netlink *n, uint16_t type, uint32_t value);
void netlink_put_string(struct netlink *n, uint16_t type, const char *s);
/* Opens an attribute that holds attributes; give the result to netlink_end_nest. */
size_t netlink_begin_nest(struct netlink *n, uint16_t type);
void netlink_end_nest(struct netlink *n, size_t nest);
/*
 * Sends what was built and waits for the answer to the last message that asked
 * for one (NLM_F_ACK). Returns 0 or the first error that the kernel reports.
 */
int netlink_exchange(struct netlink *n) _must_check_;
void netlink_done(struct netlink *n);

#define _cleanup_netlink_ _cleanup_(netlink_done)
