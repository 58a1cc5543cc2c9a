/* The one-pass matcher against the definition, over all short patterns and texts. */
#include "cedar-test.h"
#include "cedar/like.h"
#include "cedar/literal.h"

/* By definition: a wildcard is any run of characters. */
static bool matches(const char *text, const char *pattern)
{
	if (*pattern == 0)
		return *text == 0;
	if (*pattern == '*')
		return matches(text, pattern + 1) || (*text && matches(text + 1, pattern));
	return *text == *pattern && matches(text + 1, pattern + 1);
}

/* The i-th word over the alphabet; every word of up to n letters has its number. */
static void spell(size_t i, const char *alphabet, char *out)
{
	size_t n = strlen(alphabet);

	for (; i > 0; i = (i - 1) / n)
		*out++ = alphabet[(i - 1) % n];
	*out = 0;
}

static void check(const char *pattern, struct arena *arena)
{
	struct cedar_pattern_piece *pieces;
	struct cedar_range bad;
	size_t n;

	assert_int_equal(literal_pattern(span_of(pattern), arena, &pieces, &n, &bad), 0);
	for (size_t i = 0; i < 127; i++) {
		char text[8];

		spell(i, "ab", text);
		if (like_matches(span_of(text), pieces, n) != matches(text, pattern))
			fail_msg("\"%s\" like \"%s\" must be %d", text, pattern,
				 matches(text, pattern));
	}
}

static void test_against_definition(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);

	(void)state;
	for (size_t i = 0; i < 3280; i++) { /* all words of up to seven letters */
		char pattern[12];

		spell(i, "ab*", pattern);
		check(pattern, &arena);
		arena_reset(&arena);
	}
}

static void test_escapes(void **state)
{
	static const struct {
		const char *text, *pattern;
		bool wanted;
	} rows[] = {
		{ "a*c", "a\\*c", true },	 { "abc", "a\\*c", false },
		{ "ax", "a\\u{2A}", true },	 { "ax", "a\\x2A", true },
		{ "\xc3\xa9", "\\u{e9}", true }, { "x\xc3\xa9y", "*\xc3\xa9*", true },
		{ "**", "\\**\\*", true },	 { "*", "\\**\\*", false },
	};
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cedar_pattern_piece *pieces;
		struct cedar_range bad;
		size_t n;

		assert_int_equal(
			literal_pattern(span_of(rows[i].pattern), &arena, &pieces, &n, &bad), 0);
		if (like_matches(span_of(rows[i].text), pieces, n) != rows[i].wanted)
			fail_msg("\"%s\" like \"%s\"", rows[i].text, rows[i].pattern);
	}
}

/* Adjacent escapes and letters are one literal; wildcards stay as written. */
static void test_pieces(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_pattern_piece *pieces;
	struct cedar_range bad;
	size_t n;

	(void)state;
	assert_int_equal(literal_pattern(SPAN("/a\\*\\nb**c"), &arena, &pieces, &n, &bad), 0);
	assert_int_equal(n, 4);
	assert_true(span_eq_str(pieces[0].literal, "/a*\nb"));
	assert_true(pieces[1].is_wildcard);
	assert_true(pieces[2].is_wildcard);
	assert_true(span_eq_str(pieces[3].literal, "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_definition),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
