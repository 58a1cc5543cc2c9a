#include "cedar-test.h"
#include "cedar/cedar-validate.h"
#include "cedar/confusable.h"

static void assert_string_is(const char *text, enum confusable wanted)
{
	if (confusable_string(span_of(text)) != wanted)
		print_error("%s\n", text);
	assert_int_equal(confusable_string(span_of(text)), wanted);
}

static void assert_identifier_is(const char *text, enum confusable wanted, uint32_t scalar)
{
	uint32_t c = 0;

	if (confusable_identifier(span_of(text), &c) != wanted)
		print_error("%s\n", text);
	assert_int_equal(confusable_identifier(span_of(text), &c), wanted);
	assert_int_equal(c, scalar);
}

static void test_strings(void **state)
{
	(void)state;
	assert_string_is("", CONFUSABLE_NONE);
	assert_string_is("plain\t\x7f", CONFUSABLE_NONE);
	assert_string_is("gr\u00fcn \u20ac 5", CONFUSABLE_NONE);
	assert_string_is("\u0435\u0445\u0440", CONFUSABLE_NONE); /* Cyrillic alone */
	assert_string_is("s\u0430y", CONFUSABLE_MIXED);
	assert_string_is("a\u202eb", CONFUSABLE_BIDI);
	assert_string_is("s\u0430y\u2066", CONFUSABLE_BIDI);
	assert_string_is("a\u200e\u200b", CONFUSABLE_NONE);
	assert_string_is("a\u0378", CONFUSABLE_MIXED); /* not assigned */
}

/* Writing systems of several scripts. */
static void test_east_asian_strings(void **state)
{
	(void)state;
	assert_string_is("\u65e5\u3042\u30a2", CONFUSABLE_NONE);
	assert_string_is("\u65e5\ud55c", CONFUSABLE_NONE);
	assert_string_is("\u65e5\u3105", CONFUSABLE_NONE);
	assert_string_is("\u3042\ud55c", CONFUSABLE_MIXED);
	assert_string_is("\u65e5a", CONFUSABLE_MIXED);
	assert_string_is("1\u30fc", CONFUSABLE_NONE);
	assert_string_is("a\u30fc", CONFUSABLE_MIXED);
}

static void test_identifiers(void **state)
{
	(void)state;
	assert_identifier_is("a b-c/d.e", CONFUSABLE_NONE, 0);
	assert_identifier_is("\u00e9\u00b7", CONFUSABLE_NONE, 0);
	assert_identifier_is("a\t", CONFUSABLE_PROFILE, '\t');
	assert_identifier_is("a\x7f", CONFUSABLE_PROFILE, 0x7f);
	assert_identifier_is("\ufb01", CONFUSABLE_PROFILE, 0xfb01);
	assert_identifier_is("a\u0430\u200d", CONFUSABLE_PROFILE, 0x200d);
	assert_identifier_is("\ufb01\u202e", CONFUSABLE_BIDI, 0);
	assert_identifier_is("a\u0430", CONFUSABLE_MIXED, 0);
	assert_identifier_is("\U000323af\U0001e08f", CONFUSABLE_MIXED, 0);
}

static enum confusable pattern_of(const char *text)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	enum confusable what = CONFUSABLE_NONE;
	const struct cedar_expr *e = test_expr(text, &arena);

	assert_int_equal(confusable_pattern(e->pattern, e->n_pattern, &what), 0);
	return what;
}

/* Escapes are Latin letters, and no controls. */
static void test_patterns(void **state)
{
	(void)state;
	assert_int_equal(pattern_of("\"\" like \"*abc\\*\""), CONFUSABLE_NONE);
	assert_int_equal(pattern_of("\"\" like \"s*\u0430\""), CONFUSABLE_MIXED);
	assert_int_equal(pattern_of("\"\" like \"a\u202e\""), CONFUSABLE_NONE);
	assert_int_equal(pattern_of("\"\" like \"\u0430\\u{202e}\""), CONFUSABLE_MIXED);
}

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

static void test_warnings(void **state)
{
	(void)state;
	assert_warnings("permit(principal == User::\"\u0430b\", action, resource);",
			"mixed_script_identifier");
	assert_warnings("permit(principal, action, resource) when { true || resource.name == "
			"\"s\u0430y\" || resource == Doc::\"\u200b\" };",
			"mixed_script_string confusable_identifier");
	assert_warnings("permit(principal, action, resource) when { resource.name == \"\u202e\" || "
			"resource.name like \"\u0430a\" || {\"\u202e\": 1, \"\u0430a\": 2} == "
			"{\"\u202e\": 1, \"\u0430a\": 2} };",
			"bidi_string mixed_script_string bidi_identifier mixed_script_identifier "
			"bidi_identifier mixed_script_identifier");
	assert_warnings("@note(\"s\u0430y\") permit(principal, action, resource) when "
			"{ resource.name == \"gr\u00fcn\" };",
			"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),	    cmocka_unit_test(test_east_asian_strings),
		cmocka_unit_test(test_identifiers), cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
