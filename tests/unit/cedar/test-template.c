/* Linking policies to templates, and taking them out again. */
#include <errno.h>

#include "cedar-test.h"
#include "cedar/cedar-template.h"

static const struct cedar_entity_uid alice = { SPAN("User"), SPAN("alice") };
static const struct cedar_entity_uid passwd = { SPAN("File"), SPAN("/etc/passwd") };

static struct cedar_policy_set *parse(void)
{
	return test_parse("permit(principal == ?principal, action, resource is File in ?resource);"
			  "permit(principal in ?principal, action, resource) when { 1 };"
			  "forbid(principal == User::\"eve\", action, resource);");
}

static void links_apply(void **state)
{
	const struct cedar_link link = { SPAN("policy0"), SPAN("link"), &alice, &passwd };
	const struct cedar_link erring = { SPAN("policy1"), SPAN("bad"), &alice, NULL };
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_policy_set *set = parse();
	struct cedar_policy *p = NULL;
	struct cedar_response response;

	(void)state;
	assert_int_equal(cedar_authorize(set, &test_request, NULL, &arena, &response), 0);
	assert_false(response.allow);
	assert_int_equal(cedar_policy_set_link(set, &link, &p, NULL), 0);
	assert_int_equal(cedar_policy_set_link(set, &erring, NULL, NULL), 0);
	assert_int_equal(cedar_policy_print(p, &out), 0);
	assert_string_equal(out.data, "permit(principal == User::\"alice\", action, "
				      "resource is File in File::\"/etc/passwd\");");
	assert_int_equal(cedar_authorize(set, &test_request, NULL, &arena, &response), 0);
	assert_true(response.allow);
	assert_int_equal(response.n_reasons, 1);
	assert_true(span_eq_str(response.reasons[0]->id, "link"));
	assert_int_equal(response.n_errors, 1);
	assert_true(span_eq_str(response.errors[0].policy->id, "bad"));
	cedar_policy_set_free(set);
}

static void assert_not_linked(struct cedar_policy_set *set, struct cedar_link link, int code,
			      const char *why)
{
	size_t n = cedar_policy_set_len(set);
	struct err err = { 0 };

	assert_int_equal(cedar_policy_set_link(set, &link, NULL, &err), code);
	assert_non_null(strstr(err.text, why));
	assert_int_equal(cedar_policy_set_len(set), n);
}

static void wrong_links_are_refused(void **state)
{
	struct cedar_policy_set *set = parse();
	struct span id = SPAN("link");

	(void)state;
	assert_not_linked(set, (struct cedar_link){ SPAN("x"), id, &alice, &passwd }, -ENOENT,
			  "no template `x`");
	assert_not_linked(set, (struct cedar_link){ SPAN("policy2"), id, NULL, NULL }, -EINVAL,
			  "not a template");
	assert_not_linked(set, (struct cedar_link){ SPAN("policy0"), id, &alice, NULL }, -EINVAL,
			  "?resource of the template `policy0` needs a value");
	assert_not_linked(set, (struct cedar_link){ SPAN("policy1"), id, &alice, &passwd }, -EINVAL,
			  "has no slot ?resource");
	assert_not_linked(set,
			  (struct cedar_link){ SPAN("policy1"), SPAN("policy2"), &alice, NULL },
			  -EEXIST, "used already");
	cedar_policy_set_free(set);
}

static void linked_policies_can_be_removed(void **state)
{
	const struct cedar_link link = { SPAN("policy1"), SPAN("link"), &alice, NULL };
	struct cedar_policy_set *set = parse();

	(void)state;
	assert_int_equal(cedar_policy_set_link(set, &link, NULL, NULL), 0);
	assert_int_equal(cedar_policy_set_unlink(set, SPAN("x"), NULL), -ENOENT);
	assert_int_equal(cedar_policy_set_unlink(set, SPAN("policy2"), NULL), -EINVAL);
	assert_int_equal(cedar_policy_set_remove(set, SPAN("policy1"), NULL), -EBUSY);
	assert_int_equal(cedar_policy_set_remove(set, SPAN("link"), NULL), -EINVAL);
	assert_int_equal(cedar_policy_set_unlink(set, SPAN("link"), NULL), 0);
	assert_int_equal(cedar_policy_set_unlink(set, SPAN("link"), NULL), -ENOENT);
	assert_int_equal(cedar_policy_set_remove(set, SPAN("policy1"), NULL), 0);
	assert_int_equal(cedar_policy_set_len(set), 2);
	assert_int_equal(cedar_policy_set_at(set, 1)->index, 1);
	assert_true(span_eq_str(cedar_policy_set_at(set, 1)->id, "policy2"));
	assert_int_equal(cedar_policy_set_link(set, &link, NULL, NULL), -ENOENT);
	cedar_policy_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_apply),
		cmocka_unit_test(wrong_links_are_refused),
		cmocka_unit_test(linked_policies_can_be_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
