#include "sandbox/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

static void align(struct netlink *n)
{
	static const char zeros[NLMSG_ALIGNTO] = { 0 };
	size_t rest = n->out.len % NLMSG_ALIGNTO;

	if (rest)
		(void)buf_append(&n->out, zeros, NLMSG_ALIGNTO - rest);
}

void netlink_begin(struct netlink *n, uint16_t type, uint16_t flags, const void *payload, size_t len)
{
	struct nlmsghdr header = { .nlmsg_type = type,
				   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
				   .nlmsg_seq = ++n->sequence };

	n->message = n->out.len;
	if (flags & NLM_F_ACK)
		n->n_acks++;
	(void)buf_append(&n->out, &header, sizeof(header));
	(void)buf_append(&n->out, payload, len);
	align(n);
}

void netlink_end(struct netlink *n)
{
	uint32_t len = (uint32_t)(n->out.len - n->message);

	if (!n->out.failed)
		memcpy(n->out.data + n->message, &len, sizeof(len));
}

void netlink_put(struct netlink *n, uint16_t type, const void *value, size_t len)
{
	struct nlattr header = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };

	(void)buf_append(&n->out, &header, sizeof(header));
	(void)buf_append(&n->out, value, len);
	align(n);
}

void netlink_put_string(struct netlink *n, uint16_t type, const char *value)
{
	netlink_put(n, type, value, strlen(value) + 1);
}

void netlink_put_be32(struct netlink *n, uint16_t type, uint32_t value)
{
	value = htonl(value);
	netlink_put(n, type, &value, sizeof(value));
}

size_t netlink_nest(struct netlink *n, uint16_t type)
{
	size_t nest = n->out.len;

	netlink_put(n, (uint16_t)(type | NLA_F_NESTED), "", 0);
	return nest;
}

void netlink_unnest(struct netlink *n, size_t nest)
{
	uint16_t len = (uint16_t)(n->out.len - nest);

	if (!n->out.failed)
		memcpy(n->out.data + nest, &len, sizeof(len));
}

/* Takes acknowledgements from one datagram. Returns the first error in it. */
static int read_acks(struct netlink *n, const char *data, size_t len)
{
	while (len >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr header;
		struct nlmsgerr error;

		memcpy(&header, data, sizeof(header));
		if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > len)
			return -EBADMSG;
		if (header.nlmsg_type == NLMSG_ERROR) {
			if (header.nlmsg_len < NLMSG_LENGTH(sizeof(error)))
				return -EBADMSG;
			memcpy(&error, data + NLMSG_HDRLEN, sizeof(error));
			if (error.error)
				return error.error;
			n->n_acks--;
		}
		len -= MIN(len, (size_t)NLMSG_ALIGN(header.nlmsg_len));
		data += NLMSG_ALIGN(header.nlmsg_len);
	}
	return 0;
}

int netlink_commit(struct netlink *n, int protocol, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	char answer[8192];
	int r = 0;

	if (n->out.failed)
		return err_say(err, -EMSGSIZE, "netlink: too many messages");
	if (fd < 0 || send(fd, n->out.data, n->out.len, 0) < 0)
		return err_set(err, -errno, "netlink");
	while (n->n_acks && r == 0) {
		ssize_t len = recv(fd, answer, sizeof(answer), 0);

		if (len < 0 && errno == EINTR)
			continue;
		r = len < 0 ? -errno : read_acks(n, answer, (size_t)len);
	}
	return r < 0 ? err_set(err, r, "netlink") : 0;
}
