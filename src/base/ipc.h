/*
 * Messages between leash's own processes, over SOCK_SEQPACKET socketpairs:
 * a fixed header, a payload, at most four descriptors. Each socket has a
 * table of the message types that its receiver accepts; whatever does not
 * match the table is an error (-EBADMSG), and the receiver that can die
 * safely dies.
 */
#pragma once

#include "base/buf.h"

#define IPC_MAX_FDS 4
/* Where a process of ours finds its socket to the one that started it. */
#define IPC_CONTROL_FD 3

/* One row of a receiver's table; the index is the type. A row with max 0 and no name is unknown. */
struct ipc_type {
	const char *name;
	size_t min, max; /* payload bytes */
	size_t n_fds;	 /* exactly so many descriptors */
};

struct ipc_message {
	uint16_t type;
	uint32_t id; /* of the request that this answers, or chosen by the sender */
	struct buf payload;
	int fds[IPC_MAX_FDS]; /* owned; -1 where absent */
	size_t n_fds;
};

#define IPC_MESSAGE_INIT { .fds = { -1, -1, -1, -1 } }

/* A connected pair of SOCK_SEQPACKET sockets, close-on-exec. */
int ipc_socketpair(int ret_fds[2]) _must_check_;
/* Sends one message; the descriptors stay the caller's. Blocks unless the socket does not. */
int ipc_send(int fd, uint16_t type, uint32_t id, struct span payload, const int *fds,
	     size_t n_fds);
/*
 * Receives one message, checked against the table. Returns 1, 0 at end of
 * file, -EAGAIN, -EBADMSG for what the table does not allow, or another errno.
 */
int ipc_receive(int fd, const struct ipc_type *table, size_t n_types,
		struct ipc_message *ret) _must_check_;
void ipc_message_done(struct ipc_message *m);

#define _cleanup_ipc_message_ _cleanup_(ipc_message_done)
