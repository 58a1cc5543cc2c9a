/* Policies, templates and sets of them in JSON. */
#include <errno.h>

#include "base/limits.h"
#include "cedar-test.h"
#include "cedar/cedar-json.h"
#include "cedar/cedar-template.h"

#define ALL                                                                                        \
	"\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"}"

static struct cedar_policy_set *read_set(const char *text)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = cedar_policy_set_parse_json(span_of(text), &diags, &set);

	for (size_t i = 0; i < diags.len; i++)
		print_error("%s: %s\n", text, diags.items[i].message);
	assert_int_equal(r, 0);
	cedar_diagnostics_done(&diags);
	return set;
}

/* The text of the only policy. */
static void assert_reads(const char *json, const char *text)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	int r = cedar_policy_parse_json(span_of(json), &diags, &set);

	for (size_t i = 0; i < diags.len; i++)
		print_error("%s: %s\n", json, diags.items[i].message);
	assert_int_equal(r, 0);
	assert_int_equal(cedar_policy_print(cedar_policy_set_at(set, 0), &out), 0);
	assert_string_equal(out.data, text);
	cedar_diagnostics_done(&diags);
	cedar_policy_set_free(set);
}

static void assert_body(const char *body, const char *text)
{
	_cleanup_buf_ struct buf json = BUF_INIT(0);
	_cleanup_buf_ struct buf wanted = BUF_INIT(0);

	(void)buf_printf(&json,
			 "{\"effect\":\"permit\"," ALL
			 ",\"conditions\":[{\"kind\":\"when\",\"body\":%s}]}",
			 body);
	(void)buf_printf(&wanted, "permit(principal, action, resource) when { %s };", text);
	assert_reads(json.data, wanted.data);
}

/* The finding's code, and the text at fault. */
static void assert_refused(const char *json, const char *code, const char *at, bool is_set)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	struct cedar_range range;

	assert_int_equal((is_set ? cedar_policy_set_parse_json
				 : cedar_policy_parse_json)(span_of(json), &diags, &set),
			 -EINVAL);
	assert_null(set);
	assert_true(diags.len >= 1);
	assert_string_equal(diags.items[0].code, code);
	range = diags.items[0].range;
	assert_int_equal(range.end - range.begin, strlen(at));
	assert_memory_equal(json + range.begin, at, strlen(at));
	cedar_diagnostics_done(&diags);
}

static void assert_body_refused(const char *body, const char *code, const char *at)
{
	_cleanup_buf_ struct buf json = BUF_INIT(0);

	(void)buf_printf(&json,
			 "{\"effect\":\"permit\"," ALL
			 ",\"conditions\":[{\"kind\":\"when\",\"body\":%s}]}",
			 body);
	assert_refused(json.data, code, at, /* is_set = */ false);
}

static void scopes_are_read(void **state)
{
	(void)state;
	assert_reads(
		"{\"effect\":\"forbid\",\"principal\":{\"op\":\"is\",\"entity_type\":\"A::B\","
		"\"in\":{\"entity\":{\"type\":\"C\",\"id\":\"c\"}}},\"action\":{\"op\":\"in\","
		"\"entities\":[{\"type\":\"Action\",\"id\":\"a\"},{\"type\":\"N::Action\","
		"\"id\":\"b\"}]},\"resource\":{\"op\":\"==\",\"entity\":{\"__entity\":"
		"{\"type\":\"R\",\"id\":\"r\"}}},\"conditions\":[],"
		"\"annotations\":{\"id\":\"x\",\"if\":null}}",
		"@id(\"x\") @if forbid(principal is A::B in C::\"c\", action in [Action::\"a\", "
		"N::Action::\"b\"], resource == R::\"r\");");
}

static void expressions_are_read(void **state)
{
	(void)state;
	assert_body("{\"-\":{\"left\":{\"Value\":-9223372036854775808},\"right\":{\"neg\":"
		    "{\"arg\":{\"Value\":3}}}}}",
		    "-9223372036854775808 - -(3)");
	assert_body("{\"like\":{\"left\":{\"Var\":\"context\"},\"pattern\":[{\"Literal\":\"a\"},"
		    "{\"Literal\":\"*b\"},\"Wildcard\",{\"Literal\":\"\"}]}}",
		    "context like \"a\\*b*\"");
	assert_body("{\"is\":{\"left\":{\"Var\":\"action\"},\"entity_type\":\"A\",\"in\":null}}",
		    "action is A");
	assert_body("{\"offset\":[{\"datetime\":[{\"Value\":\"2024-01-01\"}]},"
		    "{\"duration\":[{\"Value\":\"1h\"}]}]}",
		    "datetime(\"2024-01-01\").offset(duration(\"1h\"))");
	assert_body("{\"isEmpty\":{\"arg\":{\"Set\":[]}}}", "[].isEmpty()");
}

static void values_are_read(void **state)
{
	(void)state;
	assert_body("{\"Value\":[1,{\"a\":true,\"b c\":\"x\"},{\"__entity\":{\"type\":\"A\","
		    "\"id\":\"b\",\"z\":1}}]}",
		    "[1, {\"a\": true, \"b c\": \"x\"}, A::\"b\"]");
	assert_body("{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}}", "ip(\"::1\")");
	/* Not quite in the shape of an escape: records. */
	assert_body("{\"Value\":{\"__entity\":{\"type\":\"A\"}}}",
		    "{\"__entity\": {\"type\": \"A\"}}");
	assert_body("{\"Value\":{\"__expr\":\"x\",\"y\":1}}", "{\"__expr\": \"x\", \"y\": 1}");
	assert_body_refused("{\"Value\":{\"__expr\":\"x\"}}", "expr_escape", "{\"__expr\":\"x\"}");
	assert_body_refused("{\"Value\":[null]}", "null", "null");
	assert_body_refused("{\"Value\":1.0}", "invalid_number", "1.0");
	assert_body_refused("{\"Value\":9223372036854775808}", "invalid_number",
			    "9223372036854775808");
}

static void has_takes_any_names(void **state)
{
	(void)state;
	assert_body("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b\"]}}",
		    "context has a.b");
	assert_body("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"if\"]}}",
		    "context has \"if\"");
	assert_body("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a b\",\"c\",\"d\"]}}",
		    "context has \"a b\" && context[\"a b\"] has c && context[\"a b\"].c has d");
	assert_body("{\"!\":{\"arg\":{\"has\":{\"left\":{\"neg\":{\"arg\":{\"Var\":\"context\"}}},"
		    "\"attr\":[\"a\",\"is\"]}}}}",
		    "!(-context has a && (-context).a has \"is\")");
	assert_body_refused("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[]}}", "invalid_has",
			    "[]");
}

static void mistakes_are_found_where_they_are(void **state)
{
	(void)state;
	assert_body_refused("{\"Value\":1,\"Var\":\"x\"}", "invalid_expression", "\"x\"");
	assert_body_refused("{}", "invalid_expression", "{}");
	assert_body_refused("{\"isInRang\":[]}", "unknown_operator", "\"isInRang\"");
	assert_body_refused("{\"Var\":\"user\"}", "unknown_variable", "\"user\"");
	assert_body_refused("{\"Slot\":\"?principal\"}", "slot_in_condition", "\"?principal\"");
	assert_body_refused("{\"==\":{\"left\":{\"Value\":1}}}", "missing_member",
			    "{\"left\":{\"Value\":1}}");
	assert_body_refused("{\"is\":{\"left\":{\"Value\":1},\"entity_type\":\"A::if\"}}",
			    "reserved_identifier", "\"A::if\"");
	assert_body_refused("{\"is\":{\"left\":{\"Value\":1},\"entity_type\":\" A\"}}",
			    "invalid_type_name", "\" A\"");
	assert_refused("{\"effect\":\"permit\"," ALL ",\"conditions\":[],\"when\":[]}",
		       "unknown_member", "\"when\"", false);
	assert_refused("{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":"
		       "\"==\",\"entity\":{\"type\":\"A\",\"id\":\"a\"}},\"resource\":{\"op\":"
		       "\"All\"},\"conditions\":[]}",
		       "invalid_action", "{\"type\":\"A\",\"id\":\"a\"}", false);
	assert_refused("{\"effect\":\"permit\",\"effect\":\"permit\"}", "invalid_json", "\"",
		       false);
	assert_refused("{\"effect\":", "invalid_json", "", false);
}

/* Both conditions are wrong, and the effect: three findings in the order of the text. */
static void all_mistakes_are_found(void **state)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)state;
	assert_int_equal(cedar_policy_parse_json(
				 SPAN("{\"conditions\":[{\"kind\":\"when\",\"body\":{}},{\"kind\":"
				      "\"unless\",\"body\":1}],\"effect\":1," ALL "}"),
				 &diags, &set),
			 -EINVAL);
	assert_int_equal(diags.len, 3);
	assert_string_equal(diags.items[0].code, "invalid_expression");
	assert_string_equal(diags.items[1].code, "wrong_type");
	assert_string_equal(diags.items[2].code, "invalid_effect");
	cedar_diagnostics_done(&diags);
}

static void depth_is_bounded(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e = NULL;

	(void)state;
	for (size_t n = LIMIT_CEDAR_DEPTH - 1; n <= LIMIT_CEDAR_DEPTH; n++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);
		_cleanup_buf_ struct buf out = BUF_INIT(0);

		for (size_t i = 0; i < n; i++)
			(void)buf_append_str(&text, "{\"!\":{\"arg\":");
		(void)buf_append_str(&text, "{\"Value\":true}");
		for (size_t i = 0; i < n; i++)
			(void)buf_append_str(&text, "}}");
		assert_int_equal(cedar_expr_parse_json(buf_span(&text), &arena, &diags, &e),
				 n < LIMIT_CEDAR_DEPTH ? 0 : -EMSGSIZE);
		assert_int_equal(cedar_expr_print_json(e, &out), 0);
		assert_true(n == LIMIT_CEDAR_DEPTH || span_eq(buf_span(&text), buf_span(&out)));
	}
	assert_int_equal(diags.len, 1);
	cedar_diagnostics_done(&diags);
}

static void writing_is_canonical(void **state)
{
	struct cedar_policy_set *set =
		test_parse("@z @a(\"1\") permit(principal, action in [Action::\"x\"], resource) "
			   "when { {b: 1, \"a\": -2}.a > 1 };");
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(cedar_policy_print_json(cedar_policy_set_at(set, 0), &out), 0);
	assert_string_equal(
		out.data,
		"{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"in\","
		"\"entity\":{\"type\":\"Action\",\"id\":\"x\"}},\"resource\":{\"op\":\"All\"},"
		"\"conditions\":[{\"kind\":\"when\",\"body\":{\">\":{\"left\":{\".\":{\"left\":"
		"{\"Record\":{\"a\":{\"Value\":-2},\"b\":{\"Value\":1}}},\"attr\":\"a\"}},"
		"\"right\":{\"Value\":1}}}}],\"annotations\":{\"a\":\"1\",\"z\":null}}");
	cedar_policy_set_free(set);
}

#define TEMPLATE                                                                                   \
	"{\"effect\":\"permit\",\"principal\":{\"op\":\"==\",\"slot\":\"?principal\"},"            \
	"\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},\"conditions\":[]}"
#define STATIC "{\"effect\":\"forbid\"," ALL ",\"conditions\":[]}"
#define LINK(template, id, values)                                                                 \
	"{\"templateId\":\"" template "\",\"newId\":\"" id "\",\"values\":{" values "}}"
#define ALICE "\"?principal\":{\"type\":\"User\",\"id\":\"alice\"}"

static void sets_are_read_and_written(void **state)
{
	static const char text[] =
		"{\"templates\":{\"t\":" TEMPLATE "},\"staticPolicies\":{\"s\":" STATIC
		"},\"templateLinks\":[" LINK("t", "l", ALICE) "]}";
	struct cedar_policy_set *set = read_set(text);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(cedar_policy_set_len(set), 3);
	assert_ptr_equal(cedar_policy_set_find(set, SPAN("l"))->linked_from,
			 cedar_policy_set_find(set, SPAN("t")));
	assert_int_equal(cedar_policy_set_print_json(set, &out), 0);
	assert_string_equal(out.data, text);
	cedar_policy_set_free(set);
	cedar_policy_set_free(read_set("{}"));
}

static void wrong_sets_are_refused(void **state)
{
	(void)state;
	assert_refused("{\"staticPolicies\":{\"t\":" TEMPLATE "}}", "wrong_policy_kind", "\"t\"",
		       true);
	assert_refused("{\"templates\":{\"t\":" STATIC "}}", "wrong_policy_kind", "\"t\"", true);
	assert_refused("{\"staticPolicies\":{\"t\":" STATIC "},\"templates\":{\"t\":" TEMPLATE "}}",
		       "duplicate_id", "\"t\"", true);
	assert_refused("{\"templates\":{\"t\":" TEMPLATE
		       "},\"templateLinks\":[" LINK("t", "t", ALICE) "]}",
		       "invalid_link", LINK("t", "t", ALICE), true);
	assert_refused("{\"templates\":{\"t\":" TEMPLATE
		       "},\"templateLinks\":[" LINK("t", "l", "") "]}",
		       "invalid_link", LINK("t", "l", ""), true);
	assert_refused("{\"templateLinks\":[" LINK("t", "l", ALICE) "]}", "invalid_link",
		       LINK("t", "l", ALICE), true);
	assert_refused("{\"templates\":{},\"policies\":{}}", "unknown_member", "\"policies\"",
		       true);
	assert_refused("[]", "wrong_type", "[]", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes_are_read),
		cmocka_unit_test(expressions_are_read),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(has_takes_any_names),
		cmocka_unit_test(mistakes_are_found_where_they_are),
		cmocka_unit_test(all_mistakes_are_found),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(writing_is_canonical),
		cmocka_unit_test(sets_are_read_and_written),
		cmocka_unit_test(wrong_sets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
