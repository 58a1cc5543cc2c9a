/*
 * NET-10: data in the labels of questions, to whatever server and in whatever form. DENIED is a
 * zone that nobody permits; MARK goes into each name, so that the test finds it where it must not
 * be. A question is answered when a reply has no error and an answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "talk.h"

const unsigned int technique_contexts = CONTEXT_SELF;

enum { TYPE_A = 1, TYPE_NULL = 10, TYPE_TXT = 16, TYPE_AAAA = 28, TYPE_HTTPS = 65, TYPE_ANY = 255 };

static size_t question(unsigned char *packet, const char *name, int type)
{
	static const unsigned char header[12] = { 0x12, 0x34, 1, 0, 0, 1 };
	size_t len = sizeof(header);

	memcpy(packet, header, sizeof(header));
	while (*name) {
		size_t n = strcspn(name, ".");

		packet[len++] = (unsigned char)n;
		memcpy(packet + len, name, n);
		len += n;
		name += n + (name[n] == '.');
	}
	packet[len++] = 0;
	packet[len++] = 0;
	packet[len++] = (unsigned char)type;
	packet[len++] = 0;
	packet[len++] = 1;
	return len;
}

static int is_answer(const unsigned char *packet, ssize_t len)
{
	if (len < 12)
		return -EBADMSG;
	if (packet[3] & 15)
		return -ECONNREFUSED;
	return packet[6] || packet[7] ? 0 : -ENODATA;
}

static int ask_udp(const char *server, uint16_t port, const char *name, int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	unsigned char packet[2048];
	int fd = socket(AF_INET, SOCK_DGRAM, 0), result;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	inet_pton(AF_INET, server, &a.sin_addr);
	if (sendto(fd, packet, question(packet, name, type), 0, (struct sockaddr *)&a, sizeof(a)) <
	    0)
		result = -errno;
	else if (poll(&p, 1, 300) != 1)
		result = -ETIMEDOUT;
	else
		result = is_answer(packet, recv(fd, packet, sizeof(packet), 0));
	close(fd);
	return result;
}

static int ask_tcp(const char *server, uint16_t port, const char *name, int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	unsigned char packet[2048];
	size_t len = question(packet + 2, name, type);
	int result, fd = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	inet_pton(AF_INET, server, &a.sin_addr);
	packet[0] = (unsigned char)(len >> 8);
	packet[1] = (unsigned char)len;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    send(fd, packet, len + 2, MSG_NOSIGNAL) < 0) {
		result = -errno;
		close(fd);
		return result;
	}
	if (poll(&p, 1, 300) != 1) {
		close(fd);
		return -ETIMEDOUT;
	}
	n = recv(fd, packet, sizeof(packet), 0);
	close(fd);
	return is_answer(packet + 2, n - 2);
}

void technique(void)
{
	static const int types[] = { TYPE_A, TYPE_AAAA, TYPE_TXT, TYPE_NULL, TYPE_HTTPS, TYPE_ANY };
	const char *mark = need("MARK"),
		   *servers[] = { need("RESOLVER"), "8.8.8.8", "127.0.0.53", need("DENIED_V4") };
	struct addrinfo *found;

	for (size_t s = 0; s < sizeof(servers) / sizeof(servers[0]); s++)
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			const char *name = in("%s-%zu-%zu.%s", mark, s, t, denied);

			must_fail(ask_udp(servers[s], 53, name, types[t]), "%s, type %d",
				  servers[s], types[t]);
			must_fail(ask_tcp(servers[s], 53, name, types[t]), "%s, type %d, TCP",
				  servers[s], types[t]);
		}
	for (int i = 0; i < 200; i++)
		if (ask_udp(servers[0], 53, in("%s%040dabcdefghij.%s", mark, i, denied), TYPE_A) ==
		    0) {
			must_fail(0, "question %d of a tunnel", i);
			break;
		}
	must_fail(ask_tcp(servers[0], 853, in("%s.%s", mark, denied), TYPE_A), "port 853");
	must_fail(ask_udp("224.0.0.251", 5353, in("%s.local", mark), TYPE_A), "mDNS");
	must_fail(ask_udp("224.0.0.252", 5355, mark, TYPE_A), "LLMNR");
	must_fail(ask_udp(servers[0], 53, in("%s.%s.", mark, denied), TYPE_A), "a dot behind");
	must_fail(getaddrinfo(in("%s.%s", mark, denied), NULL, NULL, &found) == 0 ? 0 : -ENXIO,
		  "getaddrinfo");
	must_work(getaddrinfo(allowed, NULL, NULL, &found) == 0 ? 0 : -ENXIO,
		  "the permitted host's name");
	must_work(ask_udp(servers[0], 53, allowed, TYPE_A),
		  "the permitted host's name, asked by hand");
}
