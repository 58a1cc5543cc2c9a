#include "unit.h"

#include <errno.h>

#include "config/toml-edit.h"

static int change(const char *text, const char *path, const char *value, struct buf *out,
		  struct toml_error *error)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct span keys[TOML_MAX_DEPTH];
	size_t n = 0;

	assert_int_equal(toml_read_path(&arena, span_of(path), keys, &n, error), 0);
	return value ? toml_set(span_of(text), keys, n, span_of(value), out, error)
		     : toml_unset(span_of(text), keys, n, out, error);
}

struct row {
	const char *text, *path, *value, *want; /* value NULL: taken away */
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct toml_error error;

		if (change(rows[i].text, rows[i].path, rows[i].value, &out, &error) < 0)
			fail_msg("%s in %s: %s", rows[i].path, rows[i].text, error.message);
		assert_string_equal(out.data ? out.data : "", rows[i].want);
	}
}

static void a_value_is_replaced_where_it_stands(void **state)
{
	static const struct row rows[] = {
		{ "# top\n[a]\n  b  =  1   # why\nc = 2\n", "a.b", "true",
		  "# top\n[a]\n  b  =  true   # why\nc = 2\n" },
		{ "a.b.c = [1,\n 2] # x\n", "a.b.c", "\"s\"", "a.b.c = \"s\" # x\n" },
		{ "a = { b = 1, c = { d = 2 } }\n", "a.c.d", "3",
		  "a = { b = 1, c = { d = 3 } }\n" },
		{ "a = 1", "a", "2", "a = 2" },
		{ "[p.\"/x y\"]\r\nclaude = true\r\n", "p.\"/x y\".claude", "false",
		  "[p.\"/x y\"]\r\nclaude = false\r\n" },
		{ "a = { b = 1 }\n", "a", "2", "a = 2\n" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void a_new_value_goes_to_the_end_of_its_table(void **state)
{
	static const struct row rows[] = {
		{ "", "a", "1", "a = 1\n" },
		{ "", "a.b", "1", "[a]\nb = 1\n" },
		{ "", "a.\"b c\".d", "1", "[a.\"b c\"]\nd = 1\n" },
		{ "[a]\nb = 1 # one\n\n# of c\n[c]\n", "a.d", "2",
		  "[a]\nb = 1 # one\nd = 2\n\n# of c\n[c]\n" },
		{ "[a]\n[c]\n", "a.d", "2", "[a]\nd = 2\n[c]\n" },
		{ "[a]\nb = 1", "a.d", "2", "[a]\nb = 1\nd = 2\n" },
		{ "[a.b]\nc = 1\n", "a.d", "2", "[a.b]\nc = 1\n\n[a]\nd = 2\n" },
		{ "[a.b]\nc = 1\n", "a.e.f", "2", "[a.b]\nc = 1\n\n[a.e]\nf = 2\n" },
		{ "a.b = 1\n[c]\nd = 1\n", "a.e", "2", "a.b = 1\na.e = 2\n[c]\nd = 1\n" },
		{ "[x]\na.b = 1\n[c]\n", "x.a.e", "2", "[x]\na.b = 1\na.e = 2\n[c]\n" },
		{ "a = { b = 1 }\n", "a.c", "2", "a = { b = 1, c = 2 }\n" },
		{ "a = { b = 1 }\n", "a.c.d", "2", "a = { b = 1, c.d = 2 }\n" },
		{ "a = {}\n", "a.c", "2", "a = { c = 2 }\n" },
		{ "a = {  }\n", "a.c", "2", "a = { c = 2 }\n" },
		{ "b = 1\n[a]\n", "c", "2", "b = 1\nc = 2\n[a]\n" },
		{ "[a]\n", "c", "2", "c = 2\n[a]\n" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void a_value_is_taken_away_with_its_line(void **state)
{
	static const struct row rows[] = {
		{ "# top\n[a]\nb = 1 # one\nc = 2\n", "a.b", NULL, "# top\n[a]\nc = 2\n" },
		{ "a = [1,\n2]\nb = 1", "a", NULL, "b = 1" },
		{ "b = 1\na = 2", "a", NULL, "b = 1\n" },
		{ "a.b.c = 1\na.b.d = 2\n", "a.b.c", NULL, "a.b.d = 2\n" },
		{ "a = { b = 1, c = 2, d = 3 }\n", "a.b", NULL, "a = { c = 2, d = 3 }\n" },
		{ "a = { b = 1, c = 2, d = 3 }\n", "a.c", NULL, "a = { b = 1, d = 3 }\n" },
		{ "a = { b = 1, c = 2, d = 3 }\n", "a.d", NULL, "a = { b = 1, c = 2 }\n" },
		{ "a = {b=1}\n", "a.b", NULL, "a = {}\n" },
		{ "a = { b = 1 }\n", "a", NULL, "" },
	};

	(void)state;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void what_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *text, *path, *value, *message;
	} rows[] = {
		{ "a = 1\n", "a.b", "2", "\"a\" is no table" },
		{ "a = [1]\n", "a.b", "2", "\"a\" is no table" },
		{ "[a]\nb = 1\n", "a", "2", "\"a\" is a table: name one of its keys" },
		{ "[a.b]\n", "a", NULL, "\"a\" is a table: name one of its keys" },
		{ "[[a]]\nb = 1\n", "a", "2", "\"a\" is a table: name one of its keys" },
		{ "[[a]]\nb = 1\n", "a.b", "2", "\"a\" is no table" },
		{ "", "a", "1\nb = 2", NULL },
		{ "", "a", "1 # x", NULL },
		{ "", "a", "", NULL },
		{ "", "a", "x", NULL },
		{ "a = \n", "b", "1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct toml_error error = { 0 };

		assert_int_equal(change(rows[i].text, rows[i].path, rows[i].value, &out, &error),
				 -EBADMSG);
		assert_true(error.message[0] && error.line && error.column);
		if (rows[i].message)
			assert_string_equal(error.message, rows[i].message);
	}
}

static void what_is_not_there_cannot_be_taken_away(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct toml_error error;

	(void)state;
	assert_int_equal(change("[a]\nb = 1\n", "a.c", NULL, &out, &error), -ENOENT);
	assert_int_equal(change("[a]\nb = 1\n", "c", NULL, &out, &error), -ENOENT);
}

static void a_path_is_a_dotted_key(void **state)
{
	static const char *const bad[] = { "", ".", "a.", "a b", "a..b", "\"a", "a=1", "a.b\n" };
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct span keys[TOML_MAX_DEPTH];
	struct toml_error error;
	size_t n = 0;

	(void)state;
	assert_int_equal(toml_read_path(&arena, SPAN("a . \"b.c\" .'d'"), keys, &n, &error), 0);
	assert_int_equal(n, 3);
	assert_true(span_eq_str(keys[1], "b.c") && span_eq_str(keys[2], "d"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(toml_read_path(&arena, span_of(bad[i]), keys, &n, &error),
				 -EBADMSG);
}

static void values_are_written_as_they_can_be_read(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct toml_error error;
	struct toml *root;

	(void)state;
	assert_int_equal(toml_parse(&arena,
				    SPAN("v = [1, 2.50, true, 1979-05-27, 'a\"\\', \"\\u0001\", { "
					 "x = [], \"y z\" = {} }]"),
				    &root, &error),
			 0);
	assert_int_equal(toml_append_value(&out, root->first), 0);
	assert_string_equal(
		out.data,
		"[1, 2.50, true, 1979-05-27, \"a\\\"\\\\\", \"\\u0001\", {x = [], \"y z\" = {}}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_replaced_where_it_stands),
		cmocka_unit_test(a_new_value_goes_to_the_end_of_its_table),
		cmocka_unit_test(a_value_is_taken_away_with_its_line),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(what_is_not_there_cannot_be_taken_away),
		cmocka_unit_test(a_path_is_a_dotted_key),
		cmocka_unit_test(values_are_written_as_they_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
