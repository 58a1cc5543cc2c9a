#include "unit.h"

#include <errno.h>

#include "base/base64.h"

/* RFC 4648 §10 */
static const char *const pairs[][2] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void test_published_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		_cleanup_buf_ struct buf bytes = BUF_INIT(0);

		assert_int_equal(base64_append(span_of(pairs[i][0]), 0, &text), 0);
		assert_true(span_eq_str(buf_span(&text), pairs[i][1]));
		assert_int_equal(base64_decode_lines(buf_span(&text), &bytes), 0);
		assert_true(span_eq_str(buf_span(&bytes), pairs[i][0]));
	}
}

static void test_lines(void **state)
{
	unsigned char data[200];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 37 + 250);
	for (size_t len = 0; len <= sizeof(data); len++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		_cleanup_buf_ struct buf bytes = BUF_INIT(0);
		size_t column = 0;

		assert_int_equal(base64_append(span_make(data, len), 64, &text), 0);
		for (size_t i = 0; i < text.len; i++) {
			column = text.data[i] == '\n' ? 0 : column + 1;
			assert_true(column <= 64);
		}
		assert_int_equal(column, 0);
		assert_int_equal(base64_decode_lines(buf_span(&text), &bytes), 0);
		assert_true(span_eq(buf_span(&bytes), span_make(data, len)));
	}
}

static void test_malformed(void **state)
{
	static const char *const bad[] = {
		"A",	 "AA",	     "AAA",  "=",    "====", "A===", "AA=A",
		"AA==A", "Zg==Zg==", "Zh==", "Zm9=", "A-AA", "A_AA", "\377AAA"
	};
	_cleanup_buf_ struct buf small = BUF_INIT(4);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_buf_ struct buf bytes = BUF_INIT(0);

		if (base64_decode_lines(span_of(bad[i]), &bytes) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(base64_decode_lines(SPAN("Zm9vYmFyZm9vYmFy"), &small), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_pairs),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
