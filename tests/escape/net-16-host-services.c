/*
 * NET-16: services of the host's on its loopback and its addresses. One listens on PORT of all of
 * them and answers SECRET. HOST_ADDRESSES, separated by commas, are the host's; LEASH_PORTS what
 * leash itself listens on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "talk.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN;

static int own_server(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int peer, result, fd = socket(AF_INET, SOCK_STREAM, 0),
			  client = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0 ||
	    connect(client, (struct sockaddr *)&a, len) < 0)
		return -errno;
	peer = accept(fd, NULL, NULL);
	result = peer < 0 || write(peer, "public", 6) != 6 ? -errno : 0;
	close(peer);
	close(fd);
	return result < 0 ? result : has_content(client, "public");
}

/* What listens inside, as the kernel lists it: leash's own listeners among them. */
static size_t listeners(uint16_t *ports, size_t max)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	char line[512];
	size_t n = 0;

	for (size_t i = 0; i < 2; i++) {
		FILE *f = fopen(tables[i], "re");

		while (f && fgets(line, sizeof(line), f)) {
			unsigned int port, state;

			if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &port, &state) ==
				    2 &&
			    state == 10 && n < max)
				ports[n++] = (uint16_t)port;
		}
		if (f)
			fclose(f);
	}
	return n;
}

static int take_over(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, result, fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	result = outcome(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	if (result == 0)
		result = outcome(listen(fd, 8));
	close(fd);
	return result;
}

/* Leash's listeners, asked directly: as a proxy, for the host's service and the forbidden host. */
static void own_listeners(const char *port)
{
	uint16_t ports[64];
	size_t n = listeners(ports, 64);

	note("%zu listeners inside", n);
	for (size_t i = 0; i < n; i++) {
		const char *listener = in("%d", ports[i]);

		must_fail(dial_and_talk("127.0.0.1", listener,
					in("CONNECT 127.0.0.1:%s HTTP/1.1\r\n\r\nx\n", port),
					secret),
			  "CONNECT at port %s", listener);
		must_fail(dial_and_talk("127.0.0.1", listener,
					in("GET http://127.0.0.1:%s/ HTTP/1.1\r\nHost: "
					   "127.0.0.1:%s\r\n\r\n",
					   port, port),
					secret),
			  "GET at port %s", listener);
		must_fail(dial_and_talk("127.0.0.1", listener,
					"GET http://forbidden.test/ HTTP/1.1\r\nHost: "
					"forbidden.test\r\n\r\n",
					"hello"),
			  "GET of the forbidden host at port %s", listener);
		must_fail(take_over(ports[i]), "listening on port %s as well", listener);
	}
}

void technique(void)
{
	static const char *const always[] = { "127.0.0.1",  "::1",
					      "localhost",  "0.0.0.0",
					      "::",	    "127.1",
					      "127.0.0.2",  "::ffff:127.0.0.1",
					      "2130706433", "169.254.169.254" };
	char *list = strdup(need("HOST_ADDRESSES")), *rest = list;
	const char *port = need("PORT"), *address;

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		must_fail(dial_and_talk(always[i], port, "x\n", secret), "%s", always[i]);
	while ((address = strsep(&rest, ",")))
		if (*address)
			must_fail(dial_and_talk(address, port, "x\n", secret), "%s", address);
	must_fail(took(open("/run/user", O_RDONLY | O_DIRECTORY)) < 0 ||
				  access("/run/user/0", F_OK) < 0
			  ? -ENOENT
			  : 0,
		  "/run/user of the host");
	if (optional("ESCAPE_LISTENERS", NULL))
		own_listeners(port);
	must_work(own_server(), "a server on the own loopback");
	free(list);
}
