/*
 * NET-02: everything that is not TCP. DENIED_V4 echoes datagrams ("udp x") on port 7777. Sockets
 * for which this machine's kernel or the user's rights would do as well are only opened.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "talk.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN;

static struct sockaddr_in peer = { .sin_family = AF_INET };

static int answered(int fd, ssize_t sent)
{
	int error = -errno;

	if (sent < 0) {
		close(fd);
		return error;
	}
	return talk(fd, NULL, "udp");
}

static int by_sendto(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return answered(fd, sendto(fd, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer)));
}

static int by_sendmsg(void)
{
	char x[] = "x";
	struct iovec iov = { x, 1 };
	struct msghdr m = {
		.msg_name = &peer, .msg_namelen = sizeof(peer), .msg_iov = &iov, .msg_iovlen = 1
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return answered(fd, sendmsg(fd, &m, 0));
}

static int by_sendmmsg(void)
{
	char x[] = "x";
	struct iovec iov = { x, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = &peer,
					  .msg_namelen = sizeof(peer),
					  .msg_iov = &iov,
					  .msg_iovlen = 1 } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return answered(fd, sendmmsg(fd, &m, 1, 0));
}

static int by_connect(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (connect(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		return -errno;
	return answered(fd, send(fd, "x", 1, 0));
}

static int by_mapped(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = peer.sin_port };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xff;
	memcpy(a.sin6_addr.s6_addr + 12, &peer.sin_addr, 4);
	return answered(fd, sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)));
}

static int by_udp_lite(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 136);

	return answered(fd, fd < 0 ? -1
				   : sendto(fd, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer)));
}

static void sockets(void)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} kinds[] = {
		{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
		{ "ping, IPv6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
		{ "raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP },
		{ "raw IP", AF_INET, SOCK_RAW, IPPROTO_RAW },
		{ "raw IPv6", AF_INET6, SOCK_RAW, IPPROTO_RAW },
		{ "packets", AF_PACKET, SOCK_RAW, 0x0300 },
		{ "SOCK_PACKET", AF_INET, SOCK_PACKET, 0x0300 },
		{ "SCTP", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP },
		{ "SMC", 43, SOCK_STREAM, 0 },
		{ "VSOCK", 40, SOCK_STREAM, 0 },
		{ "XDP", 44, SOCK_RAW, 0 },
		{ "AX.25", 3, SOCK_SEQPACKET, 0 },
		{ "L2TP", AF_INET, SOCK_DGRAM, 115 },
		{ "netlink, netfilter", AF_NETLINK, SOCK_RAW, 12 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		must_fail(took(socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC,
				      kinds[i].protocol)),
			  "%s", kinds[i].name);
}

void technique(void)
{
	static const uint16_t ports[] = { 7777, 443, 5353 };

	if (inet_pton(AF_INET, need("DENIED_V4"), &peer.sin_addr) != 1)
		give_up("DENIED_V4");
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		peer.sin_port = htons(ports[i]);
		must_fail(by_sendto(), "sendto port %d", ports[i]);
		must_fail(by_sendmsg(), "sendmsg port %d", ports[i]);
		must_fail(by_sendmmsg(), "sendmmsg port %d", ports[i]);
		must_fail(by_connect(), "connect port %d", ports[i]);
		must_fail(by_mapped(), "IPv4 in IPv6, port %d", ports[i]);
		must_fail(by_udp_lite(), "UDP-Lite port %d", ports[i]);
	}
	sockets();
	must_work(dial_and_talk(allowed, "2222", NULL, "220"), "TCP to the permitted host");
}
