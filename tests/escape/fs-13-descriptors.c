/*
 * FS-13: descriptors that come from elsewhere: of an earlier time, of another process by SCM_RIGHTS
 * or pidfd_getfd. A descriptor for the path alone must not become one for reading on the way.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_CHILD;

static int send_fd(int socket, int fd)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -1;
}

static int receive_fd(int socket)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message)) {
		errno = EACCES;
		return -1;
	}
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* A sibling opens with flags and passes the descriptor over; it is then opened again for reading.
 */
static int by_message(const char *path, int flags, const char *want)
{
	int pair[2], fd, result;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		give_up("socketpair");
	pid = fork();
	if (pid == 0) {
		fd = open(path, flags);
		if (fd >= 0)
			send_fd(pair[1], fd);
		_exit(0);
	}
	close(pair[1]);
	fd = receive_fd(pair[0]);
	close(pair[0]);
	waitpid(pid, NULL, 0);
	if (fd < 0)
		return -EACCES;
	result = has_content(open(in("/proc/self/fd/%d", fd), O_RDONLY), want);
	close(fd);
	return result;
}

static int by_pidfd(const char *path, int flags, const char *want)
{
	int ready[2], fd = -1, result = -EACCES, pidfd;
	pid_t pid;

	if (pipe(ready) < 0)
		give_up("pipe");
	pid = fork();
	if (pid == 0) {
		fd = open(path, flags);
		if (write(ready[1], &fd, sizeof(fd)) > 0)
			pause();
		_exit(0);
	}
	if (read(ready[0], &fd, sizeof(fd)) != sizeof(fd))
		give_up("the sibling");
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0) {
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		result = fd < 0 ? -errno
				: has_content(open(in("/proc/self/fd/%d", fd), O_RDONLY), want);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(pidfd);
	close(ready[0]);
	close(ready[1]);
	return result;
}

/* From outside: pid and number of a process that holds the secret open, and a socket that sends it.
 */
static int from_outside(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)need_number("OUTSIDE_PID", 0), 0);

	if (pidfd < 0)
		return -errno;
	return has_content(
		(int)syscall(SYS_pidfd_getfd, pidfd, (int)need_number("OUTSIDE_FD", 3), 0), secret);
}

void technique(void)
{
	must_fail(by_message(denied, O_RDONLY, secret), "a sibling's descriptor by SCM_RIGHTS");
	must_fail(by_message(denied, O_PATH, secret),
		  "a sibling's O_PATH descriptor by SCM_RIGHTS");
	must_fail(by_pidfd(denied, O_RDONLY, secret), "a sibling's descriptor by pidfd_getfd");
	must_fail(by_pidfd(denied, O_PATH, secret), "a sibling's O_PATH descriptor by pidfd_getfd");
	must_fail(from_outside(), "an outside process' descriptor by pidfd_getfd");
	must_work(by_message(allowed, O_PATH, "public"),
		  "a sibling's O_PATH descriptor by SCM_RIGHTS");
	must_work(by_pidfd(allowed, O_RDONLY, "public"), "a sibling's descriptor by pidfd_getfd");
}
