#include "unit.h"

#include <pwd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/passwd.h"

static void test_a_user_by_name_and_by_number(void **state)
{
	const struct passwd *root = getpwuid(0);
	_cleanup_free_ char *by_name = passwd_home("root", 0), *by_uid = passwd_home(NULL, 0);

	(void)state;
	assert_non_null(root);
	assert_string_equal(by_name, root->pw_dir);
	assert_string_equal(by_uid, root->pw_dir);
}

static void test_the_name_counts_where_there_is_one(void **state)
{
	const struct passwd *other = getpwnam("daemon");
	_cleanup_free_ char *home = passwd_home("daemon", 0);

	(void)state;
	if (!other)
		skip();
	assert_string_equal(home, other->pw_dir);
}

static void test_users_that_are_not_there(void **state)
{
	(void)state;
	assert_null(passwd_home("no-such-user", 0));
	assert_null(passwd_home("", 0));
	assert_null(passwd_home("roo", 0));
	assert_null(passwd_home(NULL, (uid_t)-2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_user_by_name_and_by_number),
		cmocka_unit_test(test_the_name_counts_where_there_is_one),
		cmocka_unit_test(test_users_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
