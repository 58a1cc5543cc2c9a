/*
 * IPC-01: connect to sockets of programs outside (an agent, a bus, a container engine). DENIED is a
 * listening stream socket of the host's that says SECRET, DENIED_DGRAM one that answers datagrams
 * with it, ABSTRACT the same under an abstract name; ALLOWED is one that the policy permits.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_ALL;

static socklen_t address_of(struct sockaddr_un *a, const char *path)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(a->sun_path))
		give_up("%s is too long", path);
	memcpy(a->sun_path, path, strlen(path));
	if (a->sun_path[0] == '@') {
		a->sun_path[0] = 0;
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	return sizeof(*a);
}

static int hears(int fd, const char *want)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, 3000) != 1) {
		close(fd);
		return -ETIMEDOUT;
	}
	return has_content(fd, want);
}

static int stream(const char *path, const char *want)
{
	struct sockaddr_un a;
	socklen_t len = address_of(&a, path);
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&a, len) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return hears(fd, want);
}

/* The length may end before the field does, with or without a NUL. */
static int stream_short(const char *path, const char *want)
{
	struct sockaddr_un a;
	int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	address_of(&a, path);
	if (connect(fd, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	fcntl(fd, F_SETFL, 0);
	return hears(fd, want);
}

static int by_symlink(const char *path, const char *want)
{
	const char *link = in("%s/ipc-01-%d", work, gettid());
	int result;

	if (symlink(path, link) < 0)
		give_up("symlink");
	result = stream(link, want);
	unlink(link);
	return result;
}

static int by_path_fd(const char *path, const char *want)
{
	int result, fd = open(path, O_PATH);

	if (fd < 0)
		return -errno;
	result = stream(in("/proc/self/fd/%d", fd), want);
	close(fd);
	return result;
}

static int by_directory_fd(const char *path, const char *want)
{
	int result, fd = open(directory_of(path), O_PATH | O_DIRECTORY);

	if (fd < 0)
		return -errno;
	result = stream(in("/proc/self/fd/%d/%s", fd, name_of(path)), want);
	close(fd);
	return result;
}

static int by_relative(const char *path, const char *want)
{
	if (chdir(directory_of(path)) < 0)
		return -errno;
	return stream(name_of(path), want);
}

static int by_rename(const char *path, const char *want)
{
	const char *other = in("%s/ipc-01-moved-%d", work, gettid());
	int result;

	if (rename(path, other) < 0)
		return -errno;
	result = stream(other, want);
	if (rename(other, path) < 0)
		give_up("renaming back");
	return result;
}

static int by_link(const char *path, const char *want)
{
	const char *other = in("%s/ipc-01-linked-%d", work, gettid());
	int result;

	if (link(path, other) < 0)
		return -errno;
	result = stream(other, want);
	unlink(other);
	return result;
}

/* docs/RUNNING.md: there are none under leash; what leash may offer one day is tried all the same.
 */
static int datagram_socket(void)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	/* Where the answer goes. */
	snprintf(own.sun_path, sizeof(own.sun_path), "%.80s/dgram-%d", work, gettid());
	unlink(own.sun_path);
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		give_up("bind %s", own.sun_path);
	return fd;
}

static int one_answer(int fd, const char *want, bool sent)
{
	char bytes[256];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int result = sent ? 0 : -errno;
	ssize_t n = 0;

	if (sent && poll(&p, 1, 2000) != 1)
		result = -ETIMEDOUT;
	if (result == 0)
		n = recv(fd, bytes, sizeof(bytes), 0);
	close(fd);
	unlink(in("%s/dgram-%d", work, gettid()));
	return result < 0					       ? result
	       : n > 0 && memmem(bytes, (size_t)n, want, strlen(want)) ? 0
								       : -EBADMSG;
}

static int one_datagram(int fd, const char *want, bool sent)
{
	if (fd < 0)
		return -EPROTONOSUPPORT;
	return one_answer(fd, want, sent);
}

static int by_sendto(const char *path, const char *want)
{
	struct sockaddr_un a;
	socklen_t len = address_of(&a, path);
	int fd = datagram_socket();

	return one_datagram(fd, want, sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len) == 1);
}

static int by_sendmsg(const char *path, const char *want)
{
	struct sockaddr_un a;
	char x[] = "x";
	struct iovec iov = { x, 1 };
	struct msghdr m = { .msg_name = &a,
			    .msg_namelen = address_of(&a, path),
			    .msg_iov = &iov,
			    .msg_iovlen = 1 };
	int fd = datagram_socket();

	return one_datagram(fd, want, sendmsg(fd, &m, 0) == 1);
}

static int by_sendmmsg(const char *path, const char *want)
{
	struct sockaddr_un a;
	char x[] = "x";
	struct iovec iov = { x, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_name = &a,
					  .msg_namelen = address_of(&a, path),
					  .msg_iov = &iov,
					  .msg_iovlen = 1 } };
	int fd = datagram_socket();

	return one_datagram(fd, want, sendmmsg(fd, &m, 1, 0) == 1);
}

static int by_connected_datagram(const char *path, const char *want)
{
	struct sockaddr_un a;
	socklen_t len = address_of(&a, path);
	int fd = datagram_socket();

	return one_datagram(
		fd, want, connect(fd, (struct sockaddr *)&a, len) == 0 && send(fd, "x", 1, 0) == 1);
}

static const struct {
	const char *name;
	int (*fn)(const char *path, const char *want);
} streams[] = {
	{ "connect", stream },
	{ "connect with a short length", stream_short },
	{ "a symbolic link", by_symlink },
	{ "/proc/self/fd of an O_PATH descriptor", by_path_fd },
	{ "/proc/self/fd of its directory", by_directory_fd },
	{ "a relative name", by_relative },
	{ "another name by rename", by_rename },
	{ "another name by link", by_link },
}, datagrams[] = {
	{ "sendto", by_sendto },
	{ "sendmsg", by_sendmsg },
	{ "sendmmsg", by_sendmmsg },
	{ "a connected datagram socket", by_connected_datagram },
};

/* Between processes inside everything works. */
static int own_server(void)
{
	struct sockaddr_un a;
	const char *path = in("%s/own-%d", work, gettid());
	socklen_t len = address_of(&a, path);
	int peer, result, fd = socket(AF_UNIX, SOCK_STREAM, 0),
			  client = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 1) < 0 ||
	    connect(client, (struct sockaddr *)&a, len) < 0)
		return -errno;
	peer = accept(fd, NULL, NULL);
	result = peer < 0 || write(peer, "public", 6) != 6 ? -errno : 0;
	close(peer);
	if (result == 0)
		result = has_content(client, "public");
	close(fd);
	unlink(path);
	return result;
}

void technique(void)
{
	const char *denied_dgram = need("DENIED_DGRAM"), *abstract = need("ABSTRACT");
	const char *allowed_dgram = need("ALLOWED_DGRAM");
	bool has_datagrams = took(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == 0;

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		must_fail(streams[i].fn(denied, secret), "%s", streams[i].name);
		must_work(streams[i].fn(allowed, "public"), "%s", streams[i].name);
	}
	for (size_t i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++) {
		must_fail(datagrams[i].fn(denied_dgram, secret), "%s", datagrams[i].name);
		if (has_datagrams)
			must_work(datagrams[i].fn(allowed_dgram, "public"), "%s",
				  datagrams[i].name);
	}
	must_fail(stream(abstract, secret), "an abstract name of the host's");
	must_work(own_server(), "a server inside");
}
