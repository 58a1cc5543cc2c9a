#include "cedar-test.h"

/* Parses text, which must have one mistake, and prints it. */
static char *print_first(const char *text, bool color)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	assert_true(cedar_policy_set_parse(span_of(text), &diags, &set) < 0);
	assert_int_equal(diags.len, 1);
	assert_int_equal(
		cedar_diagnostic_print(&diags.items[0], "a.cedar", span_of(text), color, &out), 0);
	cedar_diagnostics_done(&diags);
	return buf_take(&out);
}

static void test_line_and_carets(void **state)
{
	_cleanup_free_ char *got = print_first("// first\n"
					       "permit(principal, action, resource)\n"
					       "\twhen { resorce == 1 };\n",
					       /* color = */ false);

	(void)state;
	assert_string_equal(got, "a.cedar:3:9: error: `resorce` is not a variable\n"
				 "     when { resorce == 1 };\n"
				 "            ^^^^^^^\n"
				 "    help: did you mean `resource`?\n");
}

/* Columns count characters, not bytes. */
static void test_columns_are_characters(void **state)
{
	_cleanup_free_ char *got = print_first("permit(principal, action, resource) "
					       "when { \"\xc3\xa9\xe2\x82\xac\" == x };",
					       /* color = */ false);

	(void)state;
	assert_non_null(strstr(got, "a.cedar:1:52: error"));
	assert_non_null(
		strstr(got, "\n                                                       ^\n"));
}

/* A policy cannot paint the reader's terminal. */
static void test_control_bytes_are_escaped(void **state)
{
	_cleanup_free_ char *got = print_first("permit(principal, action, resource) "
					       "when { \"\x1b[31m\xe2\x80\xae\" \"\x1b\" };",
					       /* color = */ false);

	(void)state;
	assert_null(strchr(got, '\x1b'));
	assert_null(strstr(got, "\xe2\x80\xae"));
	assert_non_null(strstr(got, "\\u{1b}[31m\\u{202e}"));
}

static void test_end_of_text(void **state)
{
	_cleanup_free_ char *got = print_first("permit(principal, action, resource)",
					       /* color = */ false);

	(void)state;
	assert_non_null(strstr(got, "a.cedar:1:36: error"));
	assert_non_null(strstr(got, "\n                                       ^\n"));
}

static void test_color(void **state)
{
	_cleanup_free_ char *got = print_first("x;", /* color = */ true);

	(void)state;
	assert_non_null(strstr(got, "\033[1;31merror:\033[0m "));
}

/* A very long line is cut around the finding. */
static void test_long_lines_are_cut(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *got = NULL;

	(void)state;
	(void)buf_append_str(&text, "permit(principal, action, resource) when { true");
	for (size_t i = 0; i < 500; i++)
		(void)buf_append_str(&text, " && true");
	(void)buf_append_str(&text, " && wrong };");
	got = print_first(text.data, /* color = */ false);
	assert_true(strlen(got) < 700);
	assert_non_null(strstr(got, "wrong }"));
	assert_non_null(strstr(got, "^^^^^\n"));
}

static void test_position(void **state)
{
	size_t line, column;

	(void)state;
	cedar_position(SPAN("a\n\xc3\xa9x"), 4, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 2);
	cedar_position(SPAN("a\n"), 100, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_and_carets),
		cmocka_unit_test(test_columns_are_characters),
		cmocka_unit_test(test_control_bytes_are_escaped),
		cmocka_unit_test(test_end_of_text),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_position),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
