/*
 * Tries what is allowed and what is forbidden over and over, in two threads
 * and a stream of children, and says BREACH when something forbidden works.
 * What is allowed may fail when leash dies; nothing else may happen.
 *
 * hammer PERMITTED FORBIDDEN FORBIDDEN-PROGRAM PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char **arguments;

static void breach(const char *what)
{
	dprintf(STDOUT_FILENO, "BREACH %s\n", what);
}

static void *files(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = open(arguments[1], O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			close(fd);
		fd = open(arguments[2], O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			breach(arguments[2]);
			close(fd);
		}
		if (unlink(arguments[2]) == 0)
			breach("unlink");
	}
	return NULL;
}

/* Documentation addresses that no policy here permits. */
static void *network(void *unused)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	(void)unused;
	address.sin_port = htons((unsigned short)strtol(arguments[4], NULL, 10));
	(void)inet_pton(AF_INET, "203.0.113.66", &address.sin_addr);
	for (;;) {
		char greeting[16];
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		/* A connection may be taken and closed again; a byte from the other side may not come. */
		if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		    recv(fd, greeting, sizeof(greeting), 0) > 0)
			breach("connect");
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	arguments = argv;
	if (argc != 5 || pthread_create(&thread, NULL, files, NULL) != 0 ||
	    pthread_create(&thread, NULL, network, NULL) != 0)
		return 2;
	dprintf(STDOUT_FILENO, "hammering\n");
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(argv[3], argv[3], "BREACH exec", (char *)NULL);
			_exit(126);
		}
		if (pid > 0)
			(void)waitpid(pid, NULL, 0);
	}
}
