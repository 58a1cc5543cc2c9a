/* Both readers: what they refuse, where they say so, and that nothing hostile takes long. */
#include "base/limits.h"
#include "schema-test.h"

static void test_all_findings(void **state)
{
	(void)state;
	test_refused("entity A { a: Long b: Long };\n"
		     "acton foo;\n"
		     "namespace N { entity B in ]; entity C; };\n"
		     "entity D in [E",
		     "unexpected_token 19-20; unexpected_token 30-35; unexpected_token 67-68; "
		     "unexpected_token 81-82; unexpected_end 97-97");
}

/* The next declaration is found although a bracket is missing. */
static void test_goes_on_after_missing_bracket(void **state)
{
	(void)state;
	test_refused("entity A { x: Long\nentity B { y };\naction a;",
		     "unexpected_token 19-25; unexpected_token 32-33");
}

static void test_names(void **state)
{
	(void)state;
	test_refused("entity in;", "reserved_identifier 7-9");
	test_refused("entity Action;", "reserved_identifier 7-13");
	test_refused("type Set = Long;", "reserved_identifier 5-8");
	test_refused("namespace A::__cedar {}", "reserved_identifier 13-20");
	test_refused("entity A { if: Long };", "reserved_identifier 11-13");
	test_refused("entity A, A;", "duplicate_declaration 10-11");
	test_refused("namespace N {} namespace N {}", "duplicate_namespace 25-26");
	test_refused("@a @b @a entity A;", "duplicate_annotation 6-8");
	cedar_schema_free(test_schema("entity A { \"if\": Long, __cedar: Long, entity: Long };"));
}

static void test_applies_to(void **state)
{
	(void)state;
	test_refused("entity U; action a appliesTo { principal: U };", "missing_applies_to 19-28");
	test_refused("entity U; action a appliesTo { principal: [], resource: U };",
		     "empty_applies_to 31-40");
	test_refused("entity U; action a appliesTo { principal: U, principal: U, resource: U };",
		     "duplicate_declaration 45-54");
	test_refused("entity U; action a { principal: U };", "unexpected_token 19-20");
	test_refused("action a attributes { x: Long };", "unsupported 22-23");
}

/* The last of several counts, but a person should know. */
static void test_repeated_attribute_warns(void **state)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_schema *s = NULL;
	const struct cedar_type *shape;

	(void)state;
	assert_int_equal(cedar_schema_parse(SPAN("entity A { x: Long, x?: Bool };"), &diags, &s),
			 0);
	assert_int_equal(diags.len, 1);
	assert_int_equal(diags.items[0].severity, CEDAR_WARNING);
	assert_int_equal(diags.items[0].range.begin, 11);
	shape = cedar_schema_entity(s, SPAN("A"))->shape;
	assert_int_equal(shape->n_attributes, 1);
	assert_int_equal(shape->attributes[0].type->kind, CEDAR_TYPE_BOOL);
	cedar_diagnostics_done(&diags);
	cedar_schema_free(s);
}

/* Many warnings must not make an error unseen. */
static void test_warnings_leave_room(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *findings = NULL;

	(void)state;
	(void)buf_append_str(&text, "entity A {");
	for (size_t i = 0; i < 2 * LIMIT_CEDAR_DIAGNOSTICS; i++)
		(void)buf_append_str(&text, "x: Long,");
	(void)buf_append_str(&text, "}; entity B { y: Foo };");
	findings = test_findings(buf_span(&text));
	assert_non_null(strstr(findings, "unknown_type"));
}

static void test_json_findings(void **state)
{
	(void)state;
	test_refused("{\"\": {\"entityTypes\": {\"A\": {\"shape\": {\"type\": \"Set\"}, \"x\": 1}},"
		     " \"action\": {}}}",
		     "missing_member 5-77; missing_member 37-52; unknown_member 54-57; "
		     "unknown_member 64-72");
	test_refused("{\"N N\": {\"entityTypes\": {}, \"actions\": {}}}", "invalid_type_name 1-6");
	test_refused("{\"\": {\"entityTypes\": {\"A\": {}, \"A\": {}}, \"actions\": {}}}",
		     "invalid_json 31-32");
	test_refused("{\"\": {\"entityTypes\": {\"A::B\": {}}, \"actions\": {}}}",
		     "invalid_name 22-28");
	test_refused("{\"\": {\"entityTypes\": {\"A\": {\"enum\": []}}, \"actions\": {}}}",
		     "empty_enum 36-38");
	test_refused(
		"{\"\": {\"entityTypes\": {}, \"actions\": {}, \"annotations\": {\"a\": \"\"}}}",
		"unsupported 40-53");
	test_refused("{", "invalid_json 1-1");
}

static void repeat(struct buf *out, const char *what, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)buf_append_str(out, what);
}

static void test_nesting(void **state)
{
	static const char *const openings[][2] = {
		{ "type T = ", "{a:" },	 { "type T = ", "Set<" }, { "", "{" }, { "", "[" },
		{ "", "namespace N {" }, { "", "{\"a\":" },	  { "", "@" }, { "", "\"" }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		(void)buf_append_str(&text, openings[i][0]);
		repeat(&text, openings[i][1], 100000);
		xfree(test_findings(buf_span(&text)));
	}
}

/* Records and sets may be as deep as the limit, in both forms, and no deeper. */
static void test_deepest(void **state)
{
	for (size_t depth = LIMIT_CEDAR_NESTING - 1; depth <= LIMIT_CEDAR_NESTING + 1; depth++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		struct cedar_diagnostics diags = { 0 };
		struct cedar_schema *s = NULL;

		(void)state;
		(void)buf_append_str(&text, "type T = ");
		repeat(&text, "Set<", depth - 1);
		(void)buf_append_str(&text, "Long");
		repeat(&text, ">", depth - 1);
		(void)buf_append_str(&text, ";");
		assert_int_equal(cedar_schema_parse(buf_span(&text), &diags, &s),
				 depth <= LIMIT_CEDAR_NESTING ? 0 : -EMSGSIZE);
		cedar_diagnostics_done(&diags);
		cedar_schema_free(s);
	}
}

static void test_bad_bytes(void **state)
{
	(void)state;
	test_refused("entity A\xff;", "invalid_utf8 8-9");
	test_refused("entity \xef\xbb\xbf;", "invalid_token 7-10");
	test_refused("entity A enum [\"\\q\"];", "invalid_escape 16-18");
	test_refused("{\"\": {\"entityTypes\": {\"A\": {\"enum\": [\"\xff\"]}}, \"actions\": {}}}",
		     "invalid_json 38-39");
	test_refused(
		"{\"\": {\"entityTypes\": {\"A\": {\"enum\": [\"\\ud800\"]}}, \"actions\": {}}}",
		"invalid_json 44-45");
}

static void test_too_large(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)state;
	repeat(&text, "//////////////\n\n", LIMIT_CEDAR_SCHEMA_TEXT / 16 + 1);
	{
		_cleanup_free_ char *findings = test_findings(buf_span(&text));

		assert_string_equal(findings, "too_large 0-0");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_findings),
		cmocka_unit_test(test_goes_on_after_missing_bracket),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_applies_to),
		cmocka_unit_test(test_repeated_attribute_warns),
		cmocka_unit_test(test_warnings_leave_room),
		cmocka_unit_test(test_json_findings),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_deepest),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
