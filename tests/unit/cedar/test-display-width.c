#include "cedar-test.h"
#include "cedar/display-width.h"

static void assert_width(const char *text, size_t wanted)
{
	if (display_width(span_of(text)) != wanted)
		print_error("%s\n", text);
	assert_int_equal(display_width(span_of(text)), wanted);
}

static void test_characters(void **state)
{
	(void)state;
	assert_width("", 0);
	assert_width("plain\ttext\n", 11);
	assert_width("gr\u00fc\u00dfe\n", 6);
	assert_width("\u65e5\u672c\u8a9e", 6);
	assert_width("\uff21", 2);
	assert_width("e\u0301\u00ad\u200b", 1);
	assert_width("\u1100\u1161\u11a8", 2);
	assert_width("\u17d8", 3);
	assert_width("\U00020000\U0001f600", 4);
}

static void test_emoji(void **state)
{
	(void)state;
	assert_width("\u2764", 1);
	assert_width("\u2764\ufe0f", 2);
	assert_width("\u231a\ufe0e", 1);
	assert_width("1\ufe0f\u20e3", 2);
	assert_width("\U0001f1e9\U0001f1ea\U0001f1eb", 3);
	assert_width("\U0001f44d\U0001f3fd", 2);
	assert_width("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2);
	assert_width("\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468", 2);
	assert_width("\U0001f469\u200d\u2764", 3);
	assert_width("\U0001f469\u200da", 3);
	assert_width("\U0001f3f4\u200d\u2620\ufe0f", 2);
}

static void test_letters_that_melt(void **state)
{
	(void)state;
	assert_width("\u0644\u0627", 1);
	assert_width("\u0644\u064b\u0627", 1);
	assert_width("\u0644\u200d\u0627", 2);
	assert_width("\u05d0\u200d\u05dc", 1);
	assert_width("\u1780\u17d2\u1780", 1);
	assert_width("\u2d31\u2d7f\u2d31\u2d31", 2);
	assert_width("\u2d31\u2d7f\u2d31\u2d7f\u2d31", 3);
	assert_width("\ua4f8\ua4fc", 1);
	assert_width("\U00016d63\U00016d67\U00016d67", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_emoji),
		cmocka_unit_test(test_letters_that_melt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
