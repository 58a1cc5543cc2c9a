/* supplement.c against the C library that has all of it. */
#include "unit.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/attributes.h"

#define memmem own_memmem
#define memrchr own_memrchr
#define strchrnul own_strchrnul
#define strcasestr own_strcasestr
#define explicit_bzero own_explicit_bzero
#define reallocarray own_reallocarray
#define vasprintf own_vasprintf
#define secure_getenv own_secure_getenv
#define timegm own_timegm
#define pipe2 own_pipe2
#include "base/supplement.c"
#undef memmem
#undef memrchr
#undef strchrnul
#undef strcasestr
#undef timegm

static void test_text(void **state)
{
	static const char *const texts[] = { "", "a", "ab", "abab", "xABab", "aaab", "b\xff\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++) {
			const char *t = texts[i], *part = texts[k];

			assert_ptr_equal(own_memmem(t, strlen(t), part, strlen(part)),
					 memmem(t, strlen(t), part, strlen(part)));
			assert_ptr_equal(own_strcasestr(t, part), strcasestr(t, part));
			assert_ptr_equal(own_strchrnul(t, part[0]), strchrnul(t, part[0]));
			assert_ptr_equal(own_memrchr(t, part[0], strlen(t)),
					 memrchr(t, part[0], strlen(t)));
		}
	assert_ptr_equal(own_strchrnul(texts[6], 0xff), texts[6] + 1);
}

static int print(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int print(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = own_vasprintf(ret, format, args);
	va_end(args);
	return n;
}

static void test_memory(void **state)
{
	char secret[] = "secret", *text = NULL;

	(void)state;
	own_explicit_bzero(secret, 3);
	assert_memory_equal(secret, "\0\0\0ret", 7);
	assert_null(own_reallocarray(NULL, SIZE_MAX / 2, 3));
	assert_int_equal(print(&text, "%s-%d", "a", 12), 4);
	assert_string_equal(text, "a-12");
	free(text);
}

static void test_the_process(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(setenv("LEASH_TEST", "x", 1), 0);
	assert_string_equal(own_secure_getenv("LEASH_TEST"), "x");
	assert_null(own_secure_getenv("LEASH_TEST_NOT"));
	assert_int_equal(own_pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
		assert_int_equal(close(fds[i]), 0);
	}
}

/* A day and some seconds at a time, from before 1970 over leap years and those that are none. */
static void test_time(void **state)
{
	(void)state;
	for (time_t t = -(time_t)80 * 365 * 86400; t < (time_t)450 * 365 * 86400; t += 86400 + 61) {
		struct tm tm, again;

		assert_non_null(gmtime_r(&t, &tm));
		again = tm;
		assert_int_equal(own_timegm(&again), t);
		assert_int_equal(again.tm_yday, tm.tm_yday);
	}
	for (int mon = -30; mon < 30; mon++) {
		struct tm a = { .tm_year = 100, .tm_mon = mon, .tm_mday = 31, .tm_hour = 25 },
			  b = a;

		assert_int_equal(own_timegm(&a), timegm(&b));
		assert_int_equal(a.tm_mon, b.tm_mon);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_the_process),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
