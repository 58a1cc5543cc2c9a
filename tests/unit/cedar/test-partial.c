/* Partial evaluation: decisions, what is left, and completing it. */
#include <errno.h>

#include "base/limits.h"
#include "cedar-test.h"
#include "cedar/cedar-json.h"
#include "cedar/cedar-partial.h"

#define SCHEMA                                                                                     \
	"entity Role;\n"                                                                           \
	"entity User in [Role] = { name: String, level: Long, boss?: User } tags String;\n"        \
	"entity Dir in [Dir];\n"                                                                   \
	"entity File in [Dir] = { owner: User, public: Bool };\n"                                  \
	"action read appliesTo { principal: User, resource: File, context: { hour: Long, from: "   \
	"ipaddr } };\n"
#define ENTITIES                                                                                   \
	"[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":{\"name\":\"Alice\",\"level\":"  \
	"5},"                                                                                      \
	"\"parents\":[{\"type\":\"Role\",\"id\":\"admin\"}],\"tags\":{\"team\":\"red\"}},"         \
	"{\"uid\":{\"type\":\"Role\",\"id\":\"admin\"},\"attrs\":{},\"parents\":[]},"              \
	"{\"uid\":{\"type\":\"File\",\"id\":\"f\"},\"attrs\":{\"owner\":{\"type\":\"User\","       \
	"\"id\":\"alice\"},"                                                                       \
	"\"public\":false},\"parents\":[{\"type\":\"Dir\",\"id\":\"d\"}]},"                        \
	"{\"uid\":{\"type\":\"Dir\",\"id\":\"d\"},\"attrs\":{},\"parents\":[]}]"

struct fixture {
	struct arena arena;
	struct cedar_schema *schema;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_partial_request request;
	struct cedar_partial_response response;
	struct err err;
};

/* alice, known, reads some file; nothing is known of the context. */
static int evaluate(struct fixture *f, const char *policies)
{
	struct cedar_diagnostics diags = { 0 };
	struct cedar_partial_source source;

	*f = (struct fixture){ .request = {
				       .principal = { SPAN("User"), true, SPAN("alice") },
				       .action = { SPAN("Action"), SPAN("read") },
				       .resource = { SPAN("File"), false, { NULL, 0 } },
			       } };
	assert_int_equal(cedar_schema_parse(SPAN(SCHEMA), &diags, &f->schema), 0);
	assert_int_equal(cedar_entities_parse_json(SPAN(ENTITIES), f->schema, &diags, &f->entities),
			 0);
	f->set = test_parse(policies);
	source = cedar_partial_entities(f->entities);
	cedar_diagnostics_done(&diags);
	return cedar_partial_authorize(f->set, f->schema, &f->request, &source, &f->arena,
				       &f->response, &f->err);
}

static void done(struct fixture *f)
{
	cedar_entities_free(f->entities);
	cedar_policy_set_free(f->set);
	cedar_schema_free(f->schema);
	arena_done(&f->arena);
}

/* What is left of the condition. */
static void check_left(const char *condition, const char *wanted)
{
	_cleanup_buf_ struct buf policy = BUF_INIT(0);
	_cleanup_buf_ struct buf left = BUF_INIT(0);
	struct fixture f;
	int r;

	(void)buf_printf(&policy, "permit(principal, action, resource) when { %s };", condition);
	r = evaluate(&f, policy.data);
	if (r < 0)
		fail_msg("%s: %d %s", condition, r, f.err.text);
	assert_int_equal(f.response.n_residuals, 1);
	assert_int_equal(cedar_expr_print(f.response.residuals[0].condition, &left), 0);
	if (strcmp(left.data, wanted) != 0)
		fail_msg("%s\n  left:   %s\n  wanted: %s", condition, left.data, wanted);
	done(&f);
}

static void test_residuals(void **state)
{
	(void)state;
	check_left("principal.level > 3", "true");
	check_left("principal in Role::\"admin\"", "true");
	check_left("principal in Role::\"other\"", "false");
	check_left("principal has boss.boss", "false");
	check_left("principal.hasTag(\"team\") && principal.getTag(\"team\") == \"red\"", "true");
	check_left("principal.hasTag(\"x\")", "false");
	check_left("resource is File && principal.name like \"A*\"", "true");
	check_left("resource is Dir", "false");
	check_left("resource.public", "resource.public");
	check_left("resource.owner != principal", "!(resource.owner == User::\"alice\")");
	check_left("principal.level + context.hour >= 10", "!(5 + context.hour < 10)");
	check_left("context.from.isInRange(ip(\"10.0.0.0/8\"))",
		   "context.from.isInRange(ip(\"10.0.0.0/8\"))");
	check_left("resource in Dir::\"d\" && false", "false");
	check_left("resource.public && false", "resource.public && false");
	check_left("principal.level + 9223372036854775807 > 0 && resource.public", "error()");
	check_left("resource.public && principal.level + 9223372036854775807 > 0",
		   "resource.public && error()");
	check_left("[principal.level, context.hour].contains(5)", "[5, context.hour].contains(5)");
	check_left("User::\"bob\".level > 1", "!(User::\"bob\".level <= 1)");
	check_left("if resource.public then principal.level == 5 else principal.level == 6",
		   "if resource.public then true else false");
}

static void check_decision(const char *policies, enum cedar_partial_decision wanted)
{
	struct fixture f;

	assert_int_equal(evaluate(&f, policies), 0);
	if (f.response.decision != wanted)
		fail_msg("%s: decided %d", policies, (int)f.response.decision);
	done(&f);
}

#define PERMIT "permit(principal, action, resource)"
#define FORBID "forbid(principal, action, resource)"

static void test_decisions(void **state)
{
	(void)state;
	check_decision("", CEDAR_PARTIAL_DENY);
	check_decision(PERMIT ";", CEDAR_PARTIAL_ALLOW);
	check_decision(PERMIT ";" FORBID ";", CEDAR_PARTIAL_DENY);
	check_decision(PERMIT "when{resource.public};", CEDAR_PARTIAL_UNKNOWN);
	check_decision(PERMIT ";" FORBID "when{resource.public};", CEDAR_PARTIAL_UNKNOWN);
	check_decision(FORBID "when{resource.public};", CEDAR_PARTIAL_DENY);
	check_decision(PERMIT "when{principal.level == 1};" FORBID "when{resource.public};",
		       CEDAR_PARTIAL_DENY);
	check_decision(PERMIT ";" FORBID "when{principal.level + 9223372036854775807 > 0};",
		       CEDAR_PARTIAL_ALLOW);
	check_decision(PERMIT "when{resource.public};" PERMIT ";", CEDAR_PARTIAL_ALLOW);
}

static void test_completion(void **state)
{
	struct cedar_request whole = { .principal = { SPAN("User"), SPAN("alice") },
				       .action = { SPAN("Action"), SPAN("read") },
				       .resource = { SPAN("File"), SPAN("f") } };
	struct cedar_record_entry hour = { .key = SPAN("hour") };
	struct cedar_entity_source source;
	struct cedar_response response;
	struct fixture f;

	(void)state;
	assert_int_equal(evaluate(&f, PERMIT
				  "when{context.hour > 7 && resource.owner == principal};" FORBID
				  "when{resource.public};" FORBID
				  "when{context.hour + 9223372036854775807 > 0};"),
			 0);
	assert_int_equal(f.response.decision, CEDAR_PARTIAL_UNKNOWN);
	hour.value = cedar_value_long(&f.arena, 9);
	whole.context = cedar_value_record(&f.arena, &hour, 1);
	source = cedar_entities_source(f.entities);
	assert_int_equal(cedar_partial_complete(&f.response, &whole, &source, &f.arena, &response),
			 0);
	assert_true(response.allow);
	assert_int_equal(response.n_reasons, 1);
	assert_ptr_equal(response.reasons[0], cedar_policy_set_at(f.set, 0));
	assert_int_equal(response.n_errors, 1);
	assert_ptr_equal(response.errors[0].policy, cedar_policy_set_at(f.set, 2));
	done(&f);
}

static void test_refusals(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(evaluate(&f, PERMIT "when{principal.nam == \"x\"};"), -EINVAL);
	assert_non_null(strstr(f.err.text, "policy0"));
	done(&f);
	assert_int_equal(evaluate(&f, PERMIT ";"), 0);
	f.request.resource.type = SPAN("Dir");
	assert_int_equal(cedar_partial_authorize(f.set, f.schema, &f.request, NULL, &f.arena,
						 &f.response, &f.err),
			 -EINVAL);
	f.request.resource.type = SPAN("File");
	f.request.action.id = SPAN("write");
	assert_int_equal(cedar_partial_authorize(f.set, f.schema, &f.request, NULL, &f.arena,
						 &f.response, &f.err),
			 -EINVAL);
	done(&f);
}

/* Types decide each test, so each branch stands there twice, and twice in that again. */
static void test_shared_branches(void **state)
{
	_cleanup_buf_ struct buf policy = BUF_INIT(0);
	struct fixture f;

	(void)state;
	(void)buf_append_str(&policy, PERMIT "when{");
	for (size_t i = 0; i < 60; i++)
		(void)buf_append_str(&policy, "if resource.hasTag(\"x\") then true else ");
	(void)buf_append_str(&policy, "resource.public};");
	assert_int_equal(evaluate(&f, policy.data), -EMSGSIZE);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_residuals),	cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_completion),	cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_shared_branches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
