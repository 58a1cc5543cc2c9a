#include "sandbox/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/fd.h"

int netlink_open(struct netlink *n, int protocol)
{
	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	return n->fd < 0 ? -errno : 0;
}

static void align(struct netlink *n)
{
	static const char zeros[NLMSG_ALIGNTO];

	(void)buf_append(&n->out, zeros, NLMSG_ALIGN(n->out.len) - n->out.len);
}

static void end_message(struct netlink *n)
{
	uint32_t len = (uint32_t)(n->out.len - n->message);

	if (len)
		memcpy(n->out.data + n->message + offsetof(struct nlmsghdr, nlmsg_len), &len,
		       sizeof(len));
	align(n);
}

void netlink_begin(struct netlink *n, uint16_t type, uint16_t flags, const void *header, size_t len)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };

	end_message(n);
	h.nlmsg_seq = ++n->seq;
	n->message = n->out.len;
	(void)buf_append(&n->out, &h, sizeof(h));
	(void)buf_append(&n->out, header, len);
	align(n);
}

void netlink_put(struct netlink *n, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + len), .nla_type = type };

	(void)buf_append(&n->out, &a, sizeof(a));
	(void)buf_append(&n->out, data, len);
	align(n);
}

void netlink_put_be32(struct netlink *n, uint16_t type, uint32_t value)
{
	value = htonl(value);
	netlink_put(n, type, &value, sizeof(value));
}

void netlink_put_string(struct netlink *n, uint16_t type, const char *s)
{
	netlink_put(n, type, s, strlen(s) + 1);
}

size_t netlink_begin_nest(struct netlink *n, uint16_t type)
{
	size_t nest = n->out.len;

	netlink_put(n, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void netlink_end_nest(struct netlink *n, size_t nest)
{
	uint16_t len = (uint16_t)(n->out.len - nest);

	memcpy(n->out.data + nest + offsetof(struct nlattr, nla_len), &len, sizeof(len));
}

/* Looks through one datagram of answers. 1: the last request succeeded, 0: go on, or the error. */
static int check_answers(const struct netlink *n, const char *p, size_t len)
{
	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr h;
		struct nlmsgerr e;

		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len)
			return -EBADMSG;
		if (h.nlmsg_type == NLMSG_ERROR && h.nlmsg_len >= NLMSG_LENGTH(sizeof(e))) {
			memcpy(&e, p + NLMSG_HDRLEN, sizeof(e));
			if (e.error)
				return e.error;
			if (h.nlmsg_seq == n->seq)
				return 1;
		}
		p += MIN(len, NLMSG_ALIGN(h.nlmsg_len));
		len -= MIN(len, NLMSG_ALIGN(h.nlmsg_len));
	}
	return 0;
}

int netlink_exchange(struct netlink *n)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answer[8192];
	int r = 0;

	end_message(n);
	if (n->out.failed)
		return -EMSGSIZE;
	if (sendto(n->fd, n->out.data, n->out.len, 0, (const void *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	buf_reset(&n->out);
	n->message = 0;
	while (r == 0) {
		ssize_t len = recv(n->fd, answer, sizeof(answer), 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		r = check_answers(n, answer, (size_t)len);
	}
	return MIN(r, 0);
}

void netlink_done(struct netlink *n)
{
	if (n->fd >= 0)
		fd_close(n->fd);
	n->fd = -1;
	buf_done(&n->out);
}
