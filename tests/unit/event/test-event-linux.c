/* On Linux its numbers are the system's own. */
#include <fcntl.h>
#include <string.h>

#include "event/linux-numbers.h"
#include "unit.h"

#define SAME(name) _Static_assert(LINUX_##name == name, "as the system has it")
SAME(O_ACCMODE);
SAME(O_RDONLY);
SAME(O_WRONLY);
SAME(O_RDWR);
SAME(O_CREAT);
SAME(O_EXCL);
SAME(O_NOCTTY);
SAME(O_TRUNC);
SAME(O_APPEND);
SAME(O_NONBLOCK);
SAME(O_DSYNC);
SAME(O_ASYNC);
SAME(O_DIRECTORY);
SAME(O_NOFOLLOW);
SAME(O_DIRECT);
SAME(O_NOATIME);
SAME(O_CLOEXEC);
SAME(O_SYNC);
SAME(O_PATH);
SAME(O_TMPFILE);

static void test_errors(void **state)
{
	(void)state;
	for (int i = 1; i < 200; i++) {
		const char *want = strerrorname_np(i), *got = linux_error_name(i);

		if (!want != !got || (want && strcmp(want, got) != 0))
			fail_msg("%d is %s, not %s", i, want ? want : "nothing",
				 got ? got : "nothing");
	}
	assert_null(linux_error_name(0));
	assert_null(linux_error_name(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_errors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
