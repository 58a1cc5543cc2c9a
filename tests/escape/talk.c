#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "escape.h"

#define PATIENCE_MS 4000

int talk(int fd, const char *request, const char *want)
{
	char bytes[65536];
	size_t len = 0;
	ssize_t n = 0;
	int result = 0, type = SOCK_STREAM;
	socklen_t type_len = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len);
	if (request && send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		result = -errno;
	while (result == 0 && len < sizeof(bytes)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, type == SOCK_STREAM ? PATIENCE_MS : 500) != 1) {
			result = -ETIMEDOUT;
			break;
		}
		n = recv(fd, bytes + len, sizeof(bytes) - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		if (memmem(bytes, len, want, strlen(want))) {
			close(fd);
			return 0;
		}
	}
	if (result == 0)
		result = n < 0 ? -errno : -EBADMSG;
	close(fd);
	return result;
}

int connect_and_talk(int fd, const struct sockaddr *address, socklen_t len, const char *request,
		     const char *want)
{
	struct timeval patience = { PATIENCE_MS / 1000, 0 };
	int error;

	if (fd < 0)
		return -errno;
	/* Also bounds connect. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, address, len) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return talk(fd, request, want);
}

int dial_and_talk(const char *host, const char *port, const char *request, const char *want)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	int result = -ENXIO;

	if (getaddrinfo(host, port, &hints, &list))
		return -ENXIO;
	for (a = list; a && result < 0; a = a->ai_next)
		result = connect_and_talk(socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0),
					  a->ai_addr, a->ai_addrlen, request, want);
	freeaddrinfo(list);
	return result;
}
