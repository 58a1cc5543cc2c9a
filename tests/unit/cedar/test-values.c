#include <errno.h>

#include "cedar-test.h"

static void assert_printed(const struct cedar_value *v, const char *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	assert_int_equal(cedar_value_print(v, &out), 0);
	assert_string_equal(out.data, wanted);
}

static void test_decimal(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "0.0", 0 },
		{ "-0.0", 0 },
		{ "1.23", 12300 },
		{ "-0.5", -5000 },
		{ "0001.0001", 10001 },
		{ "922337203685477.5807", INT64_MAX },
		{ "-922337203685477.5808", INT64_MIN },
	};
	static const char *const bad[] = { "",
					   "1",
					   "1.",
					   ".1",
					   "+1.0",
					   "1.00000",
					   "1.-1",
					   "1.0 ",
					   "--1.0",
					   "1e1",
					   "-",
					   "922337203685477.5808",
					   "-922337203685477.5809" };
	int64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(cedar_decimal_parse(span_of(good[i].text), &n), 0);
		assert_true(n == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cedar_decimal_parse(span_of(bad[i]), &n), -EINVAL);
}

static void test_ip(void **state)
{
	static const char *const bad[] = { "",
					   "1.2.3",
					   "1.2.3.4.5",
					   "01.2.3.4",
					   "256.0.0.1",
					   "1.2.3.4/33",
					   "1.2.3.4/08",
					   "1.2.3.4/",
					   "1.2.3.4 ",
					   "::1/129",
					   "1::2::3",
					   ":::",
					   "1:2:3:4:5:6:7",
					   "1:2:3:4:5:6:7:8::",
					   "::ffff:1.2.3.4",
					   "12345::",
					   "fe80::1%eth0",
					   "[::1]",
					   "1:",
					   ":1",
					   ":",
					   "g::",
					   "1.2.3.4/1/1",
					   "/8",
					   "0000:0000:0000:0000:0000:0000:0000:00001/128" };
	struct cedar_ipaddr ip;

	(void)state;
	assert_int_equal(cedar_ipaddr_parse(SPAN("10.1.2.3/8"), &ip), 0);
	assert_false(ip.is_v6);
	assert_int_equal(ip.prefix, 8);
	assert_memory_equal(ip.bytes, "\x0a\x01\x02\x03", 4);
	assert_int_equal(cedar_ipaddr_parse(SPAN("1:2::AbC:0"), &ip), 0);
	assert_true(ip.is_v6);
	assert_int_equal(ip.prefix, 128);
	assert_memory_equal(ip.bytes, "\0\1\0\2\0\0\0\0\0\0\0\0\x0a\xbc\0\0", 16);
	assert_int_equal(cedar_ipaddr_parse(SPAN("1:2:3:4:5:6:7::"), &ip), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (cedar_ipaddr_parse(span_of(bad[i]), &ip) != -EINVAL)
			fail_msg("accepted as an address: '%s'", bad[i]);
}

static void test_datetime(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1970-01-01", 0 },
		{ "1969-12-31T23:59:59.999Z", -1 },
		{ "2024-02-29", INT64_C(1709164800000) },
		{ "0000-01-01", INT64_C(-62167219200000) },
		{ "0000-02-29", INT64_C(-62162121600000) },
		{ "9999-12-31T23:59:59.999-2359", INT64_C(253402387139999) },
		{ "2024-01-01T00:00:00+0100", INT64_C(1704063600000) },
	};
	static const char *const bad[] = { "2023-02-29",
					   "1900-02-29",
					   "2024-13-01",
					   "2024-04-31",
					   "2024-1-01",
					   "2024-01-01T00:00:00",
					   "2024-01-01T24:00:00Z",
					   "2024-01-01T00:00:60Z",
					   "2024-01-01Z",
					   "2024-01-01T00:00:00.12Z",
					   "2024-01-01T00:00:00+2400",
					   "2024-01-01T00:00:00ZZ",
					   "",
					   "2024-01-01 " };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(cedar_datetime_parse(span_of(good[i].text), &ms), 0);
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cedar_datetime_parse(span_of(bad[i]), &ms), -EINVAL);
}

/* Every day of 0000 to 9999 follows the one before it: the calendar has no hole. */
static void test_calendar_is_gapless(void **state)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t expected = INT64_C(-62167219200000);

	(void)state;
	for (int y = 0; y <= 9999; y++) {
		int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

		for (int m = 1; m <= 12; m++) {
			for (int d = 1; d <= days[m - 1] + (m == 2 && leap); d++) {
				char text[32];
				int64_t ms;

				(void)snprintf(text, sizeof(text), "%04d-%02d-%02d", y, m, d);
				assert_int_equal(cedar_datetime_parse(span_of(text), &ms), 0);
				assert_true(ms == expected);
				expected += 86400000;
			}
		}
	}
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1d2h3m4s5ms", 93784005 },
		{ "-1d", -86400000 },
		{ "1h1ms", 3600001 },
		{ "1m", 60000 },
		{ "1ms", 1 },
		{ "-9223372036854775808ms", INT64_MIN },
		{ "9223372036854775s807ms", INT64_MAX },
	};
	static const char *const bad[] = { "",
					   "-",
					   "1",
					   "d",
					   "1s1m",
					   "1s1s",
					   "1ms1s",
					   "1d ",
					   "1.5h",
					   "+1h",
					   "1d-2h",
					   "9223372036854775808ms",
					   "106751991168d",
					   "1D" };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(cedar_duration_parse(span_of(good[i].text), &ms), 0);
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cedar_duration_parse(span_of(bad[i]), &ms), -EINVAL);
}

static void test_sets_have_no_order_and_no_duplicates(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(0);
	const struct cedar_value *one = cedar_value_long(&a, 1);
	const struct cedar_value *two = cedar_value_long(&a, 2);
	const struct cedar_value *text = cedar_value_string(&a, SPAN("1"));
	const struct cedar_value *x[] = { two, one, text, two, one };
	const struct cedar_value *y[] = { text, one, two };

	(void)state;
	assert_int_equal(cedar_value_set(&a, x, 5)->set.len, 3);
	assert_true(cedar_value_eq(cedar_value_set(&a, x, 5), cedar_value_set(&a, y, 3)));
	assert_false(cedar_value_eq(cedar_value_set(&a, x, 5), cedar_value_set(&a, y, 2)));
	assert_printed(cedar_value_set(&a, x, 5), "[1, 2, \"1\"]");
	assert_ptr_equal(x[0], two);
}

static void test_records_are_sorted_and_the_last_key_stays(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(0);
	const struct cedar_record_entry entries[] = {
		{ SPAN("b"), cedar_value_long(&a, 1) },
		{ SPAN("a"), cedar_value_bool(&a, true) },
		{ SPAN("b"), cedar_value_long(&a, 2) },
	};

	(void)state;
	assert_printed(cedar_value_record(&a, entries, 3), "{\"a\": true, \"b\": 2}");
}

static void test_printing(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(0);
	struct cedar_ipaddr ip;

	(void)state;
	assert_printed(cedar_value_decimal(&a, 12300), "decimal(\"1.2300\")");
	assert_printed(cedar_value_decimal(&a, -1), "decimal(\"-0.0001\")");
	assert_printed(cedar_value_decimal(&a, INT64_MIN), "decimal(\"-922337203685477.5808\")");
	assert_printed(cedar_value_datetime(&a, -5),
		       "datetime(\"1970-01-01\").offset(duration(\"-5ms\"))");
	assert_printed(cedar_value_duration(&a, INT64_MIN), "duration(\"-9223372036854775808ms\")");
	assert_printed(cedar_value_string(&a, SPAN("a\n\"\\'\x01\0\xe2\x80\xae\xc3\xa9")),
		       "\"a\\n\\\"\\\\\\'\\u{1}\\0\\u{202e}\xc3\xa9\"");
	assert_printed(
		cedar_value_entity(&a, (struct cedar_entity_uid){ SPAN("A::B"), SPAN("x\"") }),
		"A::B::\"x\\\"\"");
	assert_int_equal(cedar_ipaddr_parse(SPAN("1:0:0:4:0:0:0:8/64"), &ip), 0);
	assert_printed(cedar_value_ip(&a, ip), "ip(\"1:0:0:4::8/64\")");
	assert_int_equal(cedar_ipaddr_parse(SPAN("0:0:0:0:0:0:0:0/128"), &ip), 0);
	assert_printed(cedar_value_ip(&a, ip), "ip(\"::\")");
	assert_int_equal(cedar_ipaddr_parse(SPAN("1::/0"), &ip), 0);
	assert_printed(cedar_value_ip(&a, ip), "ip(\"1::/0\")");
	assert_int_equal(cedar_ipaddr_parse(SPAN("::ffff:102:304"), &ip), 0);
	assert_printed(cedar_value_ip(&a, ip), "ip(\"::ffff:102:304\")");
	assert_int_equal(cedar_ipaddr_parse(SPAN("10.0.0.1/8"), &ip), 0);
	assert_printed(cedar_value_ip(&a, ip), "ip(\"10.0.0.1/8\")");
}

static void test_constructors_report_exhaustion(void **state)
{
	struct arena a = ARENA_INIT(16);
	const struct cedar_value *items[] = { NULL };

	(void)state;
	assert_null(cedar_value_long(&a, 1));
	assert_null(cedar_value_set(&a, items, 0));
	assert_null(cedar_value_record(&a, NULL, 0));
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_datetime),
		cmocka_unit_test(test_calendar_is_gapless),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_sets_have_no_order_and_no_duplicates),
		cmocka_unit_test(test_records_are_sorted_and_the_last_key_stays),
		cmocka_unit_test(test_printing),
		cmocka_unit_test(test_constructors_report_exhaustion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
