#include "cedar-test.h"
#include "cedar/cedar-validate.h"

static const char schema_text[] = "entity User; entity Doc = { name: String };"
				  "action view appliesTo { principal: User, resource: Doc };";

/* The codes of all warnings about a policy, in order, with blanks between. */
static void assert_warnings(const char *text, const char *wanted)
{
	struct cedar_diagnostics diags = { 0 };
	_cleanup_buf_ struct buf codes = BUF_INIT(0);
	struct cedar_policy_set *set = test_parse(text);
	struct cedar_schema *schema = NULL;

	assert_int_equal(cedar_schema_parse(span_of(schema_text), &diags, &schema), 0);
	assert_int_equal(cedar_validate(set, schema, NULL, &diags), 0);
	(void)buf_append_str(&codes, "");
	for (size_t i = 0; i < diags.len; i++) {
		assert_int_equal(diags.items[i].severity, CEDAR_WARNING);
		(void)buf_printf(&codes, "%s%s", i ? " " : "", diags.items[i].code);
	}
	assert_string_equal(codes.data, wanted);
	cedar_diagnostics_done(&diags);
	cedar_schema_free(schema);
	cedar_policy_set_free(set);
}

static void assert_string(const char *text, const char *wanted)
{
	_cleanup_buf_ struct buf policy = BUF_INIT(0);

	(void)buf_printf(&policy,
			 "permit(principal, action, resource) when { resource.name == \"%s\" };",
			 text);
	assert_warnings(policy.data, wanted);
}

static void assert_name(const char *text, const char *wanted)
{
	_cleanup_buf_ struct buf policy = BUF_INIT(0);

	(void)buf_printf(&policy, "permit(principal, action, resource == Doc::\"%s\");", text);
	assert_warnings(policy.data, wanted);
}

static void assert_pattern(const char *text, const char *wanted)
{
	_cleanup_buf_ struct buf policy = BUF_INIT(0);

	(void)buf_printf(&policy,
			 "permit(principal, action, resource) when { resource.name like \"%s\" };",
			 text);
	assert_warnings(policy.data, wanted);
}

static void test_strings(void **state)
{
	(void)state;
	assert_string("", "");
	assert_string("plain\t\x7f", "");
	assert_string("gr\u00fcn \u20ac 5", "");
	assert_string("\u0435\u0445\u0440", ""); /* Cyrillic alone */
	assert_string("s\u0430y", "mixed_scripts");
	assert_string("a\u202eb", "bidi_characters");
	assert_string("a\\u{202e}b", "bidi_characters");
	assert_string("s\u0430y\u2066", "bidi_characters");
	assert_string("a\u200e\u200b", "");
	assert_string("a\u0378", "mixed_scripts"); /* not assigned */
}

/* Writing systems of several scripts. */
static void test_east_asian_strings(void **state)
{
	(void)state;
	assert_string("\u65e5\u3042\u30a2", "");
	assert_string("\u65e5\ud55c", "");
	assert_string("\u65e5\u3105", "");
	assert_string("\u3042\ud55c", "mixed_scripts");
	assert_string("\u65e5a", "mixed_scripts");
	assert_string("1\u30fc", "");
	assert_string("a\u30fc", "mixed_scripts");
}

static void test_names(void **state)
{
	(void)state;
	assert_name("a b-c/d.e", "");
	assert_name("\u00e9\u00b7", "");
	assert_name("a\t", "confusable_identifier");
	assert_name("a\x7f", "confusable_identifier");
	assert_name("\ufb01", "confusable_identifier");
	assert_name("a\u0430\u200d", "confusable_identifier");
	assert_name("\ufb01\u202e", "bidi_characters");
	assert_name("a\u0430", "mixed_scripts");
}

/* Escapes are Latin letters, and no controls. */
static void test_patterns(void **state)
{
	(void)state;
	assert_pattern("*abc\\*", "");
	assert_pattern("s*\u0430", "mixed_scripts");
	assert_pattern("a\u202e", "");
	assert_pattern("\u0430\\u{202e}", "mixed_scripts");
}

static void test_places(void **state)
{
	(void)state;
	assert_warnings("permit(principal == User::\"a\u0430b\", action, resource);",
			"mixed_scripts");
	assert_warnings("permit(principal, action, resource) when { true || resource.name == "
			"\"s\u0430y\" || resource == Doc::\"\u200b\" };",
			"mixed_scripts confusable_identifier");
	assert_warnings(
		"permit(principal, action, resource) when { {\"\u202e\": 1, \"\u0430a\": 2} == "
		"{\"\u202e\": 1, \"\u0430a\": 2} };",
		"bidi_characters mixed_scripts bidi_characters mixed_scripts");
	assert_warnings("@note(\"s\u0430y\") permit(principal, action, resource) when "
			"{ resource.name == \"gr\u00fcn\" };",
			"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings), cmocka_unit_test(test_east_asian_strings),
		cmocka_unit_test(test_names),	cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
