#include <errno.h>

#include "cedar-test.h"

static void assert_expr(const char *text, const char *wanted)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	_cleanup_buf_ struct buf again = BUF_INIT(0);

	assert_int_equal(cedar_expr_print(test_expr(text, &arena), &out), 0);
	assert_string_equal(out.data, wanted);
	assert_int_equal(cedar_expr_print(test_expr(out.data, &arena), &again), 0);
	assert_string_equal(again.data, wanted);
}

static void test_expressions(void **state)
{
	(void)state;
	assert_expr("1+2*3", "1 + 2 * 3");
	assert_expr("(1+2)*3", "(1 + 2) * 3");
	assert_expr("1-(2-3)", "1 - (2 - 3)");
	assert_expr("(1-2)-3", "1 - 2 - 3");
	assert_expr("true&&(false||true)", "true && (false || true)");
	assert_expr("true&&(false&&true)", "true && (false && true)");
	assert_expr("(1<2)==true", "(1 < 2) == true");
	assert_expr("(if true then 1 else 2)==1", "(if true then 1 else 2) == 1");
	assert_expr("if true then if false then 1 else 2 else 3",
		    "if true then if false then 1 else 2 else 3");
	assert_expr("!(true&&false)", "!(true && false)");
	assert_expr("!(!(!(!(!true))))", "!!!!(!true)");
	assert_expr("-(3)", "-(3)");
	assert_expr("-(-3)", "--3");
	assert_expr("----(-3)", "----(-3)");
	assert_expr("--(3)", "--(3)");
	assert_expr("-(-(principal.a))", "--principal.a");
	assert_expr("!(-principal.a == 1)", "!(-principal.a == 1)");
	assert_expr("(-3).a", "(-3).a");
	assert_expr("-9223372036854775808", "-9223372036854775808");
	assert_expr("principal[\"a b\"].c[\"if\"].d", "principal[\"a b\"].c[\"if\"].d");
	assert_expr("principal[\"ok\"]", "principal.ok");
	assert_expr("principal has \"ok\"", "principal has ok");
	assert_expr("principal has \"a.b\"", "principal has \"a.b\"");
	assert_expr("principal has a . b", "principal has a.b");
	assert_expr("{a:1,\"b c\":[1,{}]}", "{\"a\": 1, \"b c\": [1, {}]}");
	assert_expr("principal is A :: B in [C::\"d\",]", "principal is A::B in [C::\"d\"]");
	assert_expr("ip(\"::1\",).isInRange(ip(\"::/0\"))", "ip(\"::1\").isInRange(ip(\"::/0\"))");
	assert_expr("\"\\u{202e}\\0\" like \"*a\\*\\u{2a}\\n\"",
		    "\"\\u{202e}\\0\" like \"*a\\**\\n\"");
	assert_expr("(1 == 2).a", "(1 == 2).a");
	assert_expr("?resource", "?resource");
}

static void assert_policy(const char *text, const char *wanted)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_policy_set *set = test_parse(text);

	assert_int_equal(cedar_policy_print(cedar_policy_set_at(set, 0), &out), 0);
	assert_string_equal(out.data, wanted);
	cedar_policy_set_free(set);
	cedar_policy_set_free(test_parse(out.data));
}

static void test_policies(void **state)
{
	(void)state;
	assert_policy("permit(principal,action,resource);", "permit(principal, action, resource);");
	assert_policy(
		"@a(\"x\\n\")@b forbid(principal==(U::\"a\"),action in[Action::\"x\",],resource is "
		"A in ?resource,)when{true}unless{1==2};",
		"@a(\"x\\n\") @b forbid(principal == U::\"a\", action in [Action::\"x\"], resource "
		"is "
		"A in ?resource) when { true } unless { 1 == 2 };");
	assert_policy("permit(principal in ?principal, action in Action::\"x\", resource is A);",
		      "permit(principal in ?principal, action in Action::\"x\", resource is A);");
	assert_policy("permit(principal, action in [], resource);",
		      "permit(principal, action in [], resource);");
}

/* Names that cannot stand in a.b: what it means is written. */
static void test_unfolded_has(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_expr *e = test_expr("!(principal has a.b)", &arena);

	(void)state;
	e->left->names[0] = SPAN("a b");
	assert_int_equal(cedar_expr_print(e, &out), 0);
	assert_string_equal(out.data, "!(principal has \"a b\" && principal[\"a b\"] has b)");
}

/* Each level writes its left side twice: refused before it fills the memory. */
static void test_unfolding_is_bounded(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_expr *e = test_expr("principal", &arena);

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct cedar_expr *has = test_expr("principal has a.b", &arena);

		has->names[0] = SPAN("a b");
		has->left = e;
		e = has;
	}
	assert_int_equal(cedar_expr_print(e, &out), -EMSGSIZE);
}

/* What has no text form is refused rather than printed as something else. */
static void test_unprintable(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_expr *e = test_expr("\"x\"", &arena);

	(void)state;
	e->string = SPAN("\xff");
	assert_int_equal(cedar_expr_print(e, &out), -EINVAL);
}

static void test_buffer_limit(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(8);

	(void)state;
	assert_int_equal(cedar_expr_print(test_expr("[1, 2, 3, 4]", &arena), &out), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),  cmocka_unit_test(test_policies),
		cmocka_unit_test(test_unfolded_has), cmocka_unit_test(test_unfolding_is_bounded),
		cmocka_unit_test(test_unprintable),  cmocka_unit_test(test_buffer_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
