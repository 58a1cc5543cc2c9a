/*
 * The socket's address changes during connect or sendmsg. ALLOWED and DENIED are listening sockets
 * of the host's, ALLOWED_DGRAM and DENIED_DGRAM ones for datagrams; each pair differs in one byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "escape.h"
#include "race.h"

const unsigned int technique_contexts = CONTEXT_SELF;

static struct sockaddr_un *shared_address(const char *one, const char *other, struct flip *ret)
{
	struct sockaddr_un *a =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	a->sun_family = AF_UNIX;
	if (strlen(one) >= sizeof(a->sun_path) || strlen(one) != strlen(other))
		give_up("%s and %s", one, other);
	memcpy(a->sun_path, one, strlen(one) + 1);
	for (size_t i = 0; one[i]; i++)
		if (one[i] != other[i])
			*ret = (struct flip){ &a->sun_path[i], one[i], other[i] };
	return a;
}

static void race_of_connect(bool in_process)
{
	struct tally tally = { 0 };
	struct flip f = { 0 };
	struct sockaddr_un *a = shared_address(allowed, denied, &f);
	struct swapper *s = swapper_start(race_flip, &f, in_process);

	while (race_goes_on(&tally)) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)a, sizeof(*a)) < 0) {
			int error = errno;

			close(fd);
			fd = -1;
			errno = error;
		}
		race_count_fd(&tally, fd);
	}
	swapper_stop(s);
	race_end(&tally, in_process ? "connect, another process" : "connect, a thread");
}

static void race_of_sendmsg(void)
{
	struct tally tally = { 0 };
	struct flip f = { 0 };
	struct sockaddr_un *a = shared_address(need("ALLOWED_DGRAM"), need("DENIED_DGRAM"), &f);
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	char x[] = "x", bytes[256];
	struct iovec iov = { x, 1 };
	struct msghdr m = {
		.msg_name = a, .msg_namelen = sizeof(*a), .msg_iov = &iov, .msg_iovlen = 1
	};
	struct swapper *s;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(own.sun_path, sizeof(own.sun_path), "%.90s/race-dgram", work);
	unlink(own.sun_path);
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		give_up("bind %s", own.sun_path);
	s = swapper_start(race_flip, &f, false);
	while (race_goes_on(&tally)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = 0;

		tally.n_rounds++;
		if (sendmsg(fd, &m, 0) != 1) {
			tally.n_refused += errno == EACCES || errno == EPERM;
			tally.n_other += errno != EACCES && errno != EPERM;
			continue;
		}
		if (poll(&p, 1, 2000) == 1)
			n = recv(fd, bytes, sizeof(bytes), 0);
		tally.n_reached += n > 0 && has_secret(bytes, (size_t)n) == 0;
		tally.n_allowed += n >= 6 && memcmp(bytes, "public", 6) == 0;
	}
	swapper_stop(s);
	close(fd);
	unlink(own.sun_path);
	race_end(&tally, "sendmsg, a thread");
}

void technique(void)
{
	race_of_connect(false);
	race_of_connect(true);
	/* docs/RUNNING.md: leash has no datagram sockets of this kind. */
	if (took(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == 0)
		race_of_sendmsg();
}
