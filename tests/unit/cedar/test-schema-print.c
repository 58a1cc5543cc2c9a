/* Trees in both forms. The reference's translations are compared in tests/cedar. */
#include "base/limits.h"
#include "schema-test.h"

static void assert_text(const char *from, const char *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_schema_tree *tree = test_tree(from);

	assert_int_equal(cedar_schema_tree_print(tree, &out), 0);
	assert_string_equal(out.data ? out.data : "", wanted);
	cedar_schema_tree_free(tree);
}

static void assert_json(const char *from, const char *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_schema_tree *tree = test_tree(from);

	assert_int_equal(cedar_schema_tree_print_json(tree, &out), 0);
	assert_string_equal(out.data, wanted);
	cedar_schema_tree_free(tree);
}

static void test_text(void **state)
{
	(void)state;
	assert_text("", "");
	assert_text(
		"@a namespace N { action b, a; entity A { \"x y\"?: {}, if2: Set<{}> } tags {}; }",
		"@a(\"\")\nnamespace N {\n"
		"  entity A = {\n    if2: Set<{    }>,\n    \"x y\"?: {    }\n  } tags {};\n\n"
		"  action \"a\";\n\n  action \"b\";\n}\n");
	/* The last component of a namespace's name counts first. */
	assert_text("namespace B {} namespace Z::A {}",
		    "namespace Z::A {\n}\n\nnamespace B {\n}\n");
}

static void test_escapes(void **state)
{
	(void)state;
	/* A combining mark is escaped where there is nothing that it could combine with. */
	assert_text("entity E enum [\"\\u{301}e\\u{301}\", \"\\u{202e}\\u{e000}\\n'\"];",
		    "entity E enum [\"\\u{301}e\xcc\x81\", \"\\u{202e}\\u{e000}\\n\\'\"];\n");
}

static void test_json(void **state)
{
	(void)state;
	assert_json("", "{}");
	assert_json("entity A in [B] { x?: Long }; entity B; action a in b; action b;",
		    "{\"\":{\"entityTypes\":{\"A\":{\"memberOfTypes\":[\"B\"],\"shape\":{\"type\":"
		    "\"Record\","
		    "\"attributes\":{\"x\":{\"type\":\"EntityOrCommon\",\"name\":\"Long\","
		    "\"required\":false}}}},"
		    "\"B\":{}},\"actions\":{\"a\":{\"appliesTo\":{\"resourceTypes\":[],"
		    "\"principalTypes\":[]},"
		    "\"memberOf\":[{\"id\":\"b\"}]},\"b\":{\"appliesTo\":{\"resourceTypes\":[],"
		    "\"principalTypes\":[]}}}}}");
	/* What only JSON can say stays. */
	assert_json(
		"{\"\":{\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"T\"},\"annotations\":{\"a\":"
		"null}}},"
		"\"actions\":{\"a\":{\"memberOf\":[]}},\"commonTypes\":{\"T\":{\"type\":\"Record\","
		"\"attributes\":{}}}}}",
		"{\"\":{\"commonTypes\":{\"T\":{\"type\":\"Record\",\"attributes\":{}}},"
		"\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"T\"},\"annotations\":{\"a\":null}}},"
		"\"actions\":{\"a\":{\"memberOf\":[]}}}}");
}

/* JSON that Cedar's syntax has no words for is refused, not changed. */
static void test_not_in_cedar_syntax(void **state)
{
	static const char *const texts[] = {
		"{\"\":{\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"T\"}}},\"commonTypes\":{"
		"\"T\":"
		"{\"type\":\"Record\",\"attributes\":{}}},\"actions\":{}}}",
		"{\"N\":{\"entityTypes\":{\"T\":{}},\"commonTypes\":{\"T\":{\"type\":\"Long\"}},"
		"\"actions\":{}}}",
		"{\"\":{\"entityTypes\":{\"T\":{\"tags\":{\"type\":\"Entity\",\"name\":\"T\"}}},"
		"\"commonTypes\":{\"T\":{\"type\":\"Long\"}},\"actions\":{}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct cedar_schema_tree *tree = test_tree(texts[i]);
		struct cedar_diagnostics diags = { 0 };

		assert_int_equal(cedar_schema_tree_print(tree, &out), -ENOTSUP);
		assert_int_equal(out.len, 0);
		assert_int_equal(cedar_schema_tree_check_print(tree, &diags), -ENOTSUP);
		assert_int_equal(diags.len, 1);
		assert_string_equal(diags.items[0].code, "not_in_cedar_syntax");
		assert_true(diags.items[0].range.end > diags.items[0].range.begin);
		cedar_diagnostics_done(&diags);
		cedar_schema_tree_free(tree);
	}
}

/* Few bytes of text can stand for many: names that share one long record. */
static void test_bounded(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	_cleanup_buf_ struct buf small = BUF_INIT(1000);
	struct cedar_schema_tree *tree;

	(void)state;
	(void)buf_append_str(&text, "entity A");
	for (size_t i = 0; i < 20000; i++)
		(void)buf_printf(&text, ", A%zu", i);
	(void)buf_append_str(&text, "{");
	for (size_t i = 0; i < 20000; i++)
		(void)buf_printf(&text, "x%zu: Long,", i);
	(void)buf_append_str(&text, "};");
	tree = test_tree(text.data);
	assert_int_equal(cedar_schema_tree_print(tree, &out), -EMSGSIZE);
	buf_reset(&out);
	assert_int_equal(cedar_schema_tree_print_json(tree, &out), -EMSGSIZE);
	assert_int_equal(cedar_schema_tree_print(tree, &small), -EMSGSIZE);
	assert_int_equal(small.max, 1000);
	cedar_schema_tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),	cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_json),	cmocka_unit_test(test_not_in_cedar_syntax),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
