/*
 * The host's side of IPC-01: unix-server TEXT PATH… listens on each path (@ for an abstract name; a
 * name that ends in .dgram gets datagrams), answers TEXT, and says "ready" once.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_SOCKETS 16

static int open_socket(const char *path, int *type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	*type = len > 6 && strcmp(path + len - 6, ".dgram") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	fd = socket(AF_UNIX, *type, 0);
	memcpy(a.sun_path, path, len < sizeof(a.sun_path) ? len : sizeof(a.sun_path) - 1);
	if (path[0] == '@')
		a.sun_path[0] = 0;
	if (bind(fd, (struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0 ||
	    (*type == SOCK_STREAM && listen(fd, 64) < 0)) {
		perror(path);
		return -1;
	}
	return fd;
}

static void serve(int fd, int type, const char *text)
{
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	char bytes[64];

	if (type == SOCK_DGRAM) {
		if (recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &len) >= 0)
			sendto(fd, text, strlen(text), 0, (struct sockaddr *)&from, len);
		return;
	}
	fd = accept(fd, NULL, NULL);
	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			perror("write");
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[MAX_SOCKETS];
	int types[MAX_SOCKETS];
	nfds_t n = 0;

	for (int i = 2; i < argc && n < MAX_SOCKETS; i++, n++) {
		fds[n].events = POLLIN;
		fds[n].fd = open_socket(argv[i], &types[n]);
		if (fds[n].fd < 0)
			return 1;
	}
	setlinebuf(stdout);
	puts("ready");
	while (poll(fds, n, -1) > 0)
		for (nfds_t i = 0; i < n; i++)
			if (fds[i].revents)
				serve(fds[i].fd, types[i], argv[1]);
	return 1;
}
