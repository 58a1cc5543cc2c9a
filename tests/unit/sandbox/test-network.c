/*
 * The container's network: what the rules redirect, where it arrives, what
 * they refuse, and what stays the agent's own. The calls are made by a child
 * in the container's network namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter_ipv4.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "unit.h"

#define IP6T_SO_ORIGINAL_DST 80

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static struct sandbox box;
static bool has_ipv6;

static union address make_address(const char *text, uint16_t port)
{
	union address a = { 0 };

	if (strchr(text, ':')) {
		a.v6.sin6_family = AF_INET6;
		a.v6.sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
	} else {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &a.v4.sin_addr), 1);
	}
	return a;
}

static socklen_t size_of(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* Everything below with the shape int (*)(void *) runs inside and returns an error number. */

static int connect_to(void *arg)
{
	const union address *a = arg;
	int fd = socket(a->any.sa_family, SOCK_STREAM, 0);

	(void)alarm(5);
	return fd < 0 || connect(fd, &a->any, size_of(a)) < 0 ? errno : 0;
}

static int send_to(void *arg)
{
	const union address *a = arg;
	int fd = socket(a->any.sa_family, SOCK_DGRAM, 0);

	(void)alarm(5);
	return fd < 0 || sendto(fd, "question", 8, 0, &a->any, size_of(a)) < 0 ? errno : 0;
}

static int ask(void *arg)
{
	const union address *a = arg;
	union address from;
	socklen_t len = sizeof(from);
	char answer[64];
	int fd = socket(a->any.sa_family, SOCK_DGRAM, 0);

	(void)alarm(5);
	if (fd < 0 || sendto(fd, "question", 8, 0, &a->any, size_of(a)) < 0)
		return errno;
	if (recvfrom(fd, answer, sizeof(answer), 0, &from.any, &len) != 6)
		return 201;
	/* The answer seems to come from where the question went. */
	return a->any.sa_family == AF_INET ? from.v4.sin_addr.s_addr != a->v4.sin_addr.s_addr
					   : memcmp(&from.v6.sin6_addr, &a->v6.sin6_addr, 16) != 0;
}

static int serve_on_loopback(void *arg)
{
	const union address *a = arg;
	int server = socket(a->any.sa_family, SOCK_STREAM, 0), client, peer;
	char c = 0;

	(void)alarm(5);
	if (bind(server, &a->any, size_of(a)) < 0 || listen(server, 1) < 0)
		return errno;
	client = socket(a->any.sa_family, SOCK_STREAM, 0);
	if (connect(client, &a->any, size_of(a)) < 0)
		return errno;
	peer = accept(server, NULL, NULL);
	if (write(client, "x", 1) != 1 || read(peer, &c, 1) != 1)
		return errno;
	return c != 'x';
}

static int talk_on_loopback(void *arg)
{
	const union address *a = arg;
	int server = socket(a->any.sa_family, SOCK_DGRAM, 0);
	char c[8];

	(void)alarm(5);
	if (bind(server, &a->any, size_of(a)) < 0)
		return errno;
	return send_to(arg) || read(server, c, sizeof(c)) != 8;
}

static int open_icmp(void *arg)
{
	const int *family = arg;
	int fd = socket(*family, SOCK_DGRAM, *family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	return fd < 0 ? errno : 0;
}

static int inside(int (*fn)(void *), const char *address, uint16_t port)
{
	union address a = make_address(address, port);

	return harness_inside(&box, CLONE_NEWUSER | CLONE_NEWNET, fn, &a);
}

static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* The connection arrives at the proxy's listener and knows where it was meant to go. */
static void expect_proxied(const char *address, uint16_t port, int listener)
{
	union address meant = { 0 }, want = make_address(address, port);
	socklen_t len = sizeof(meant);
	int fd;

	assert_int_equal(inside(connect_to, address, port), 0);
	assert_true(is_ready(listener));
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	if (want.any.sa_family == AF_INET) {
		assert_int_equal(getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, &meant, &len), 0);
		assert_int_equal(meant.v4.sin_addr.s_addr, want.v4.sin_addr.s_addr);
		assert_int_equal(meant.v4.sin_port, want.v4.sin_port);
	} else {
		assert_int_equal(getsockopt(fd, SOL_IPV6, IP6T_SO_ORIGINAL_DST, &meant, &len), 0);
		assert_memory_equal(&meant.v6.sin6_addr, &want.v6.sin6_addr, 16);
		assert_int_equal(meant.v6.sin6_port, want.v6.sin6_port);
	}
	assert_int_equal(close(fd), 0);
}

static void test_tcp_arrives_at_the_proxy(void **state)
{
	(void)state;
	expect_proxied("93.184.216.34", 443, box.tcp_listen_fds[0]);
	expect_proxied("10.0.0.1", 1, box.tcp_listen_fds[0]);
	expect_proxied("169.254.169.254", 80, box.tcp_listen_fds[0]);
	expect_proxied("8.8.8.8", box.proxy_port, box.tcp_listen_fds[0]);
	expect_proxied("8.8.8.8", box.dns_port, box.tcp_listen_fds[0]);
	if (!has_ipv6)
		return;
	expect_proxied("2001:db8::1", 443, box.tcp_listen_fds[1]);
	expect_proxied("fd00::7", 65535, box.tcp_listen_fds[1]);
}

static void test_mapped_addresses_are_ipv4(void **state)
{
	int fd;

	(void)state;
	if (!has_ipv6)
		skip();
	assert_int_equal(inside(connect_to, "::ffff:1.2.3.4", 443), 0);
	fd = accept(box.tcp_listen_fds[0], NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void expect_resolved(const char *address, int udp_fd, int tcp_fd)
{
	char question[64];
	int fd;

	assert_int_equal(inside(send_to, address, 53), 0);
	assert_int_equal(recv(udp_fd, question, sizeof(question), 0), 8);
	assert_int_equal(inside(connect_to, address, 53), 0);
	fd = accept(tcp_fd, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_false(is_ready(box.tcp_listen_fds[0]) || is_ready(box.tcp_listen_fds[1]));
}

static void test_dns_arrives_at_the_resolver(void **state)
{
	(void)state;
	expect_resolved("8.8.8.8", box.dns_udp_fds[0], box.dns_tcp_fds[0]);
	expect_resolved("127.0.0.1", box.dns_udp_fds[0], box.dns_tcp_fds[0]);
	expect_resolved("127.0.0.53", box.dns_udp_fds[0], box.dns_tcp_fds[0]);
	if (!has_ipv6)
		return;
	expect_resolved("2001:db8::53", box.dns_udp_fds[1], box.dns_tcp_fds[1]);
	expect_resolved("::1", box.dns_udp_fds[1], box.dns_tcp_fds[1]);
}

static void answer_one(const char *address, int udp_fd)
{
	union address from;
	socklen_t len = sizeof(from);
	struct pollfd p = { .fd = udp_fd, .events = POLLIN };
	char question[64];
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(inside(ask, address, 53));
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(recvfrom(udp_fd, question, sizeof(question), 0, &from.any, &len), 8);
	assert_int_equal(sendto(udp_fd, "answer", 6, 0, &from.any, len), 6);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_answers_come_from_whom_was_asked(void **state)
{
	(void)state;
	answer_one("8.8.4.4", box.dns_udp_fds[0]);
	answer_one("127.0.0.53", box.dns_udp_fds[0]);
	if (has_ipv6)
		answer_one("2001:db8::53", box.dns_udp_fds[1]);
}

static void test_other_datagrams_are_refused_at_once(void **state)
{
	(void)state;
	assert_int_equal(inside(send_to, "1.2.3.4", 443), EPERM);
	assert_int_equal(inside(send_to, "1.2.3.4", 54), EPERM);
	assert_int_equal(inside(send_to, "224.0.0.251", 5353), EPERM);
	if (has_ipv6)
		assert_int_equal(inside(send_to, "2001:db8::1", 443), EPERM);
}

static void test_icmp_is_refused(void **state)
{
	int v4 = AF_INET, v6 = AF_INET6;

	(void)state;
	assert_int_equal(harness_inside(&box, CLONE_NEWUSER | CLONE_NEWNET, open_icmp, &v4),
			 EACCES);
	if (has_ipv6)
		assert_int_equal(harness_inside(&box, CLONE_NEWUSER | CLONE_NEWNET, open_icmp, &v6),
				 EACCES);
}

static void test_loopback_is_the_agents_own(void **state)
{
	(void)state;
	assert_int_equal(inside(serve_on_loopback, "127.0.0.1", 80), 0);
	assert_int_equal(inside(serve_on_loopback, "127.1.2.3", 8080), 0);
	assert_int_equal(inside(talk_on_loopback, "127.0.0.1", 5000), 0);
	assert_int_equal(inside(connect_to, "127.0.0.1", 8081), ECONNREFUSED);
	if (has_ipv6) {
		assert_int_equal(inside(serve_on_loopback, "::1", 8080), 0);
		assert_int_equal(inside(talk_on_loopback, "::1", 5000), 0);
	}
	assert_false(is_ready(box.tcp_listen_fds[0]) || is_ready(box.tcp_listen_fds[1]));
}

static void test_nobody_dials_the_proxy_directly(void **state)
{
	(void)state;
	assert_int_equal(inside(connect_to, "127.0.0.1", box.proxy_port), ECONNREFUSED);
	if (has_ipv6)
		assert_int_equal(inside(connect_to, "::1", box.proxy_port), ECONNREFUSED);
	assert_false(is_ready(box.tcp_listen_fds[0]) || is_ready(box.tcp_listen_fds[1]));
}

static int start_box(void **state)
{
	union address a;
	socklen_t len = sizeof(a);

	(void)state;
	box = harness_begin(harness_options("exec sleep 1000"));
	has_ipv6 = getsockname(box.tcp_listen_fds[1], &a.any, &len) == 0 &&
		   a.any.sa_family == AF_INET6;
	return 0;
}

static int end_box(void **state)
{
	(void)state;
	sandbox_done(&box);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_arrives_at_the_proxy),
		cmocka_unit_test(test_mapped_addresses_are_ipv4),
		cmocka_unit_test(test_dns_arrives_at_the_resolver),
		cmocka_unit_test(test_answers_come_from_whom_was_asked),
		cmocka_unit_test(test_other_datagrams_are_refused_at_once),
		cmocka_unit_test(test_icmp_is_refused),
		cmocka_unit_test(test_loopback_is_the_agents_own),
		cmocka_unit_test(test_nobody_dials_the_proxy_directly),
	};
	int r = harness_start(argc, argv);

	return r >= 0 ? r : cmocka_run_group_tests(tests, start_box, end_box);
}
