#include "unit.h"

#include <errno.h>

#include "api/listen.h"

static void check(const char *text, const char *address, uint16_t port, bool is_given)
{
	struct api_listen l;
	struct err err = { 0 };

	if (api_listen_parse(span_of(text), &l, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	if (strcmp(l.address, address) != 0 || l.port != port || l.is_port_given != is_given ||
	    l.fd != -1)
		fail_msg("%s: %s port %u%s", text, l.address, l.port,
			 l.is_port_given ? ", given" : "");
}

static void test_forms(void **state)
{
	(void)state;
	check("", "", 18080, false);
	check("  ", "", 18080, false);
	check("19000", "127.0.0.1", 19000, true);
	check(":19000", "127.0.0.1", 19000, true);
	check("127.0.0.2", "127.0.0.2", 18080, false);
	check("127.0.0.2:19000", "127.0.0.2", 19000, true);
	check("localhost", "127.0.0.1", 18080, false);
	check("localhost:19000", "127.0.0.1", 19000, true);
	check("0.0.0.0:1", "0.0.0.0", 1, true);
	check("[::1]", "::1", 18080, false);
	check("[::1]:65535", "::1", 65535, true);
	check("::1", "::1", 18080, false);
	check("2001:db8::1", "2001:db8::1", 18080, false);
}

static void test_bad_forms(void **state)
{
	static const char *const bad[] = {
		"0",
		"65536",
		"x",
		":",
		"127.0.0.1:",
		"127.0.0.1:0",
		"[::1",
		"[::1]x",
		"[::1]:",
		"[127.0.0.1]",
		"[]",
		"host.name",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.4:5:6",
		"example.com:80",
		"-1",
		"+80",
		"0x50",
		"80 80",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct api_listen l;
		struct err err = { 0 };

		if (api_listen_parse(span_of(bad[i]), &l, &err) >= 0)
			fail_msg("%s was taken for %s port %u", bad[i], l.address, l.port);
		assert_true(err.text[0]);
	}
}

static void check_reach(const char *text, bool is_loopback, bool is_any)
{
	struct api_listen l;

	assert_int_equal(api_listen_parse(span_of(text), &l, NULL), 0);
	if (api_listen_is_loopback(&l) != is_loopback || api_listen_is_any(&l) != is_any)
		fail_msg("%s: loopback %d, any %d", text, api_listen_is_loopback(&l),
			 api_listen_is_any(&l));
}

static void test_who_can_reach_it(void **state)
{
	(void)state;
	check_reach("18080", true, false);
	check_reach("127.8.8.8", true, false);
	check_reach("[::1]:1", true, false);
	check_reach("0.0.0.0", false, true);
	check_reach("[::]:1", false, true);
	check_reach("[0:0:0:0:0:0:0:0]:1", false, true);
	check_reach("192.0.2.1", false, false);
	check_reach("[::ffff:127.0.0.1]:1", false, false);
}

static void test_a_port_that_is_taken(void **state)
{
	struct api_listen first = API_LISTEN_DEFAULT, next = API_LISTEN_DEFAULT,
			  same = API_LISTEN_DEFAULT;
	struct err err = { 0 };

	(void)state;
	first.port = next.port = 38470;
	assert_int_equal(api_listen_open(&first, &err), 0);
	assert_int_equal(api_listen_open(&next, &err), 0);
	assert_int_not_equal(first.port, next.port);
	same.port = first.port;
	same.is_port_given = true;
	assert_int_equal(api_listen_open(&same, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "--listen"));
	assert_int_equal(same.fd, -1);
	api_listen_close(&first);
	api_listen_close(&next);
	assert_int_equal(first.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bad_forms),
		cmocka_unit_test(test_who_can_reach_it),
		cmocka_unit_test(test_a_port_that_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
