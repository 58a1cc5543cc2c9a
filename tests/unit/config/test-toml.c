/* Documents that TOML allows, and what is said of those that it forbids. */
#include "unit.h"

#include <errno.h>
#include <math.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "config/toml.h"

struct document {
	struct arena arena;
	struct toml *root;
	struct toml_error error;
};

static int setup(void **state)
{
	*state = xnew(struct document);
	return 0;
}

static int teardown(void **state)
{
	struct document *d = *state;

	arena_done(&d->arena);
	xfree(d);
	return 0;
}

static const struct toml *read_text(struct document *d, const char *text)
{
	if (toml_parse(&d->arena, span_of(text), &d->root, &d->error) < 0)
		fail_msg("%zu:%zu: %s\n%s", d->error.line, d->error.column, d->error.message, text);
	return d->root;
}

static void wants_string(struct document *d, const char *text, const char *wanted)
{
	const struct toml *v = toml_get(read_text(d, text), "v");

	assert_non_null(v);
	assert_int_equal(v->type, TOML_STRING);
	if (!span_eq_str(v->text, wanted))
		fail_msg("%s\ngave: %.*s", text, SPAN_ARG(v->text));
}

static void strings(void **state)
{
	wants_string(*state, "v = \"\"", "");
	wants_string(*state, "v=\"a\\tb\\n\\\"\\\\\\u00e9\\U0001F600\"",
		     "a\tb\n\"\\\xc3\xa9\xf0\x9f\x98\x80");
	wants_string(*state, "v = 'C:\\x \"'  # comment", "C:\\x \"");
	wants_string(*state, "v = \"\"\"\none\r\ntwo\\\n   \n  three \"\" four\"\"\"\"\"",
		     "one\ntwothree \"\" four\"\"");
	wants_string(*state, "v = '''\n'x'\\''''", "'x'\\'");
	wants_string(*state, "v = \"\"\"\\\n  \"\"\"", "");
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {
		{ "v = 0", 0 },
		{ "v = -0", 0 },
		{ "v = +99", 99 },
		{ "v = 1_000", 1000 },
		{ "v = 0xdead_BEEF", 0xdeadbeef },
		{ "v = 0o755", 0755 },
		{ "v = 0b1101", 13 },
		{ "v = 0x00ff", 255 },
		{ "v = 9223372036854775807", INT64_MAX },
		{ "v = -9223372036854775808", INT64_MIN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct toml *v = toml_get(read_text(*state, cases[i].text), "v");

		assert_int_equal(v->type, TOML_INTEGER);
		assert_true(v->integer == cases[i].value);
	}
}

static void floats_and_booleans(void **state)
{
	static const struct {
		const char *text;
		double value;
	} cases[] = {
		{ "v = 1.5", 1.5 },
		{ "v = -0.01", -0.01 },
		{ "v = 6.626e-34", 6.626e-34 },
		{ "v = 5e+22", 5e22 },
		{ "v = 1_0.2_5E0_1", 102.5 },
		{ "v = inf", INFINITY },
		{ "v = -inf", -INFINITY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct toml *v = toml_get(read_text(*state, cases[i].text), "v");

		assert_int_equal(v->type, TOML_FLOAT);
		assert_true(v->real == cases[i].value);
	}
	assert_true(isnan(toml_get(read_text(*state, "v = +nan"), "v")->real));
	assert_true(toml_get(read_text(*state, "v = true"), "v")->is_true);
	assert_false(toml_get(read_text(*state, "v = false"), "v")->is_true);
}

static void dates(void **state)
{
	static const char *const texts[] = {
		"1979-05-27T07:32:00Z",
		"1979-05-27t07:32:00.123456789-07:00",
		"1979-05-27 07:32:00",
		"1979-05-27",
		"07:32:00.5",
		"2024-02-29",
		"23:59:60",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *text = xasprintf("v = %s # x", texts[i]);
		const struct toml *v = toml_get(read_text(*state, text), "v");

		assert_int_equal(v->type, TOML_DATETIME);
		assert_true(span_eq_str(v->text, texts[i]));
	}
}

static void tables_and_places(void **state)
{
	const struct toml *root = read_text(*state, "# a document\n"
						    "title = \"t\"\n"
						    "\n"
						    "[[case]]   # first\n"
						    "  name = 'one'\n"
						    "  a.b.\"c d\" = 1\n"
						    "[case.sub]\n"
						    "list = [ 1,\n   { x = \"y\" }, ]\n"
						    "[[case]]\n"
						    "name = 'two'\n");
	const struct toml *list = toml_get(root, "case");
	const struct toml *v;

	assert_int_equal(list->type, TOML_ARRAY);
	assert_int_equal(list->n_items, 2);
	assert_int_equal(list->first->line, 4);
	v = toml_get(list->first, "name");
	assert_int_equal(v->key_line, 5);
	assert_int_equal(v->key_column, 3);
	assert_int_equal(v->line, 5);
	assert_int_equal(v->column, 10);
	v = toml_get(toml_get(toml_get(list->first, "a"), "b"), "c d");
	assert_int_equal(v->integer, 1);
	v = toml_get(toml_get(list->first, "sub"), "list");
	assert_int_equal(v->n_items, 2);
	assert_int_equal(v->last->line, 9);
	assert_int_equal(v->last->column, 4);
	assert_true(span_eq_str(toml_get(v->last, "x")->text, "y"));
	assert_true(span_eq_str(toml_get(list->last, "name")->text, "two"));
	assert_null(toml_get(list->last, "sub"));
	assert_null(toml_get(list, "name"));
	assert_null(toml_get(NULL, "name"));
}

static void what_may_be_defined_later(void **state)
{
	static const char *const valid[] = {
		"[a.b.c]\n[a]\n[a.b]\n",
		"a.b = 1\na.c = 2\n[a.d]\n",
		"[[a.b]]\n[a.b.c]\n[[a.b]]\n[a.b.c]\n",
		"a = {}\nb = { c.d = 1, c.e = 2 }\n",
		"[a]\nb.c = 1\nb.d = 2\n[a.b.e]\n",
		"",
		"\n",
		"# only a comment",
		"\t\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(valid); i++)
		(void)read_text(*state, valid[i]);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "a = 1\na = 2", "2:1: \"a\" was defined in line 1 already" },
		{ "a.b = 1\na = 2", "2:1: \"a\" was defined in line 1 already" },
		{ "a = 1\na.b = 2", "2:1: \"a\" was defined in line 1 already" },
		{ "[a]\n[a]", "2:2: \"a\" was defined in line 1 already" },
		{ "a.b = 1\n[a]", "2:2: \"a\" was defined in line 1 already" },
		{ "[a.b]\n[a]\nb.c = 1", "3:1: \"b\" was defined in line 1 already" },
		{ "a = {}\n[a.b]", "2:2: \"a\" was defined in line 1 already" },
		{ "a = {}\na.b = 1", "2:1: \"a\" was defined in line 1 already" },
		{ "a = []\n[[a]]", "2:3: \"a\" was defined in line 1 already" },
		{ "[a]\n[[a]]", "2:3: \"a\" was defined in line 1 already" },
		{ "[[a]]\n[a]", "2:2: \"a\" was defined in line 1 already" },
		{ "a", "1:2: expected `=` after the key" },
		{ "a =", "1:4: expected a value" },
		{ "= 1", "1:1: expected a key" },
		{ "a = 1 b = 2", "1:7: expected the end of the line" },
		{ "[a", "1:3: expected `]` after the table's name" },
		{ "[a] b = 1", "1:5: expected the end of the line" },
		{ "[[a]", "1:4: expected `]]` after the table's name" },
		{ "\n\n a = [1, 2", "3:6: the array does not end" },
		{ "a = [1 2]", "1:8: expected `,` or `]` in the array" },
		{ "a = [,]", "1:6: expected a value" },
		{ "a = {b = 1,}", "1:12: expected a key" },
		{ "a = {b = 1\n}", "1:11: expected `,` or `}` in the inline table" },
		{ "a = \"x", "1:5: the string does not end" },
		{ "a = \"x\ny\"", "1:5: the string does not end in its line" },
		{ "a = 'x\ny'", "1:5: the string does not end in its line" },
		{ "a = \"\"\"x", "1:5: the string does not end" },
		{ "a = \"\\q\"", "1:6: unknown escape" },
		{ "a = \"\\u12\"", "1:10: expected 4 hexadecimal digits" },
		{ "a = \"\\ud800\"", "1:8: d800 is no Unicode character" },
		{ "a = \"\x01\"", "1:6: the control character U+0001 must be escaped" },
		{ "# \x7f", "1:3: the control character U+007F cannot stand in a comment" },
		{ "\"\"\"a\"\"\" = 1", "1:1: a key cannot be a string of several lines" },
		{ "a = 01", "1:5: \"01\" is no value: strings stand in quotes" },
		{ "a = 1__0", "1:5: \"1__0\" is no value: strings stand in quotes" },
		{ "a = 1.", "1:5: \"1.\" is no value: strings stand in quotes" },
		{ "a = .5", "1:5: \".5\" is no value: strings stand in quotes" },
		{ "a = 1e", "1:5: \"1e\" is no value: strings stand in quotes" },
		{ "a = deny", "1:5: \"deny\" is no value: strings stand in quotes" },
		{ "a = 0xg", "1:5: \"0xg\" is no number" },
		{ "a = +0x1", "1:5: \"+0x1\" is no value: strings stand in quotes" },
		{ "a = 9223372036854775808", "1:5: 9223372036854775808 does not fit 64 bits" },
		{ "a = 2023-02-29", "1:5: \"2023-02-29\" is no date or time" },
		{ "a = 24:00:00", "1:5: \"24:00:00\" is no date or time" },
		{ "\xc3\xa9 = 1", "1:1: expected a key" },
		{ "a = \"\xc3\xa9\" x", "1:9: expected the end of the line" },
		{ "a = \"\xff\"", "1:6: the text is not UTF-8 here" },
		{ "a = 1\rb = 2", "1:6: expected the end of the line" },
	};
	struct document *d = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *said = NULL;

		assert_int_equal(toml_parse(&d->arena, span_of(cases[i].text), &d->root, &d->error),
				 -EBADMSG);
		said = xasprintf("%zu:%zu: %s", d->error.line, d->error.column, d->error.message);
		assert_string_equal(said, cases[i].wanted);
	}
}

static void expect_refused(struct document *d, const struct buf *text, int code)
{
	uint64_t start = clock_monotonic_ns();

	assert_int_equal(toml_parse(&d->arena, buf_span(text), &d->root, &d->error), code);
	assert_true(d->error.message[0]);
	assert_true(clock_monotonic_ns() - start < 5 * NS_PER_SEC);
}

static void hostile_documents(void **state)
{
	static const char *const repeated[] = { "[",  "{a=", "a.",	"a=[[",
						"\"", "'''", "a = 1\n", "[a]\n" };
	struct document *d = *state;

	d->arena.max = (size_t)256 * 1024 * 1024;
	for (size_t i = 0; i < ARRAY_SIZE(repeated); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		(void)buf_append_str(&text, i < 3 ? "x = " : "");
		for (size_t n = 0; n < 1000000; n++)
			(void)buf_append_str(&text, repeated[i]);
		expect_refused(d, &text, -EBADMSG);
	}
}

static void many_keys_take_no_longer(void **state)
{
	struct document *d = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	uint64_t start;

	for (size_t i = 0; i < 200000; i++)
		(void)buf_printf(&text, "key-%zu = %zu\n", i, i);
	start = clock_monotonic_ns();
	(void)read_text(d, text.data);
	assert_int_equal(d->root->n_items, 200000);
	assert_true(clock_monotonic_ns() - start < 10 * NS_PER_SEC);
	arena_done(&d->arena);
	d->arena.max = 64 * 1024;
	expect_refused(d, &text, -ENOMEM);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(strings),	TEST(integers),		 TEST(floats_and_booleans),
		TEST(dates),	TEST(tables_and_places), TEST(what_may_be_defined_later),
		TEST(mistakes), TEST(hostile_documents), TEST(many_keys_take_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
