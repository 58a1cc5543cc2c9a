/* Memory files as those who are handed one see them. */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "unit.h"

static void test_a_sealed_file_is_read_from_its_beginning(void **state)
{
	_cleanup_buf_ struct buf got = BUF_INIT(100);
	_cleanup_close_ int fd = memfd_sealed("test", SPAN("all of it"));

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, &got), 0);
	assert_true(span_eq_str(buf_span(&got), "all of it"));
}

static void test_a_sealed_file_is_not_changed(void **state)
{
	_cleanup_close_ int fd = memfd_sealed("test", SPAN("all of it"));

	(void)state;
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(errno, EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sealed_file_is_read_from_its_beginning),
		cmocka_unit_test(test_a_sealed_file_is_not_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
