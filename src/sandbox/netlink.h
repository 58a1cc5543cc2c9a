/*
 * Building netlink messages in a buffer and sending them as one transaction:
 * the few that set up the container's network (netlink(7), rtnetlink(7)).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct netlink {
	struct buf out;
	uint32_t sequence;
	size_t message; /* where the open message begins */
	uint32_t n_acks; /* how many acknowledgements the kernel will send */
};

#define NETLINK_INIT { .out = BUF_INIT(65536) }

/* Begins a message; payload is its fixed header (struct ifinfomsg and so on). */
void netlink_begin(struct netlink *n, uint16_t type, uint16_t flags, const void *payload, size_t len);
void netlink_end(struct netlink *n);
/* Attributes of the open message. */
void netlink_put(struct netlink *n, uint16_t type, const void *value, size_t len);
void netlink_put_string(struct netlink *n, uint16_t type, const char *value);
void netlink_put_be32(struct netlink *n, uint16_t type, uint32_t value);
/* Opens a nested attribute; the result closes it. */
size_t netlink_nest(struct netlink *n, uint16_t type);
void netlink_unnest(struct netlink *n, size_t nest);
/* Sends all and waits for the acknowledgements. The first error the kernel reports is returned. */
int netlink_commit(struct netlink *n, int protocol, struct err *err) _must_check_;
