#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

static void test_components_count_not_characters(void **state)
{
	(void)state;
	assert_true(path_is_below(SPAN("/work/secret/a"), SPAN("/work/secret")));
	assert_true(path_is_below(SPAN("/work/secret/a"), SPAN("/work/secret/")));
	assert_false(path_is_below(SPAN("/work/secrets2"), SPAN("/work/secret")));
	assert_false(path_is_below(SPAN("/work/secret-x/a"), SPAN("/work/secret")));
	assert_false(path_is_below(SPAN("/work/secret"), SPAN("/work/secret")));
	assert_true(path_is_within(SPAN("/work/secret"), SPAN("/work/secret/")));
	assert_true(path_is_below(SPAN("/a"), SPAN("/")));
	assert_false(path_is_below(SPAN("/"), SPAN("/")));
	assert_true(path_is_within(SPAN("/"), SPAN("/")));
}

static void check_normalised(const char *base, const char *name, const char *expected)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	assert_int_equal(path_normalise(span_of(base), span_of(name), &out), 0);
	assert_string_equal(out.data, expected);
}

static void test_normalise(void **state)
{
	(void)state;
	check_normalised("/w", "a/./b//c", "/w/a/b/c");
	check_normalised("/w", "../x", "/x");
	check_normalised("/w", "../../../x", "/x");
	check_normalised("/w", "/etc/../..", "/");
	check_normalised("/w", "..a/...", "/w/..a/...");
	check_normalised("/", "", "/");
}

static void check_split(const char *path, const char *directory, const char *name)
{
	assert_true(span_eq_str(path_directory(span_of(path)), directory));
	assert_true(span_eq_str(path_base_name(span_of(path)), name));
}

static void test_split(void **state)
{
	(void)state;
	check_split("/w/a.txt", "/w/", "a.txt");
	check_split("/w/a//", "/w/", "a");
	check_split("/a", "/", "a");
	check_split("/", "/", "");
	check_split("a", "", "a");
	check_split("", "", "");
}

static void test_resolve_follows_links_and_keeps_what_is_absent(void **state)
{
	char directory[] = "/tmp/test-path-XXXXXX";
	_cleanup_free_ char *link = NULL;
	_cleanup_free_ char *asked = NULL;
	_cleanup_free_ char *resolved = NULL;

	(void)state;
	assert_non_null(mkdtemp(directory));
	link = path_join(directory, "link");
	assert_int_equal(symlink("/usr", link), 0);
	asked = xasprintf("%s/bin/no-such-program", link);
	resolved = path_resolve(asked);
	assert_string_equal(resolved, "/usr/bin/no-such-program");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_null(path_resolve("relative"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_components_count_not_characters),
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_resolve_follows_links_and_keeps_what_is_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
