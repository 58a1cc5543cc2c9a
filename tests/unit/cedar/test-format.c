#include <errno.h>

#include "base/limits.h"
#include "cedar-test.h"
#include "cedar/cedar-format.h"

static void assert_format_at(const char *text, size_t width, size_t indent, const char *wanted)
{
	const struct cedar_format_options options = { .width = width, .indent = indent };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };

	assert_int_equal(cedar_format(span_of(text), &options, &diags, &out), 0);
	assert_string_equal(out.data, wanted);
	cedar_diagnostics_done(&diags);
}

static void assert_format(const char *text, const char *wanted)
{
	assert_format_at(text, 80, 2, wanted);
	assert_format_at(wanted, 80, 2, wanted);
}

static void test_policies(void **state)
{
	(void)state;
	assert_format("", "\n");
	assert_format("permit(principal,action,resource,);",
		      "permit (principal, action, resource);\n");
	assert_format(
		"@a(\"1\")@b forbid(principal,action,resource);permit(principal,action,resource);",
		"@a(\"1\")\n@b\nforbid (principal, action, resource);\n\n"
		"permit (principal, action, resource);\n");
	assert_format("permit(principal is A::B in ?principal,action "
		      "in[Action::\"a\",],resource==R::\"r\");",
		      "permit (\n  principal is A::B in ?principal,\n  action in [Action::\"a\"],\n"
		      "  resource == R::\"r\"\n);\n");
}

static void test_conditions(void **state)
{
	(void)state;
	assert_format("permit(principal,action,resource)when{true}unless{-  007==principal . a};",
		      "permit (principal, action, resource)\nwhen { true }\n"
		      "unless { -7 == principal.a };\n");
	assert_format(
		"permit(principal,action,resource) when { principal.first.contains(\"a name\") && "
		"resource.second has third.fourth || context.fifth };",
		"permit (principal, action, resource)\nwhen\n{\n"
		"  principal.first.contains(\"a name\") &&\n"
		"  resource.second has third.fourth ||\n  context.fifth\n};\n");
	assert_format("permit(principal,action,resource) when { if true then [1,2,] else {a:1,\"b "
		      "c\":{}} };",
		      "permit (principal, action, resource)\n"
		      "when { if true then [1, 2] else { a: 1, \"b c\": {} } };\n");
}

static void test_width(void **state)
{
	const char *text = "permit(principal,action,resource) when {principal.ab.contains(1)};";

	(void)state;
	assert_format_at(
		text, 80, 2,
		"permit (principal, action, resource)\nwhen { principal.ab.contains(1) };\n");
	assert_format_at(
		text, 33, 2,
		"permit\n(principal, action, resource)\nwhen\n{ principal.ab.contains(1) };\n");
	assert_format_at(text, 20, 4,
			 "permit\n(principal, action, resource)\nwhen\n{\n    principal.ab\n"
			 "        .contains\n        (\n            1\n        )\n};\n");
	assert_format_at(
		text, 0, 0,
		"permit (principal, action, resource)\nwhen { principal.ab.contains(1) };\n");
}

/* Columns, not bytes or characters, decide. */
static void test_wide_text(void **state)
{
	(void)state;
	assert_format_at("permit(principal,action,resource) when {\"日本語\"==\"日本語日本語日\"};",
			 38, 2,
			 "permit (principal, action, resource)\n"
			 "when { \"日本語\" == \"日本語日本語日\" };\n");
	assert_format_at(
		"permit(principal,action,resource) when {\"日本語\"==\"日本語日本語日本\"};", 38, 2,
		"permit (principal, action, resource)\n"
		"when\n{ \"日本語\" == \"日本語日本語日本\" };\n");
}

static void test_comments(void **state)
{
	(void)state;
	assert_format("// only\n\n  // remarks ", "\n// only\n// remarks\n");
	assert_format(
		"// first\n@a // second\n(//third\n\"\") permit // 4\n( // 5\nprincipal, // 6\n"
		"action, resource // 7\n) // 8\nwhen // 9\n{ // 10\ntrue // 11\n} // 12\n; // "
		"13\n// 14",
		"// first\n@a // second\n( //third\n\"\")\npermit // 4\n( // 5\nprincipal, // 6\n"
		"  action, resource // 7\n) // 8\nwhen // 9\n{ // 10\n  true // 11\n} // 12\n; // "
		"13\n"
		"// 14\n");
	/* The reference drops the remarks at a trailing comma; ours go before the bracket. */
	assert_format("permit(principal,action,resource) when { [1\n// a\n, // b\n// c\n] == {} };",
		      "permit (principal, action, resource)\nwhen\n{\n  [1\n  // a\n  // b\n  // "
		      "c\n  ] == {}\n};\n");
}

/* As in the reference: after a string a remark in front of an operator goes behind the string. */
static void test_remark_behind_string(void **state)
{
	const char *first =
		"permit (principal, action, resource)\nwhen\n{\n  \"a\"  // b\n  == \"c\"\n};\n";

	(void)state;
	assert_format_at("permit(principal,action,resource) when {\"a\"\n// b\n==\"c\"};", 80, 2,
			 first);
}

static void test_strings_stay(void **state)
{
	(void)state;
	assert_format(
		"permit(principal,action,resource) when { \"a\n\n  // b\n\" == \"\\u{61}\" };",
		"permit (principal, action, resource)\n"
		"when { \"a\n\n  // b\n\" == \"\\u{61}\" };\n");
}

static int format_error(struct span text, size_t indent)
{
	const struct cedar_format_options options = { .width = 80, .indent = indent };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	int r;

	(void)buf_append_str(&out, "kept");
	r = cedar_format(text, &options, &diags, &out);
	assert_true(r == -ENOTRECOVERABLE || r == -EMSGSIZE || diags.n_errors > 0);
	assert_string_equal(out.data, "kept");
	cedar_diagnostics_done(&diags);
	return r;
}

static void test_refusals(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)state;
	assert_int_equal(format_error(SPAN("permit(principal,action);"), 2), -EINVAL);
	assert_int_equal(
		format_error(SPAN("permit(principal,action,resource) when { \"\xff\" };"), 2),
		-EINVAL);
	(void)buf_append_str(&text, "permit(principal,action,resource) when {");
	for (size_t i = 0; i < 190; i++)
		(void)buf_append_char(&text, '[');
	for (size_t i = 0; i < 60000; i++)
		(void)buf_append_str(&text, "1,");
	for (size_t i = 0; i < 190; i++)
		(void)buf_append_char(&text, ']');
	(void)buf_append_str(&text, "};");
	assert_int_equal(format_error(buf_span(&text), 2), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),     cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_width),	     cmocka_unit_test(test_wide_text),
		cmocka_unit_test(test_comments),     cmocka_unit_test(test_remark_behind_string),
		cmocka_unit_test(test_strings_stay), cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
