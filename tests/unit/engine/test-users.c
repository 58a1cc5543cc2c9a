/* An image's users, as its description names them. */
#include <errno.h>

#include "engine/users.h"
#include "unit.h"

#define PASSWD                                                                                     \
	"root:x:0:0:root:/root:/bin/sh\n"                                                          \
	"dev:x:1000:1001::/home/dev:/bin/sh\n"                                                     \
	"broken\n"                                                                                 \
	"huge:x:4294967295:0::/h:/bin/sh\n"                                                        \
	"negative:x:-1:0::/h:/bin/sh\n"                                                            \
	"12:x:77:78::/home/twelve:/bin/sh\n"                                                       \
	"relative:x:5:5::home:/bin/sh"
#define GROUP                                                                                      \
	"root:x:0:\n"                                                                              \
	"wheel:x:10:dev,root\n"                                                                    \
	"devs:x:1001:\n"                                                                           \
	"audio:x:29:someone,dev\n"                                                                 \
	"near:x:30:dev2,xdev\n"

static int find(const char *text, struct image_user *ret)
{
	struct err err = { 0 };

	return image_user_find(SPAN(PASSWD), SPAN(GROUP), span_of(text), ret, &err);
}

static void expect(const char *text, uid_t uid, gid_t gid, size_t n_groups, const char *home)
{
	struct image_user u;

	assert_int_equal(find(text, &u), 0);
	assert_int_equal(u.ids.uid, uid);
	assert_int_equal(u.ids.gid, gid);
	assert_int_equal(u.ids.n_groups, n_groups);
	assert_string_equal(u.home, home);
	image_user_done(&u);
}

static void test_known(void **state)
{
	struct image_user u;

	(void)state;
	expect("", 0, 0, 1, "/root");
	expect("root", 0, 0, 1, "/root");
	expect("dev", 1000, 1001, 2, "/home/dev");
	expect("1000", 1000, 1001, 2, "/home/dev");
	expect("dev:audio", 1000, 29, 0, "/home/dev");
	expect("dev:5", 1000, 5, 0, "/home/dev");
	expect("relative", 5, 5, 0, "/");
	assert_int_equal(find("dev", &u), 0);
	assert_int_equal(u.ids.groups[0], 10);
	assert_int_equal(u.ids.groups[1], 29);
	image_user_done(&u);
}

static void test_unknown(void **state)
{
	struct image_user u;

	(void)state;
	/* A number need not be listed; a name must. */
	expect("4711", 4711, 0, 0, "/");
	expect("4711:4712", 4711, 4712, 0, "/");
	assert_int_equal(find("nobody-there", &u), -ENOENT);
	assert_int_equal(find("dev:nogroup-there", &u), -ENOENT);
	assert_int_equal(find("huge", &u), -ENOENT);
	assert_int_equal(find("negative", &u), -ENOENT);
	assert_int_equal(find("4294967295", &u), -ENOENT);
	assert_int_equal(find("99999999999999999999", &u), -ENOENT);
	assert_int_equal(find("dev:4294967295", &u), -ENOENT);
	assert_int_equal(find("-1", &u), -ENOENT);
}

/* Without any file, as in an image of one program. */
static void test_empty(void **state)
{
	struct image_user u;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		image_user_find((struct span){ 0 }, (struct span){ 0 }, SPAN(""), &u, &err), 0);
	assert_int_equal(u.ids.uid, 0);
	assert_string_equal(u.home, "/");
	image_user_done(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
