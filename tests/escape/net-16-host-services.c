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
	must_work(own_server(), "a server on the own loopback");
	free(list);
}
