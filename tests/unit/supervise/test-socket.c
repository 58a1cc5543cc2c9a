/*
 * connect, bind and listen from inside the container.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ipc.h"
#include "supervise/supervise.h"

static const char policy[] =
	"permit (principal, action in Action::\"FileOpen\", resource);"
	"forbid (principal, action in Action::\"FileOpen\", resource in Dir::\"${DIR}/no/\");"
	"permit (principal, action == Action::\"NetworkListen\", resource) when { context.port == "
	"8080 };"
	"permit (principal, action == Action::\"NetworkDatagram\", resource) when { context.port "
	"== 9999 };";

static struct sockaddr_un named(const char *path, socklen_t *len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a.sun_path) + 1);
	return a;
}

static int do_unix(int (*call)(int, const struct sockaddr *, socklen_t), int fd, const char *path)
{
	socklen_t len;
	struct sockaddr_un a = named(path, &len);

	return call(fd, (const struct sockaddr *)&a, len);
}

static int unix_sockets(void)
{
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un own;
	socklen_t len = sizeof(own);
	char c;

	CHECK_FAILS(do_unix(bind, server, at("no/new")), EACCES);
	CHECK(access(at("no/new"), F_OK) < 0);
	CHECK(do_unix(bind, server, at("yes/server")) == 0);
	CHECK(getsockname(server, (struct sockaddr *)&own, &len) == 0 &&
	      strcmp(own.sun_path, at("yes/server")) == 0);
	CHECK(listen(server, 5) == 0);
	CHECK(do_unix(connect, client, at("yes/server")) == 0);
	server = accept(server, NULL, NULL);
	CHECK(server >= 0 && write(server, "x", 1) == 1 && read(client, &c, 1) == 1 && c == 'x');
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_FAILS(do_unix(connect, client, at("no/server")), EACCES);
	CHECK_FAILS(do_unix(connect, client, at("yes/../no/server")), EACCES);
	CHECK_FAILS(do_unix(connect, client, at("yes/link")), EACCES);
	CHECK_FAILS(do_unix(connect, client, at("yes/none")), ENOENT);
	CHECK(chdir(at("yes")) == 0);
	CHECK(do_unix(connect, client, "server") == 0);
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(do_unix(bind, server, "relative") == 0 && access(at("yes/relative"), F_OK) == 0);
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_FAILS(do_unix(bind, server, "relative"), EADDRINUSE);
	return 0;
}

static int abstract_sockets(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0abstract" };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 9;
	int server = socket(AF_UNIX, SOCK_SEQPACKET, 0),
	    client = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	CHECK(bind(server, (struct sockaddr *)&a, len) == 0 && listen(server, 1) == 0);
	CHECK(connect(client, (struct sockaddr *)&a, len) == 0);
	return 0;
}

static void test_unix(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(unix_sockets);
	assert_true(harness_has_event(EVENT_NET_CONNECT, EVENT_DENY, at("no/server")));
	assert_inside(abstract_sockets);
}

static int do_ip(int (*call)(int, const struct sockaddr *, socklen_t), int fd, const char *ip,
		 uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1)
		return call(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
		return -2;
	return call(fd, (struct sockaddr *)&v6, sizeof(v6));
}

static int loopback(void)
{
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(do_ip(bind, server, "127.0.0.1", 4000) == 0 && listen(server, 5) == 0);
	CHECK(do_ip(connect, client, "127.0.0.1", 4000) == 0);
	client = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(do_ip(connect, client, "::ffff:127.0.0.1", 4000) == 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(do_ip(connect, client, "0.0.0.0", 4000) == 0);
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(do_ip(connect, client, "127.0.0.1", 4000) == 0 || errno == EINPROGRESS);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS(do_ip(connect, client, "127.0.0.1", 4001), ECONNREFUSED);
	/* the session's own listeners */
	CHECK_FAILS(do_ip(connect, client, "127.0.0.1", 18081), EACCES);
	client = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK_FAILS(do_ip(connect, client, "::1", 18081), EACCES);
	CHECK_FAILS(do_ip(connect, client, "::", 18081), EACCES);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS(do_ip(bind, client, "127.0.0.2", 18081), EACCES);
	CHECK_FAILS(do_ip(connect, 999, "127.0.0.1", 4000), EBADF);
	CHECK_FAILS(connect(client, (struct sockaddr *)16, 16), EFAULT);
	return 0;
}

static void test_loopback(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(loopback);
	assert_true(harness_has_event(EVENT_NET_CONNECT, EVENT_ALLOW, NULL));
}

static int listening(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(do_ip(bind, fd, "0.0.0.0", 8080) == 0 && listen(fd, 1) == 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(do_ip(bind, fd, "0.0.0.0", 8081) == 0);
	CHECK_FAILS(listen(fd, 1), EACCES);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS(listen(fd, 1), EACCES);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(do_ip(bind, fd, "::", 8082) == 0);
	CHECK_FAILS(listen(fd, 1), EACCES);
	CHECK(do_ip(bind, socket(AF_INET6, SOCK_STREAM, 0), "::1", 8083) == 0);
	return 0;
}

static void test_listen(void **state)
{
	(void)state;
	harness_forget_events();
	assert_inside(listening);
	assert_true(harness_has_event(EVENT_NET_LISTEN, EVENT_DENY, NULL));
}

static int datagrams(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(do_ip(connect, fd, "127.0.0.1", 1234) == 0);
	CHECK_FAILS(do_ip(connect, fd, "192.0.2.1", 443), EACCES);
	CHECK(do_ip(connect, fd, "192.0.2.1", 53) == 0 || errno == ENETUNREACH);
	CHECK(do_ip(connect, fd, "192.0.2.1", 9999) == 0 || errno == ENETUNREACH);
	CHECK(connect(fd, &(struct sockaddr){ .sa_family = AF_UNSPEC }, sizeof(struct sockaddr)) ==
	      0);
	return 0;
}

static void test_datagrams(void **state)
{
	(void)state;
	assert_inside(datagrams);
}

/* ---- the proxy ---- */

static int connects_out(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	/* nobody routes it here; what counts is what the proxy was told before */
	(void)do_ip(connect, fd, "192.0.2.1", 80);
	return 0;
}

static int asks_for_a_name(void)
{
	CHECK(do_ip(connect, socket(AF_INET, SOCK_DGRAM, 0), "127.0.0.1", 53) == 0);
	return 0;
}

static int serves(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(do_ip(bind, fd, "127.0.0.1", 4010) == 0 && listen(fd, 5) == 0);
	if (fork() == 0) {
		int one = accept(fd, NULL, NULL);

		_exit(write(one, "hi", 2) == 2 ? 0 : 1);
	}
	return 0;
}

static int dial(int proxy_fd, uint16_t port, struct ipc_message *m)
{
	if (ipc_send(proxy_fd, SUPERVISE_PROXY_DIAL, 7, span_make(&port, sizeof(port)), NULL, 0) <
	    0)
		return -1;
	return ipc_receive(proxy_fd, supervise_supervisor_to_proxy, SUPERVISE_PROXY_MESSAGE_MAX, m);
}

static void test_proxy(void **state)
{
	_cleanup_ipc_message_ struct ipc_message told = IPC_MESSAGE_INIT,
						 dialled = IPC_MESSAGE_INIT,
						 failed = IPC_MESSAGE_INIT,
						 asked = IPC_MESSAGE_INIT;
	struct supervise_connection c;
	int proxy_fd = harness_proxy();
	char text[2];

	(void)state;
	/* the policy is acknowledged after the proxy's socket was taken */
	harness_policy(policy);
	assert_inside(connects_out);
	assert_int_equal(ipc_receive(proxy_fd, supervise_supervisor_to_proxy,
				     SUPERVISE_PROXY_MESSAGE_MAX, &told),
			 1);
	assert_int_equal(told.type, SUPERVISE_PROXY_CONNECTION);
	memcpy(&c, told.payload.data, sizeof(c));
	assert_int_equal(c.family, AF_INET);
	assert_int_not_equal(c.local_port, 0);
	assert_int_equal(c.uid, getuid());
	assert_non_null(strstr(told.payload.data + sizeof(c), "test-supervise-socket"));

	assert_inside(asks_for_a_name);
	assert_int_equal(ipc_receive(proxy_fd, supervise_supervisor_to_proxy,
				     SUPERVISE_PROXY_MESSAGE_MAX, &asked),
			 1);
	memcpy(&c, asked.payload.data, sizeof(c));
	assert_int_equal(c.protocol, IPPROTO_UDP);
	assert_int_not_equal(c.local_port, 0);

	assert_inside(serves);
	assert_int_equal(dial(proxy_fd, 4010, &dialled), 1);
	assert_int_equal(dialled.type, SUPERVISE_PROXY_DIALLED);
	assert_int_equal(dialled.id, 7);
	assert_int_equal(fcntl(dialled.fds[0], F_SETFL, 0), 0);
	assert_int_equal(read(dialled.fds[0], text, 2), 2);
	assert_memory_equal(text, "hi", 2);
	/* never back into the proxy itself */
	assert_int_equal(dial(proxy_fd, 18081, &failed), 1);
	assert_int_equal(failed.type, SUPERVISE_PROXY_DIAL_FAILED);
}

static int serve_outside(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return do_unix(bind, fd, path) < 0 ? -1 : listen(fd, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),   cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_listen), cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_proxy),
	};
	int r;

	harness_start(policy);
	put_dir("yes");
	put_dir("no");
	assert_int_equal(serve_outside(at("no/server")), 0);
	assert_int_equal(symlink("../no/server", at("yes/link")), 0);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	harness_stop();
	return r;
}
