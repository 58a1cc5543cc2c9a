#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "daemon/publish.h"

static void check(const char *option, const char *address, uint16_t container)
{
	published_ports ports = { 0 };
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	struct err err = { 0 };

	if (publish_open(&ports, option, &err) < 0)
		fail_msg("%s: %s", option, err.text);
	assert_int_equal(ports.len, 1);
	assert_string_equal(ports.items[0].address, address);
	assert_int_equal(ports.items[0].container, container);
	assert_int_equal(getsockname(ports.items[0].listen_fd, (struct sockaddr *)&bound, &len), 0);
	assert_int_equal(ntohs(((struct sockaddr_in *)&bound)->sin_port), ports.items[0].host);
	publish_done(&ports);
}

static void test_forms(void **state)
{
	(void)state;
	check("38411", "127.0.0.1", 38411);
	check("38412:3000", "127.0.0.1", 3000);
	check("127.0.0.2:38413:3000", "127.0.0.2", 3000);
	check("127.0.0.2::38414", "127.0.0.2", 38414);
	check("38415:3000/tcp", "127.0.0.1", 3000);
	check("[::1]:38416:3000", "::1", 3000);
}

static void test_bad_forms(void **state)
{
	static const char *const bad[] = { "",	   "0",	       "65536",	  "x",		 "80:",	       ":",
					   "-1",   "1.2.3.4:", "80:x",	  "80/udp",	 "999.1.1.1:8080:80",
					   "80 ",  "+80",      "0x50:80", "host:8080:80" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		published_ports ports = { 0 };
		struct err err = { 0 };

		if (publish_open(&ports, bad[i], &err) >= 0)
			fail_msg("%s was accepted", bad[i]);
		assert_true(err.text[0]);
		publish_done(&ports);
	}
}

static void test_a_busy_port_is_an_error_only_when_it_was_asked_for(void **state)
{
	published_ports ports = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(publish_open(&ports, "38417:1", &err), 0);
	assert_int_equal(publish_open(&ports, "38417:2", &err), -EADDRINUSE);
	assert_int_equal(publish_open(&ports, "38417", &err), 0);
	assert_int_equal(ports.len, 2);
	assert_int_not_equal(ports.items[1].host, 38417);
	publish_done(&ports);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bad_forms),
		cmocka_unit_test(test_a_busy_port_is_an_error_only_when_it_was_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
