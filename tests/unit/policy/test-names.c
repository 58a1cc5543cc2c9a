/* Text form of bytes, host ids and ranges: the normal forms everything else relies on. */
#include "unit.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "policy/host.h"
#include "policy/names.h"
#include "policy/text.h"

static void text_is_valid_and_comes_back(_unused_ void **state)
{
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		_cleanup_buf_ struct buf back = BUF_INIT(0);
		static const unsigned char likely[] = { 0xf4, 0x8f, 0xbc, 0xbf, 0x80,
							0xc3, 0xa9, '/',  'a',	0xff };
		char bytes[12];
		size_t len = (size_t)random() % sizeof(bytes);

		for (size_t j = 0; j < len; j++)
			bytes[j] = (char)likely[(size_t)random() % sizeof(likely)];
		assert_int_equal(text_from_bytes(span_make(bytes, len), &text), 0);
		assert_true(utf8_is_valid(buf_span(&text)));
		assert_int_equal(text_to_bytes(buf_span(&text), &back), 0);
		assert_true(span_eq(buf_span(&back), span_make(bytes, len)));
	}
}

static void text_of_plain_names_is_the_name(_unused_ void **state)
{
	assert_true(text_is_plain(SPAN("/home/ü/日本")));
	assert_false(text_is_plain(SPAN("/a\xff")));
	assert_false(text_is_plain(SPAN("/\xf4\x8f\xbf\xbf")));
	assert_true(text_is_plain(SPAN("/\xf4\x8f\xbb\xbf")));
}

static void assert_host(const char *id, const char *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	assert_int_equal(host_id_normalise(span_of(id), &out), 0);
	assert_string_equal(out.data, wanted);
}

static void assert_no_host(const char *id)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	assert_true(host_id_normalise(span_of(id), &out) < 0);
}

static void host_ids_have_one_form(_unused_ void **state)
{
	assert_host("API.GitHub.com.", "api.github.com");
	assert_host("api.github.com:443", "api.github.com:443");
	assert_host("*.GitHub.com", "*.github.com");
	assert_host("*", "*");
	assert_host("*:443", "*:443");
	assert_host("[2001:DB8::1]:22", "[2001:db8::1]:22");
	assert_host("2001:db8:0:0::1", "2001:db8::1");
	assert_host("[::1]", "::1");
	assert_host("::ffff:10.0.0.1", "10.0.0.1");
	assert_host("[::ffff:10.0.0.1]:80", "10.0.0.1:80");
	assert_host("140.82.112.5:22", "140.82.112.5:22");
}

static void what_is_no_host_is_refused(_unused_ void **state)
{
	static const char *const bad[] = {
		"",	   ".",	     "a..b",	 "https://a",	     "a:0",
		"a:65536", "a:",     "127.1",	 "0x7f000001",	     "2130706433",
		"a.*.com", "*a.com", "ex ample", "b\303\274cher.de", "[::1",
		"[::1]x",  "-\001",  "a:b"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_no_host(bad[i]);
}

static bool holds(const char *range, const char *address)
{
	struct policy_address a;
	struct ip_range r;

	assert_true(ip_range_parse(span_of(range), &r));
	assert_true(policy_address_parse(span_of(address), &a));
	return ip_range_holds(&r, &a);
}

static void ranges_hold_their_addresses(_unused_ void **state)
{
	struct ip_range r;

	assert_true(holds("10.0.0.0/8", "10.255.255.255"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("172.16.0.0/12", "172.31.255.255"));
	assert_false(holds("172.16.0.0/12", "172.32.0.0"));
	assert_true(holds("0.0.0.0/0", "1.2.3.4"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("fe80::/10", "febf::1"));
	assert_false(holds("fe80::/10", "fec0::1"));
	assert_true(holds("1.2.3.4", "1.2.3.4"));
	assert_false(holds("1.2.3.4", "1.2.3.5"));
	assert_true(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
	assert_true(holds("::ffff:10.0.0.0/104", "10.1.1.1"));
	assert_true(holds("169.254.0.0/16", "64:ff9b::169.254.169.254"));
	assert_false(ip_range_parse(SPAN("10.0.0.0/33"), &r));
	assert_false(ip_range_parse(SPAN("fe80::/129"), &r));
	assert_false(ip_range_parse(SPAN("10.0.0/8"), &r));
	assert_false(ip_range_parse(SPAN("10.0.0.0/"), &r));
	assert_false(ip_range_parse(SPAN("10.0.0.0/-1"), &r));
}

static void action_tree(_unused_ void **state)
{
	assert_true(action_is_below(POLICY_FILE_CREATE, POLICY_FILE_OPEN_READ_WRITE));
	assert_true(action_is_below(POLICY_FILE_CREATE, ACTION_FILE_OPEN));
	assert_true(action_is_below(POLICY_MCP_CALL, POLICY_NETWORK_CONNECT));
	assert_false(action_is_below(POLICY_FILE_OPEN_READ_ONLY, POLICY_FILE_OPEN_READ_WRITE));
	assert_false(action_is_below(POLICY_NETWORK_LISTEN, POLICY_NETWORK_CONNECT));
	assert_false(action_is_below(POLICY_FILE_CREATE, POLICY_FILE_CREATE));
}

static void names_and_indices_agree(_unused_ void **state)
{
	enum policy_action action;
	enum policy_mode mode;

	for (enum policy_action a = 0; a < POLICY_ACTION_MAX; a++) {
		assert_int_equal(policy_action_from_name(span_of(policy_action_name(a)), &action),
				 0);
		assert_int_equal(action, a);
	}
	assert_true(policy_action_from_name(SPAN("FileOpen"), &action) < 0);
	assert_int_equal(policy_mode_from_name(SPAN("shadow"), &mode), 0);
	assert_int_equal(mode, POLICY_SHADOW);
	assert_true(policy_mode_from_name(SPAN("off"), &mode) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_valid_and_comes_back),
		cmocka_unit_test(text_of_plain_names_is_the_name),
		cmocka_unit_test(host_ids_have_one_form),
		cmocka_unit_test(what_is_no_host_is_refused),
		cmocka_unit_test(ranges_hold_their_addresses),
		cmocka_unit_test(action_tree),
		cmocka_unit_test(names_and_indices_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
