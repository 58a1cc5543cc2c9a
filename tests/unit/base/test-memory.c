#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

static void test_a_buffer_past_its_limit_stays_failed(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8);

	(void)state;
	assert_int_equal(buf_append(&b, "12345678", 8), 0);
	assert_int_equal(buf_append_char(&b, '9'), -EMSGSIZE);
	assert_true(b.failed);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_append_char(&b, 'x'), -EMSGSIZE);
	buf_reset(&b);
	assert_int_equal(buf_append_char(&b, 'x'), 0);
	assert_string_equal(b.data, "x");
}

static void test_consume_drops_from_the_front(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	assert_int_equal(buf_printf(&b, "%s-%d", "abc", 7), 0);
	buf_consume(&b, 2);
	assert_string_equal(b.data, "c-7");
	buf_consume(&b, 100);
	assert_string_equal(b.data, "");
}

static void test_an_arena_keeps_to_its_limit(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(16384);
	size_t n = 0;

	(void)state;
	while (arena_alloc(&a, 100))
		n++;
	assert_true(n > 100 && n < 164);
	assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 4));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 100));
}

static void test_arena_memory_is_zeroed_after_a_reset(void **state)
{
	_cleanup_arena_ struct arena a = ARENA_INIT(0);
	char *p = arena_alloc(&a, 64);

	(void)state;
	memset(p, 0xff, 64);
	arena_reset(&a);
	p = arena_alloc(&a, 64);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(p[i], 0);
}

static void test_a_map_holds_many_keys_through_removals(void **state)
{
	struct map m = { 0 };
	static char values[2000];
	char key[16];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 2000; i++) {
			int n = snprintf(key, sizeof(key), "k%d", i);

			(void)map_put(&m, span_make(key, (size_t)n), &values[i]);
		}
		assert_int_equal(m.len, 2000);
		for (int i = 0; i < 2000; i++) {
			int n = snprintf(key, sizeof(key), "k%d", i);

			assert_ptr_equal(map_get(&m, span_make(key, (size_t)n)), &values[i]);
			if (i % 2 == 0)
				assert_ptr_equal(map_remove(&m, span_make(key, (size_t)n)), &values[i]);
		}
		assert_int_equal(m.len, 1000);
		assert_null(map_get(&m, SPAN("k0")));
		assert_ptr_equal(map_get(&m, SPAN("k1")), &values[1]);
	}
	map_done(&m, NULL);
}

static void test_a_number_is_written_in_digits(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	assert_int_equal(buf_append_number(&b, 0), 0);
	assert_int_equal(buf_append_char(&b, ' '), 0);
	assert_int_equal(buf_append_number(&b, 10), 0);
	assert_int_equal(buf_append_char(&b, ' '), 0);
	assert_int_equal(buf_append_number(&b, UINT64_MAX), 0);
	assert_string_equal(b.data, "0 10 18446744073709551615");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_buffer_past_its_limit_stays_failed),
		cmocka_unit_test(test_a_number_is_written_in_digits),
		cmocka_unit_test(test_consume_drops_from_the_front),
		cmocka_unit_test(test_an_arena_keeps_to_its_limit),
		cmocka_unit_test(test_arena_memory_is_zeroed_after_a_reset),
		cmocka_unit_test(test_a_map_holds_many_keys_through_removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
