#include <errno.h>

#include "base/limits.h"
#include "cedar-test.h"

#define EMPTY "permit(principal, action, resource)"

static void test_ids_and_order(void **state)
{
	struct cedar_policy_set *set = test_parse("@id(\"mine\") " EMPTY ";\n"
						  "forbid(principal, action, resource);");

	(void)state;
	assert_int_equal(cedar_policy_set_len(set), 2);
	assert_true(span_eq_str(cedar_policy_set_at(set, 0)->id, "policy0"));
	assert_true(span_eq_str(cedar_policy_set_at(set, 1)->id, "policy1"));
	assert_false(cedar_policy_set_at(set, 0)->is_forbid);
	assert_true(cedar_policy_set_at(set, 1)->is_forbid);
	assert_int_equal(cedar_policy_set_at(set, 1)->index, 1);
	cedar_policy_set_free(set);
}

static void test_text_is_copied(void **state)
{
	char text[] = "permit(principal == User::\"bob\", action, resource);";
	struct cedar_policy_set *set = test_parse(text);
	const struct cedar_scope *s = &cedar_policy_set_at(set, 0)->principal;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	assert_true(span_eq_str(s->uids[0].type, "User"));
	assert_true(span_eq_str(s->uids[0].id, "bob"));
	cedar_policy_set_free(set);
}

static void test_scope_forms(void **state)
{
	struct cedar_policy_set *set =
		test_parse("permit(principal is A :: B in G::\"g\", action in [Action::\"x\", "
			   "N::Action::\"y\",], resource in ?resource,);");
	const struct cedar_policy *p = cedar_policy_set_at(set, 0);

	(void)state;
	assert_int_equal(p->principal.op, CEDAR_SCOPE_IS_IN);
	assert_true(span_eq_str(p->principal.type_name, "A::B"));
	assert_int_equal(p->principal.n_uids, 1);
	assert_int_equal(p->action.op, CEDAR_SCOPE_IN);
	assert_true(p->action.is_list);
	assert_int_equal(p->action.n_uids, 2);
	assert_true(span_eq_str(p->action.uids[1].type, "N::Action"));
	assert_true(p->resource.is_slot);
	assert_int_equal(p->resource.n_uids, 0);
	assert_true(p->is_template);
	cedar_policy_set_free(set);
}

static void test_uid_ranges_name_the_uids(void **state)
{
	static const char text[] =
		"permit(principal, action in [Action::\"x\", (Action :: \"yy\")], resource);";
	struct cedar_policy_set *set = test_parse(text);
	const struct cedar_scope *s = &cedar_policy_set_at(set, 0)->action;
	struct cedar_range r = s->uid_ranges[1];

	(void)state;
	assert_true(span_eq((struct span){ text + r.begin, r.end - r.begin },
			    SPAN("Action :: \"yy\"")));
	cedar_policy_set_free(set);
}

/* The tree of an operator chain and its ranges. */
static void test_precedence(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	static const char text[] = "1 + 2 * 3 < 4 && true || false";
	const struct cedar_expr *e = test_expr(text, &arena);
	const struct cedar_expr *sum = e->left->left->left;

	(void)state;
	assert_int_equal(e->kind, CEDAR_EXPR_OR);
	assert_int_equal(e->left->kind, CEDAR_EXPR_AND);
	assert_int_equal(e->left->left->kind, CEDAR_EXPR_LT);
	assert_int_equal(sum->kind, CEDAR_EXPR_ADD);
	assert_int_equal(sum->right->kind, CEDAR_EXPR_MUL);
	assert_int_equal(sum->range.begin, 0);
	assert_int_equal(sum->range.end, 9);
	assert_int_equal(e->range.end, sizeof(text) - 1);
}

static void test_minus_folds_into_literals(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	const struct cedar_expr *e = test_expr("- 9223372036854775808", &arena);

	(void)state;
	assert_int_equal(e->kind, CEDAR_EXPR_LONG);
	assert_true(e->integer == INT64_MIN);
	e = test_expr("-(3)", &arena);
	assert_int_equal(e->kind, CEDAR_EXPR_NEG);
	e = test_expr("--3", &arena);
	assert_int_equal(e->kind, CEDAR_EXPR_NEG);
	assert_int_equal(e->left->integer, -3);
	e = test_expr("-1.a", &arena);
	assert_int_equal(e->kind, CEDAR_EXPR_NEG);
}

/* One run shows the mistakes of all policies, in source order, each at its place. */
static void test_all_errors_are_reported(void **state)
{
	static const char text[] = "permit(principal, action, resource) when { princpal == 1 };\n"
				   "allow(principal, action, resource);\n" EMPTY ";\n"
				   "forbid(principal, action, resource) when { 1 + };\n"
				   "permit(principal, action == User::\"x\", resource)\n"
				   "  when { \"\\q\" == ipp(\"1.1.1.1\") };\n";
	static const struct {
		const char *code;
		size_t line, column;
	} wanted[] = {
		{ "unknown_variable", 1, 44 }, { "invalid_effect", 2, 1 },
		{ "unexpected_token", 4, 48 }, { "invalid_action", 5, 29 },
		{ "invalid_escape", 6, 11 },   { "unknown_function", 6, 18 },
	};
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)state;
	assert_int_equal(cedar_policy_set_parse(span_of(text), &diags, &set), -EINVAL);
	assert_null(set);
	assert_int_equal(diags.len, ARRAY_SIZE(wanted));
	assert_int_equal(diags.n_errors, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < diags.len; i++) {
		size_t line, column;

		cedar_position(span_of(text), diags.items[i].range.begin, &line, &column);
		assert_string_equal(diags.items[i].code, wanted[i].code);
		assert_int_equal(line, wanted[i].line);
		assert_int_equal(column, wanted[i].column);
	}
	assert_string_equal(diags.items[0].suggestion, "did you mean `principal`?");
	assert_string_equal(diags.items[5].suggestion, "did you mean `ip`?");
	cedar_diagnostics_done(&diags);
}

/* A forgotten ';' is one mistake, not the loss of the next policy. */
static void test_missing_semicolon(void **state)
{
	static const char text[] = EMPTY "\nforbid(principal, action, resource) when { foo };";
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)state;
	assert_int_equal(cedar_policy_set_parse(span_of(text), &diags, &set), -EINVAL);
	assert_int_equal(diags.len, 2);
	assert_string_equal(diags.items[0].code, "missing_semicolon");
	assert_int_equal(diags.items[0].range.begin, sizeof(EMPTY) - 1);
	assert_string_equal(diags.items[1].code, "unknown_variable");
	cedar_diagnostics_done(&diags);
}

/* A caller may collect several texts in one list. */
static void test_earlier_findings_do_not_fail_a_parse(void **state)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)state;
	assert_int_equal(cedar_policy_set_parse(SPAN("x"), &diags, &set), -EINVAL);
	assert_int_equal(cedar_policy_set_parse(SPAN(EMPTY ";"), &diags, &set), 0);
	assert_non_null(set);
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *code;
	} rows[] = {
		{ EMPTY " when { 1 < 2 < 3 };", "chained_relation" },
		{ EMPTY " when { principal has (a) };", "unexpected_token" },
		{ EMPTY " when { principal has a[\"b\"] };", "invalid_has" },
		{ EMPTY " when { principal.if };", "reserved_identifier" },
		{ EMPTY " when { {in: 1} == {} };", "reserved_identifier" },
		{ EMPTY " when { {a: 1, \"a\": 2} == {} };", "duplicate_key" },
		{ EMPTY " when { true && if true then true else false };", "if_needs_parentheses" },
		{ EMPTY " when { \"a\" like principal };", "invalid_pattern" },
		{ EMPTY " when { !!!!!true };", "too_many_operators" },
		{ EMPTY " when { 1 / 2 };", "unsupported_operator" },
		{ EMPTY " when { principal = 1 };", "unsupported_operator" },
		{ EMPTY " when { ip(\"::1\")(1) };", "invalid_call" },
		{ EMPTY " when { \"x\".ip() };", "wrong_call_style" },
		{ EMPTY " when { [1].contains() };", "wrong_arity" },
		{ EMPTY " when { 9223372036854775808 == 1 };", "integer_too_large" },
		{ EMPTY " when { -(9223372036854775808) == 1 };", "integer_too_large" },
		{ EMPTY " when { 99999999999999999999999 == 1 };", "integer_too_large" },
		{ EMPTY " when { principal == ?principal };", "slot_in_condition" },
		{ EMPTY " when { };", "empty_condition" },
		{ EMPTY " when { \"a\rb\" == \"\" };", "invalid_escape" },
		{ EMPTY " when { \"\\u{_1}\" == \"\" };", "invalid_escape" },
		{ EMPTY " when { \"\\u{0000041}\" == \"\" };", "invalid_escape" },
		{ EMPTY " when { \"\\u{d800}\" == \"\" };", "invalid_escape" },
		{ EMPTY " when { \"\\x80\" == \"\" };", "invalid_escape" },
		{ EMPTY " when { \"\\*\" == \"\" };", "invalid_escape" },
		{ EMPTY " when { \"open };", "unterminated_string" },
		{ EMPTY " when { 1 # 2 };", "invalid_token" },
		{ EMPTY " when { __cedar::T::\"x\" == 1 };", "reserved_identifier" },
		{ EMPTY ";;", "unexpected_token" },
		{ EMPTY, "unexpected_end" },
		{ EMPTY " if { true };", "invalid_condition" },
		{ "@a @a " EMPTY ";", "duplicate_annotation" },
		{ "@a() " EMPTY ";", "unexpected_token" },
		{ "permit(action, principal, resource);", "invalid_scope" },
		{ "permit(principal, action);", "missing_scope" },
		{ "permit(principal, action, resource, context);", "invalid_scope" },
		{ "permit(principal == \"a\", action, resource);", "invalid_scope_value" },
		{ "permit(principal in [U::\"a\"], action, resource);", "invalid_scope_value" },
		{ "permit(principal, action in [[Action::\"a\"]], resource);",
		  "invalid_scope_value" },
		{ "permit(principal, action is Action, resource);", "invalid_scope_operator" },
		{ "permit(principal is U == U::\"a\", action, resource);",
		  "invalid_scope_operator" },
		{ "permit(principal == ?resource, action, resource);", "invalid_slot" },
		{ "permit(principal, action == ?action, resource);", "invalid_slot" },
		{ "\xef\xbb\xbf" EMPTY ";", "invalid_token" },
		{ EMPTY "; // \xff", "invalid_utf8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(test_refusal(rows[i].text), rows[i].code) != 0)
			fail_msg("%s: wanted %s, got '%s'", rows[i].text, rows[i].code,
				 test_refusal(rows[i].text));
}

static char *repeat(const char *before, const char *unit, size_t n, const char *after)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)buf_append_str(&b, before);
	for (size_t i = 0; i < n; i++)
		(void)buf_append_str(&b, unit);
	(void)buf_append_str(&b, after);
	return buf_take(&b);
}

static void assert_too_deep(const char *before, const char *unit, const char *after)
{
	_cleanup_free_ char *text = repeat(before, unit, 100000, after);

	assert_string_equal(test_refusal(text), "too_deep");
}

static void test_depth_is_bounded(void **state)
{
	(void)state;
	assert_too_deep(EMPTY " when { ", "(", "");
	assert_too_deep(EMPTY " when { ", "[", "");
	assert_too_deep(EMPTY " when { ", "{a:", "");
	assert_too_deep(EMPTY " when { ", "if ", "");
	assert_too_deep(EMPTY " when { ", "if true then true else ", "true };");
	assert_too_deep(EMPTY " when { ", "ip(", "");
	assert_too_deep(EMPTY " when { true", " && true", " };");
	assert_too_deep(EMPTY " when { principal", ".a", " };");
	assert_too_deep(EMPTY " when { 1", " + 1", " == 1 };");
	assert_too_deep("permit(principal == ", "(", "U::\"a\", action, resource);");
}

static void test_long_chains_are_welcome(void **state)
{
	_cleanup_free_ char *text =
		repeat(EMPTY " when { false", " || principal == User::\"x\"", 900, " };");

	(void)state;
	cedar_policy_set_free(test_parse(text));
}

static void test_size_is_bounded(void **state)
{
	_cleanup_free_ char *text = repeat("", " ", LIMIT_POLICY_TEXT + 1, "");

	(void)state;
	assert_string_equal(test_refusal(text), "too_large");
}

static void test_findings_are_bounded(void **state)
{
	_cleanup_free_ char *text = repeat("", "x;", 10000, "");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)state;
	assert_int_equal(cedar_policy_set_parse(span_of(text), &diags, &set), -EINVAL);
	assert_int_equal(diags.len, LIMIT_CEDAR_DIAGNOSTICS + 1);
	cedar_diagnostics_done(&diags);
}

static void test_memory_of_expressions_is_bounded(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(8192);
	_cleanup_free_ char *text = repeat("[", "1,", 500, "]");
	struct cedar_diagnostics diags = { 0 };
	struct cedar_expr *e = NULL;

	(void)state;
	assert_int_equal(cedar_expr_parse(span_of(text), &arena, &diags, &e), -EMSGSIZE);
	assert_null(e);
	assert_string_equal(diags.items[0].code, "too_large");
	cedar_diagnostics_done(&diags);
}

/* Wherever memory ends, there is an error and no tree. */
static void test_every_allocation_may_fail(void **state)
{
	static const char text[] =
		"if principal has a.b.c && [1, {a: \"x\\n\", b: U::\"u\"}].contains(A :: B::\"c\") "
		"then context.s like \"a*b\\*c\" else ip(\"::1\").isInRange(-(3))";
	bool has_parsed = false;

	(void)state;
	for (size_t max = 1; !has_parsed; max += 16) {
		_cleanup_arena_ struct arena arena = ARENA_INIT(max);
		struct cedar_diagnostics diags = { 0 };
		struct cedar_expr *e = NULL;
		int r = cedar_expr_parse(span_of(text), &arena, &diags, &e);

		has_parsed = r == 0;
		assert_true(r == 0 || r == -EMSGSIZE);
		assert_true((r == 0) == (e != NULL));
		assert_int_equal(diags.n_errors, r == 0 ? 0 : 1);
		cedar_diagnostics_done(&diags);
	}
}

/* A list of findings from several texts keeps them text by text. */
static void test_each_text_is_sorted_alone(void **state)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)state;
	assert_int_equal(cedar_policy_set_parse(SPAN("           x;"), &diags, &set), -EINVAL);
	assert_int_equal(cedar_policy_set_parse(SPAN("@a@ permit();"), &diags, &set), -EINVAL);
	assert_int_equal(diags.len, 2);
	assert_string_equal(diags.items[0].code, "invalid_effect");
	cedar_diagnostics_done(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_and_order),
		cmocka_unit_test(test_text_is_copied),
		cmocka_unit_test(test_scope_forms),
		cmocka_unit_test(test_uid_ranges_name_the_uids),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_minus_folds_into_literals),
		cmocka_unit_test(test_all_errors_are_reported),
		cmocka_unit_test(test_missing_semicolon),
		cmocka_unit_test(test_earlier_findings_do_not_fail_a_parse),
		cmocka_unit_test(test_each_text_is_sorted_alone),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_long_chains_are_welcome),
		cmocka_unit_test(test_size_is_bounded),
		cmocka_unit_test(test_findings_are_bounded),
		cmocka_unit_test(test_memory_of_expressions_is_bounded),
		cmocka_unit_test(test_every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
