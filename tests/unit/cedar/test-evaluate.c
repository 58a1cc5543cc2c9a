#include <errno.h>

#include "base/limits.h"
#include "cedar-test.h"

/* One entity exists: User::"alice" with age 17, in Group::"g", tagged t. */
static struct cedar_entities *make_store(void)
{
	struct cedar_entities *e = cedar_entities_new();
	struct arena *a = cedar_entities_arena(e);
	const struct cedar_entity_uid parent = { SPAN("Group"), SPAN("g") };
	const struct cedar_record_entry inner[] = { { SPAN("city"),
						      cedar_value_string(a, SPAN("Ulm")) } };
	const struct cedar_record_entry attributes[] = {
		{ SPAN("age"), cedar_value_long(a, 17) },
		{ SPAN("home"), cedar_value_record(a, inner, 1) },
	};
	const struct cedar_record_entry tags[] = { { SPAN("t"), cedar_value_long(a, 1) } };

	assert_int_equal(cedar_entities_add(e, test_request.principal,
					    cedar_value_record(a, attributes, 2),
					    cedar_value_record(a, tags, 1), &parent, 1, NULL),
			 0);
	assert_int_equal(cedar_entities_close(e, NULL), 0);
	return e;
}

/* Evaluates text and prints the value, or "error: CODE". */
static char *run(const char *text)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_entities *store = make_store();
	struct cedar_entity_source source = cedar_entities_source(store);
	const struct cedar_expr *e = test_expr(text, &arena);
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	if (cedar_eval(e, &test_request, &source, &arena, &v, &error) == 0) {
		assert_int_equal(cedar_value_print(v, &out), 0);
	} else {
		assert_non_null(error.message);
		(void)buf_printf(&out, "error: %s", error.code);
	}
	cedar_entities_free(store);
	return buf_take(&out);
}

static const struct {
	const char *text, *wanted;
} rows[] = {
	/* Comparison at the boundary, for each type that has an order. */
	{ "1 >= 1", "true" },
	{ "1 <= 1", "true" },
	{ "1 > 1", "false" },
	{ "1 < 1", "false" },
	{ "2 >= 1", "true" },
	{ "duration(\"1h\") >= duration(\"60m\")", "true" },
	{ "datetime(\"2024-01-01\") > datetime(\"2024-01-01\")", "false" },
	{ "decimal(\"1.0\").greaterThanOrEqual(decimal(\"1.00\"))", "true" },
	{ "decimal(\"1.0\").lessThanOrEqual(decimal(\"1.00\"))", "true" },
	{ "decimal(\"1.0\").greaterThan(decimal(\"1.00\"))", "false" },
	{ "ip(\"1.1.1.1\") < ip(\"1.1.1.2\")", "error: type" },
	{ "datetime(\"2024-01-01\") < duration(\"1d\")", "error: type" },
	/* An error is not false. */
	{ "!(1 + \"a\" == 1)", "error: type" },
	{ "false && 1", "false" },
	{ "true || 1", "true" },
	{ "false || 1", "error: type" },
	{ "true && 1", "error: type" },
	{ "if true then 1 else 1 + \"a\"", "1" },
	/* Entities: present, missing. */
	{ "principal.age", "17" },
	{ "principal.size", "error: missing_attribute" },
	{ "resource.size", "error: missing_entity" },
	{ "resource has size", "false" },
	{ "principal has home.city", "true" },
	{ "principal has home.street", "false" },
	{ "principal has home.street.number", "false" },
	{ "principal has age.year", "error: type" },
	{ "resource has a.b", "false" },
	{ "principal has \"home.city\"", "false" },
	{ "principal.home[\"city\"]", "\"Ulm\"" },
	{ "principal in Group::\"g\"", "true" },
	{ "principal in Group::\"h\"", "false" },
	{ "principal in principal", "true" },
	{ "resource in resource", "true" },
	{ "principal in [Group::\"g\", 1]", "error: type" },
	{ "principal in [Group::\"h\", Group::\"g\"]", "true" },
	{ "principal in [principal].contains(1)", "error: type" },
	{ "principal is User in Group::\"g\"", "true" },
	{ "principal is Group in 1", "false" },
	{ "principal is User in 1", "error: type" },
	/* Tags are not attributes. */
	{ "principal.hasTag(\"t\")", "true" },
	{ "principal.hasTag(\"age\")", "false" },
	{ "principal has t", "false" },
	{ "principal.getTag(\"t\")", "1" },
	{ "principal.getTag(\"u\")", "error: missing_tag" },
	{ "resource.getTag(\"u\")", "error: missing_entity" },
	{ "resource.hasTag(\"u\")", "false" },
	{ "ip(\"1:2:3:4:5:6:7:8\").getTag(\"u\")", "error: type" },
	/* Sets. */
	{ "[1, 2].contains(2)", "true" },
	{ "[1, \"a\" + 1].contains(1)", "error: type" },
	{ "principal.home.contains(1)", "error: type" },
	{ "[[1, 2]].contains([2, 1, 1])", "true" },
	{ "[1, 2, 3].containsAll([])", "true" },
	{ "[1, 2, 3].containsAll([3, 4])", "false" },
	{ "[1, 2, 3].containsAny([3, 4])", "true" },
	{ "[].isEmpty()", "true" },
	/* Overflow. */
	{ "9223372036854775807 + 1", "error: overflow" },
	{ "-9223372036854775808 - 1", "error: overflow" },
	{ "-(-9223372036854775808)", "error: overflow" },
	{ "-9223372036854775808 * -1", "error: overflow" },
	{ "datetime(\"1970-01-01\").offset(duration(\"-9223372036854775808ms\")).toDate()",
	  "error: overflow" },
	/* Floor, not truncation, for dates; truncation for durations. */
	{ "datetime(\"1969-12-31T23:59:59.999Z\").toDate() == datetime(\"1969-12-31\")", "true" },
	{ "datetime(\"1969-12-31T23:59:59.999Z\").toTime()", "duration(\"86399999ms\")" },
	{ "duration(\"-90s\").toMinutes()", "-1" },
	/* Addresses. */
	{ "ip(\"192.168.0.1/24\") == ip(\"192.168.0.0/24\")", "false" },
	{ "ip(\"10.1.0.0/16\").isInRange(ip(\"10.0.0.0/8\"))", "true" },
	{ "ip(\"10.0.0.0/7\").isInRange(ip(\"10.0.0.0/8\"))", "false" },
	{ "ip(\"11.0.0.0\").isInRange(ip(\"10.0.0.0/8\"))", "false" },
	{ "ip(\"11.0.0.0\").isInRange(ip(\"10.0.0.0/7\"))", "true" },
	{ "ip(\"::ffff:7f00:1\").isLoopback()", "false" },
	{ "ip(\"127.0.0.0/7\").isLoopback()", "false" },
	{ "ip(\"x\")", "error: extension" },
	{ "ip()", "error: arity" },
	{ "?principal", "error: unlinked_slot" },
	{ "{a: 1, b: 2} == {b: 2, a: 1}", "true" },
	{ "{a: {b: 3}}.a.b", "3" },
	{ "context", "{}" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *got = run(rows[i].text);

		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("%s: wanted %s, got %s", rows[i].text, rows[i].wanted, got);
	}
}

static void test_error_names_the_place(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	const struct cedar_expr *e = test_expr("true && resource.size > 1", &arena);
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v = NULL;

	(void)state;
	assert_int_equal(cedar_eval(e, &test_request, NULL, &arena, &v, &error), -EINVAL);
	assert_null(v);
	assert_int_equal(error.range.begin, 8);
	assert_int_equal(error.range.end, 21);
	assert_string_equal(error.message, "entity `File::\"/etc/passwd\"` does not exist");
}

static void test_exhausted_arena(void **state)
{
	_cleanup_arena_ struct arena nodes = ARENA_INIT(0);
	struct arena small = ARENA_INIT(64);
	const struct cedar_expr *e = test_expr("[1, 2, 3, 4, 5, 6] == []", &nodes);
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v = NULL;

	(void)state;
	assert_int_equal(cedar_eval(e, &test_request, NULL, &small, &v, &error), -ENOMEM);
	assert_string_equal(error.code, "limit");
	assert_non_null(error.message);
	arena_done(&small);
}

/* An embedder's own tree may be deeper than any text. */
static void test_deep_trees_end_in_an_error(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_expr *e = test_expr("true", &arena);
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v = NULL;

	(void)state;
	for (size_t i = 0; i < LIMIT_CEDAR_DEPTH + 10; i++) {
		struct cedar_expr *not = arena_new(&arena, struct cedar_expr);

		not ->kind = CEDAR_EXPR_NOT;
		not ->left = e;
		e = not ;
	}
	assert_int_equal(cedar_eval(e, &test_request, NULL, &arena, &v, &error), -EMSGSIZE);
	assert_string_equal(error.code, "limit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_error_names_the_place),
		cmocka_unit_test(test_exhausted_arena),
		cmocka_unit_test(test_deep_trees_end_in_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
