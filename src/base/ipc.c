#include "base/ipc.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "base/limits.h"

#define IPC_MAGIC UINT32_C(0x6c656173)
#define IPC_VERSION 1

struct ipc_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t length; /* of the payload */
	uint32_t id;
};

union control {
	char space[CMSG_SPACE(IPC_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int ipc_socketpair(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

int ipc_send(int fd, uint16_t type, uint32_t id, struct span payload, const int *fds, size_t n_fds)
{
	struct ipc_header header = { IPC_MAGIC, IPC_VERSION, type, (uint32_t)payload.len, id };
	struct iovec iov[2] = { { &header, sizeof(header) },
				{ (void *)(uintptr_t)payload.p, payload.len } };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (payload.len > LIMIT_IPC_PAYLOAD || n_fds > IPC_MAX_FDS)
		return -EMSGSIZE;
	if (n_fds) {
		struct cmsghdr *c;

		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *msg, struct ipc_message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(int), sizeof(one));
			if (m->n_fds < IPC_MAX_FDS)
				m->fds[m->n_fds++] = one;
			else
				fd_close(one);
		}
	}
}

static int check(const struct ipc_message *m, const struct ipc_header *header,
		 const struct ipc_type *table, size_t n_types, int flags)
{
	const struct ipc_type *type;

	if (flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EBADMSG;
	if (header->magic != IPC_MAGIC || header->version != IPC_VERSION ||
	    header->length != m->payload.len || header->type >= n_types)
		return -EBADMSG;
	type = &table[header->type];
	if (!type->name || m->payload.len < type->min || m->payload.len > type->max ||
	    m->n_fds != type->n_fds)
		return -EBADMSG;
	return 0;
}

/* The length of the next message, so that its buffer can be made before it is taken. */
static ssize_t peek_length(int fd)
{
	char c;
	ssize_t n;

	do
		n = recv(fd, &c, 1, MSG_PEEK | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int ipc_receive(int fd, const struct ipc_type *table, size_t n_types, struct ipc_message *ret)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	struct ipc_header header = { 0 };
	union control control;
	struct iovec iov[2] = { { &header, sizeof(header) } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	ssize_t n = peek_length(fd);
	size_t room;
	int r;

	if (n <= 0)
		return (int)n;
	if ((size_t)n < sizeof(header) || (size_t)n > sizeof(header) + LIMIT_IPC_PAYLOAD)
		return -EBADMSG;
	room = (size_t)n - sizeof(header);
	m.payload.max = LIMIT_IPC_PAYLOAD;
	iov[1].iov_base = buf_reserve(&m.payload, room);
	iov[1].iov_len = room;
	if (!iov[1].iov_base)
		return -EMSGSIZE;
	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&msg, &m);
	if ((size_t)n < sizeof(header))
		return n ? -EBADMSG : 0;
	buf_grow(&m.payload, (size_t)n - sizeof(header));
	r = check(&m, &header, table, n_types, msg.msg_flags);
	if (r < 0)
		return r;
	m.type = header.type;
	m.id = header.id;
	*ret = m;
	m = (struct ipc_message)IPC_MESSAGE_INIT;
	return 1;
}

void ipc_message_done(struct ipc_message *m)
{
	buf_done(&m->payload);
	for (size_t i = 0; i < m->n_fds; i++)
		fd_close(m->fds[i]);
	*m = (struct ipc_message)IPC_MESSAGE_INIT;
}
