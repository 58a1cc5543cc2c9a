/*
 * NET-01: connect to a denied host under every spelling of its address. DENIED and ALLOWED are
 * names; DENIED_V4 and DENIED_V6 the denied one's addresses; the servers answer SECRET (denied) or
 * "hello". Port 80 speaks HTTP, on port 2222 the server speaks first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "talk.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN;

static const char get[] = "GET / HTTP/1.0\r\nHost: nobody.test\r\n\r\n";

static struct in_addr v4;
static struct in6_addr v6;

static int to_v4(int type, int protocol, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = v4 };

	return connect_and_talk(socket(AF_INET, type, protocol), (struct sockaddr *)&a, sizeof(a),
				port == 80 ? get : NULL, port == 80 ? "hello" : "220");
}

static int to_v6(struct in6_addr address, uint32_t scope, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons(port),
				  .sin6_addr = address,
				  .sin6_scope_id = scope };

	return connect_and_talk(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a),
				port == 80 ? get : NULL, port == 80 ? "hello" : "220");
}

static struct in6_addr embedded(const char *prefix, size_t at)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, prefix, &a) != 1)
		give_up("%s", prefix);
	memcpy(a.s6_addr + at, &v4, 4);
	return a;
}

/* The connection is made by the first packet; there is no connect to hold. */
static int by_fast_open(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = v4 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (sendto(fd, get, sizeof(get) - 1, MSG_FASTOPEN, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return talk(fd, NULL, "hello");
}

static int by_sendmsg_fast_open(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = v4 };
	char request[sizeof(get)];
	struct iovec iov = { request, sizeof(get) - 1 };
	struct msghdr m = {
		.msg_name = &a, .msg_namelen = sizeof(a), .msg_iov = &iov, .msg_iovlen = 1
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memcpy(request, get, sizeof(get));
	if (sendmsg(fd, &m, MSG_FASTOPEN) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return talk(fd, NULL, "hello");
}

static int by_fast_open_connect(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr = v4 };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one));
	return connect_and_talk(fd, (struct sockaddr *)&a, sizeof(a), get, "hello");
}

static int by_nonblocking(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(2222), .sin_addr = v4 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 && errno != EINPROGRESS)
		return -errno;
	return talk(fd, NULL, "220");
}

/* Once the socket was connected to nothing, and bound to a port of its own. */
static int after_disconnect(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(2222), .sin_addr = v4 };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		return -errno;
	connect(fd, &none, sizeof(none));
	return connect_and_talk(fd, (struct sockaddr *)&a, sizeof(a), NULL, "220");
}

static void spellings(void)
{
	const unsigned char *b = (const unsigned char *)&v4;
	unsigned int number = ntohl(v4.s_addr);
	const char *texts[] = {
		in("%u.%u.%u.%u", b[0], b[1], b[2], b[3]),
		in("%u", number),
		in("0x%x", number),
		in("0%o", number),
		in("%u.%u", b[0], number & 0xffffff),
		in("%u.%u.%u", b[0], b[1], number & 0xffff),
		in("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]),
		in("0x%x.%u.0%o.%u", b[0], b[1], b[2], b[3]),
		in("::ffff:%u.%u.%u.%u", b[0], b[1], b[2], b[3]),
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		must_fail(dial_and_talk(texts[i], "80", get, "hello"), "%s port 80", texts[i]);
		must_fail(dial_and_talk(texts[i], "2222", NULL, "220"), "%s port 2222", texts[i]);
	}
}

void technique(void)
{
	const char *request = in("GET / HTTP/1.0\r\nHost: %s\r\n\r\n", allowed);

	if (inet_pton(AF_INET, need("DENIED_V4"), &v4) != 1 ||
	    inet_pton(AF_INET6, need("DENIED_V6"), &v6) != 1)
		give_up("DENIED_V4, DENIED_V6");
	must_fail(dial_and_talk(denied, "80", get, "hello"), "its name");
	must_fail(dial_and_talk(in("%s.", denied), "80", get, "hello"),
		  "its name with a dot behind");
	must_fail(dial_and_talk("FORBIDDEN.Test", "80", get, "hello"), "its name in capitals");
	spellings();
	must_fail(to_v6(v6, 0, 80), "IPv6");
	must_fail(to_v6(v6, 0, 2222), "IPv6, the server speaks first");
	must_fail(to_v6(v6, 1, 80), "IPv6 with a scope");
	must_fail(to_v6(embedded("::ffff:0:0", 12), 0, 80), "IPv4 in IPv6");
	must_fail(to_v6(embedded("64:ff9b::", 12), 0, 80), "NAT64");
	must_fail(to_v6(embedded("2002::", 2), 0, 80), "6to4");
	must_fail(to_v6(embedded("::", 12), 0, 80), "IPv4-compatible");
	must_fail(to_v4(SOCK_STREAM, 262 /* IPPROTO_MPTCP */, 80), "MPTCP");
	must_fail(to_v4(SOCK_STREAM, 132 /* IPPROTO_SCTP */, 80), "SCTP");
	must_fail(to_v4(6 /* SOCK_DCCP */, 33 /* IPPROTO_DCCP */, 80), "DCCP");
	must_fail(by_fast_open(), "sendto MSG_FASTOPEN");
	must_fail(by_sendmsg_fast_open(), "sendmsg MSG_FASTOPEN");
	must_fail(by_fast_open_connect(), "TCP_FASTOPEN_CONNECT");
	must_fail(by_nonblocking(), "a connect that does not wait");
	must_fail(after_disconnect(), "after AF_UNSPEC");
	must_work(dial_and_talk(allowed, "80", request, "hello"), "the permitted host");
	must_work(dial_and_talk(allowed, "2222", NULL, "220"),
		  "the permitted host, who speaks first");
}
