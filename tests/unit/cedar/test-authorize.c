#include <errno.h>
#include <pthread.h>

#include "cedar-test.h"

#define ANY "(principal, action, resource)"

/* "allow" or "deny", the reasons, and the errors after a '!'. */
static char *decide(const char *policies)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_policy_set *set = test_parse(policies);
	struct cedar_response r;

	assert_int_equal(cedar_authorize(set, &test_request, NULL, &arena, &r), 0);
	(void)buf_append_str(&out, r.allow ? "allow" : "deny");
	for (size_t i = 0; i < r.n_reasons; i++)
		(void)buf_printf(&out, " %.*s", SPAN_ARG(r.reasons[i]->id));
	for (size_t i = 0; i < r.n_errors; i++)
		(void)buf_printf(&out, " !%.*s", SPAN_ARG(r.errors[i].policy->id));
	cedar_policy_set_free(set);
	return buf_take(&out);
}

static void test_decisions(void **state)
{
	static const struct {
		const char *policies, *wanted;
	} rows[] = {
		{ "", "deny" },
		{ "permit" ANY ";", "allow policy0" },
		{ "permit" ANY "; forbid" ANY ";", "deny policy1" },
		{ "forbid" ANY "; permit" ANY "; forbid" ANY ";", "deny policy0 policy2" },
		{ "permit" ANY "; permit" ANY " when { false }; permit" ANY ";",
		  "allow policy0 policy2" },
		{ "forbid" ANY " unless { true }; permit" ANY ";", "allow policy1" },
		/* An erring policy is skipped, and named. */
		{ "forbid" ANY " when { 1 }; permit" ANY ";", "allow policy1 !policy0" },
		{ "permit" ANY " when { principal.x };", "deny !policy0" },
		{ "permit" ANY " when { true } when { 1 };", "deny !policy0" },
		{ "permit" ANY " when { false } when { 1 };", "deny" },
		/* Conditions are not looked at where the scope does not match. */
		{ "permit(principal == User::\"bob\", action, resource) when { 1 };", "deny" },
		{ "permit(principal is User, action == Action::\"view\", resource is File);",
		  "allow policy0" },
		{ "permit(principal is User in User::\"alice\", action, resource);",
		  "allow policy0" },
		{ "permit(principal, action in [], resource);", "deny" },
		{ "permit(principal, action in [Action::\"x\", Action::\"view\"], resource);",
		  "allow policy0" },
		{ "permit(principal is user, action, resource);", "deny" },
		{ "permit(principal == A::User::\"alice\", action, resource);", "deny" },
		/* A template that is not linked never applies. */
		{ "permit(principal == ?principal, action, resource);", "deny" },
		{ "forbid(principal, action, resource in ?resource); permit" ANY ";",
		  "allow policy1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *got = decide(rows[i].policies);

		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("%s: wanted %s, got %s", rows[i].policies, rows[i].wanted, got);
	}
}

static void test_policy_eval(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_policy_set *set = test_parse("permit" ANY "; permit" ANY " when { false };"
						  "permit" ANY " when { resource.x };");
	struct cedar_eval_error error = { 0 };

	(void)state;
	assert_int_equal(
		cedar_policy_eval(cedar_policy_set_at(set, 0), &test_request, NULL, &arena, &error),
		CEDAR_SATISFIED);
	assert_int_equal(
		cedar_policy_eval(cedar_policy_set_at(set, 1), &test_request, NULL, &arena, &error),
		CEDAR_NOT_SATISFIED);
	assert_int_equal(
		cedar_policy_eval(cedar_policy_set_at(set, 2), &test_request, NULL, &arena, &error),
		CEDAR_ERRED);
	assert_string_equal(error.code, "missing_entity");
	assert_true(cedar_policy_scope_matches(cedar_policy_set_at(set, 1), &test_request, NULL));
	cedar_policy_set_free(set);
}

/* Whatever the arena can hold, the answer is the right one or an error that denies. */
static void test_exhaustion_denies(void **state)
{
	struct cedar_policy_set *set =
		test_parse("forbid" ANY " when { [1, 2, 3] == [3, 2, 1] }; permit" ANY ";");
	bool was_exhausted = false;
	bool was_answered = false;

	(void)state;
	for (size_t max = 1; max < 8192; max += 16) {
		_cleanup_arena_ struct arena arena = ARENA_INIT(max);
		struct cedar_response r;
		int code = cedar_authorize(set, &test_request, NULL, &arena, &r);

		assert_false(r.allow);
		assert_true(code == 0 || code == -ENOMEM);
		was_exhausted = was_exhausted || code == -ENOMEM;
		was_answered = was_answered || code == 0;
	}
	assert_true(was_exhausted && was_answered);
	cedar_policy_set_free(set);
}

/* A forbid that only the depth limit stops must not be skipped. */
static void test_depth_limit_denies(void **state)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_policy_set *set = test_parse("permit" ANY "; forbid" ANY " when { true };");
	struct cedar_condition *c = &cedar_policy_set_at(set, 1)->conditions[0];
	struct cedar_response r;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		struct cedar_expr *e = arena_new(cedar_policy_set_arena(set), struct cedar_expr);

		e->kind = CEDAR_EXPR_NOT;
		e->left = c->body;
		c->body = e;
	}
	assert_int_equal(cedar_authorize(set, &test_request, NULL, &arena, &r), -EMSGSIZE);
	assert_false(r.allow);
	cedar_policy_set_free(set);
}

static void *decide_often(void *arg)
{
	const struct cedar_policy_set *set = arg;
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	size_t n_wrong = 0;

	for (size_t i = 0; i < 5000; i++) {
		struct cedar_response r;

		if (cedar_authorize(set, &test_request, NULL, &arena, &r) < 0 || !r.allow ||
		    r.n_reasons != 1 || r.n_errors != 1)
			n_wrong++;
		arena_reset(&arena);
	}
	return n_wrong ? arg : NULL;
}

static void test_threads_share_a_set(void **state)
{
	struct cedar_policy_set *set =
		test_parse("permit" ANY " when { [\"a\", \"b\"].containsAll([\"b\"]) };"
			   "permit" ANY " when { resource.x };");
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, decide_often, set), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	cedar_policy_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_policy_eval),
		cmocka_unit_test(test_exhaustion_denies),
		cmocka_unit_test(test_depth_limit_denies),
		cmocka_unit_test(test_threads_share_a_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
