/* Policies against leash's schema: what is valid, and what people are told about the rest. */
#include "fixture.h"

#include <errno.h>

#include "base/alloc.h"
#include "cedar/cedar-schema.h"
#include "policy/names.h"
#include "policy/own.h"
#include "policy/profile.h"

static struct cedar_schema *read_schema(void)
{
	struct cedar_diagnostics found = { 0 };
	struct cedar_schema *schema = NULL;

	assert_int_equal(cedar_schema_parse(policy_schema_text, &found, &schema), 0);
	assert_int_equal(found.len, 0);
	cedar_diagnostics_done(&found);
	return schema;
}

static const struct cedar_action_type *action_in(const struct cedar_schema *s, int action)
{
	const struct cedar_entity_uid uid = { SPAN("Action"), span_of(action_index_name(action)) };

	return cedar_schema_action(s, uid);
}

static void the_schema_has_the_action_tree(void **state)
{
	struct cedar_schema *schema = read_schema();

	(void)state;
	assert_int_equal(schema->n_actions, N_ACTIONS);
	for (int a = 0; a < N_ACTIONS; a++) {
		const struct cedar_action_type *type = action_in(schema, a);
		size_t n_above = 0;

		assert_non_null(type);
		for (int b = 0; b < N_ACTIONS; b++)
			n_above += action_is_below(a, b);
		assert_int_equal(type->n_ancestors, n_above);
		for (size_t i = 0; i < type->n_ancestors; i++)
			assert_true(action_is_below(a, action_index(type->ancestors[i]->uid.id)));
		assert_int_equal(type->n_resources, a == ACTION_FILE_OPEN ? 0 : 1);
	}
	cedar_schema_free(schema);
}

static bool is_in_some_context(const struct cedar_schema *s, struct span key)
{
	for (int a = 0; a < N_ACTIONS; a++)
		if (cedar_type_attribute(action_in(s, a)->context, key))
			return true;
	return false;
}

static void every_context_key_is_in_the_schema_and_no_other(void **state)
{
	struct cedar_schema *schema = read_schema();

	(void)state;
	for (enum context_key k = 0; k < N_CONTEXT_KEYS; k++)
		assert_true(is_in_some_context(schema, context_key_name(k)));
	for (int a = 0; a < N_ACTIONS; a++) {
		const struct cedar_type *context = action_in(schema, a)->context;

		for (size_t i = 0; i < context->n_attributes; i++)
			assert_true(context_key_index(context->attributes[i].name) >= 0 ||
				    context_key_is_planned(context->attributes[i].name));
	}
	cedar_schema_free(schema);
}

/* The built-in texts are not validated when a session starts: here they are. */
static void expect_valid(struct fixture *f, struct span text)
{
	_cleanup_free_ char *copy = xmemdup0(text.p, text.len);
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct policy_findings found = { 0 };
	struct err err = { 0 };

	policy_source_collect(s, &found);
	if (policy_source_add_text(s, POLICY_LAYER_USER, "built-in", text, false, &report, &err) <
	    0)
		fail_msg("%s\n%s", report.data, copy);
	/* They name usual places, which may be links or missing here. */
	for (size_t i = 0; i < found.len; i++)
		if (strcmp(found.items[i].code, "path_resolved") != 0 &&
		    strcmp(found.items[i].code, "path_missing") != 0 &&
		    strcmp(found.items[i].code, "equals_group") != 0)
			fail_msg("%s: %s", found.items[i].code, found.items[i].message);
	policy_findings_done(&found);
	policy_source_free(s);
}

static void the_profiles_are_valid(void **state)
{
	for (size_t i = 0; i < n_profiles; i++)
		expect_valid(*state, profiles[i].text);
}

static void what_leash_writes_is_valid(void **state)
{
	struct fixture *f = *state;
	const char *const own[] = { "/srv/leash", "/home/x/.config/leash", NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	f->env.own_paths = own;
	f->env.policy_file = "/srv/policy.cedar";
	make_dir(f, "$W/.git/hooks");
	make_file(f, "$W/.git/config", "[include]\n\tpath = ../more\n");
	make_file(f, "$W/sub/.git", "gitdir: ../.git/worktrees/sub\n");
	make_file(f, "$W/.git/worktrees/sub/gitdir", "$W/sub/.git\n");
	make_file(f, "$W/.git/worktrees/sub/commondir", "../..\n");
	assert_int_equal(own_rules_text(&f->env, &text), 0);
	expect_valid(f, buf_span(&text));
	buf_reset(&text);
	assert_int_equal(git_rules_text(&f->env, &text), 0);
	assert_true(text.len > 0);
	expect_valid(f, buf_span(&text));
}

/* ---- Reports -------------------------------------------------------------------- */

static void expect(struct fixture *f, const char *text, const char *wanted)
{
	_cleanup_free_ char *report = NULL;
	int r;

	report = report_of(f, POLICY_LAYER_USER, text, &r);
	assert_string_equal(report, wanted);
	assert_int_equal(r, strstr(wanted, "error: ") ? -EINVAL : 0);
}

#define FILES "(principal, action == Action::\"FileCreate\", resource)"
#define CONNECT_TO "(principal, action in Action::\"NetworkConnect\", resource)"

static void valid_policies(void **state)
{
	static const char *const texts[] = {
		"permit " CONNECT_TO " when { context.port == 443 };",
		"permit " CONNECT_TO " when { context.ip.isInRange(ip(\"10.0.0.0/8\")) };",
		"permit " CONNECT_TO " when { resource.name like \"*.a.b\" };",
		"forbid " CONNECT_TO " when { context has port && context.port == 25 };",
		"forbid " CONNECT_TO " when { context has hostname && context.hostname == \"a\" };",
		"permit (principal, action, resource) when { resource in [Dir::\"/\", "
		"File::\"/usr\", Host::\"*\", IpRange::\"10.0.0.0/8\", MCP::Tool::\"x\"] };",
		"forbid (principal, action, resource) when { resource has path && "
		"resource.path like \"*/.env\" };",
		"forbid (principal, action == Action::\"ProcessExec\", resource) when { "
		"context.argv.containsAll([\"-r\", \"-f\"]) || context.args like \"*sudo*\" };",
		"forbid " FILES " when { context.now > datetime(\"2030-01-01\") || "
		"context.ancestors.contains(\"/usr/bin/make\") };",
		"forbid (principal, action == Action::\"McpCall\", resource) unless { context has "
		"ip && context.ip.isLoopback() };",
		"permit (principal == Agent::\"x\", action == Action::\"McpCall\", resource in "
		"MCP::Server::\"s\") when { context.tool != \"delete\" && !(context has port) };",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *report = NULL;
		int r;

		report = report_of(*state, POLICY_LAYER_USER, texts[i], &r);
		if (r != 0 || strstr(report, "impossible"))
			fail_msg("%s", report);
	}
}

static void a_wrong_type(void **state)
{
	expect(*state, "@id(\"odd\")\nforbid " FILES " when {\n\tresource.path < 3\n};",
	       "test.cedar:3:2: error: only Long, datetime and duration have an order, but this is "
	       "String [unexpected_type, user:odd]\n"
	       "     resource.path < 3\n"
	       "     ^^^^^^^^^^^^^\n");
}

static void an_attribute_of_other_resources(void **state)
{
	expect(*state,
	       "forbid (principal, action, resource) when { resource.path like \"*/.env\" };",
	       "test.cedar:1:45: error: there is no resource.path where the resource is a Host or "
	       "MCP::Tool [unknown_attribute, user:policy0]\n"
	       "    forbid (principal, action, resource) when { resource.path like \"*/.env\" };\n"
	       "                                                ^^^^^^^^^^^^^\n"
	       "    help: write `resource is File` in the scope, or name the actions that are "
	       "meant\n");
}

static void a_fact_of_other_actions(void **state)
{
	expect(*state,
	       "forbid (principal, action in [Action::\"FileOpenReadOnly\", "
	       "Action::\"ProcessExec\"], "
	       "resource)\nwhen { context.argv.contains(\"-rf\") };",
	       "test.cedar:2:8: error: there is no context.argv for FileOpenReadOnly "
	       "[unknown_attribute, user:policy0]\n"
	       "    when { context.argv.contains(\"-rf\") };\n"
	       "           ^^^^^^^^^^^^\n"
	       "    help: name the actions that are meant, or ask `context has argv` first\n");
}

static void a_fact_that_may_be_missing(void **state)
{
	expect(*state, "permit " CONNECT_TO "\nwhen { context.hostname like \"*.a\" };",
	       "test.cedar:2:8: error: context.hostname may be missing [optional_attribute, "
	       "user:policy0]\n"
	       "    when { context.hostname like \"*.a\" };\n"
	       "           ^^^^^^^^^^^^^^^^\n"
	       "    help: ask first: context has hostname && context.hostname ...\n");
}

static void facts_that_pipes_lack(void **state)
{
	/* A permit that errs for a tool on a pipe does not apply there, which is as it should be.
	 */
	expect(*state, "permit " CONNECT_TO "\nwhen { context.port == 443 };", "");
	expect(*state, "forbid " CONNECT_TO "\nunless { context.port == 443 };",
	       "test.cedar:2:10: warning: calls to MCP servers on a pipe have no such fact: there "
	       "this forbid errs, and so denies [mcp_fact_missing, user:policy0]\n"
	       "    unless { context.port == 443 };\n"
	       "             ^^^^^^^^^^^^\n"
	       "    help: ask for it first with `has`, or name the actions that are meant\n");
	expect(*state,
	       "permit (principal, action == Action::\"McpCall\", resource)\nwhen { context.port "
	       "== "
	       "443 };",
	       "test.cedar:2:8: error: context.port may be missing [optional_attribute, "
	       "user:policy0]\n"
	       "    when { context.port == 443 };\n"
	       "           ^^^^^^^^^^^^\n"
	       "    help: ask first: context has port && context.port ...\n");
}

static void a_policy_that_can_never_apply(void **state)
{
	expect(*state, "permit " FILES "\nwhen { resource is Dir };",
	       "test.cedar:1:1: warning: this policy can never apply: its conditions are always "
	       "false [impossible_policy, user:policy0]\n"
	       "    permit " FILES "\n"
	       "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n");
}

static void one_mistake_is_reported_once(void **state)
{
	/* As unknown it cannot be validated, and that it errs says more than that it is not known
	 * yet. */
	expect(*state, "permit " FILES " when { context.exee == 3 };",
	       "test.cedar:1:69: error: unknown context key \"exee\" [unknown_context_key, "
	       "user:policy0]\n"
	       "    permit " FILES " when { context.exee == 3 };\n"
	       "                                                                        "
	       "^^^^^^^^^^^^\n"
	       "    help: did you mean context.exe?\n");
	expect(*state, "permit " FILES " when { context.method == \"x\" };",
	       "test.cedar:1:69: error: there is no context.method for FileCreate "
	       "[unknown_attribute, user:policy0]\n"
	       "    permit " FILES " when { context.method == \"x\" };\n"
	       "                                                                        "
	       "^^^^^^^^^^^^^^\n"
	       "    help: name the actions that are meant, or ask `context has method` first\n");
}

static void positions_are_those_of_the_text(void **state)
{
	/* Reading puts placeholders and further names into the tree; places stay. */
	expect(*state,
	       "permit " FILES
	       "\nwhen {\n    resource in [Dir::\"${WORKSPACE}/\", File::\"~/x\"] &&\n"
	       "    resource == File::\"~/y\" && (1 + 1 == \"2\") };",
	       "test.cedar:4:33: error: both sides of `==` must have one type, but these are Long "
	       "and "
	       "String [incompatible_types, user:policy0]\n"
	       "        resource == File::\"~/y\" && (1 + 1 == \"2\") };\n"
	       "                                    ^^^^^^^^^^^^\n");
}

static void findings_as_data(void **state)
{
	struct fixture *f = *state;
	struct policy_source *s = policy_source_new(&f->env);
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_findings found = { 0 };

	policy_source_collect(s, &found);
	assert_int_equal(policy_source_add_text(s, POLICY_LAYER_FILE, "p.cedar",
						SPAN("\n@id(\"x\") permit " FILES
						     " when { context.exee == \"\" };"),
						false, &report, NULL),
			 -EINVAL);
	assert_int_equal(found.len, 1);
	assert_true(found.items[0].is_error);
	assert_string_equal(found.items[0].code, "unknown_context_key");
	assert_string_equal(found.items[0].policy, "file:x");
	assert_string_equal(found.items[0].file, "p.cedar");
	assert_int_equal(found.items[0].line, 2);
	assert_int_equal(found.items[0].end_line, 2);
	assert_int_equal(found.items[0].end_column - found.items[0].column, 12);
	assert_string_equal(found.items[0].suggestion, "did you mean context.exe?");
	policy_findings_done(&found);
	policy_source_free(s);
}

static void hostile_texts_are_reported_in_bounds(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *report = NULL;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < 20000; i++)
		(void)buf_append_str(&text,
				     "@id(\"same\") permit (principal, action == Action::\"x\", "
				     "resource);\n");
	report = report_of(*state, POLICY_LAYER_USER, text.data, &r);
	assert_int_equal(r, -EINVAL);
	for (const char *at = report; (at = strstr(at, "error: ")); at++)
		n++;
	assert_int_equal(n, 100);
	assert_non_null(
		strstr(report, "test.cedar: more than 100 errors: the rest was not read\n"));
	assert_non_null(strstr(report, "user:same#2]"));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_schema_has_the_action_tree),
		TEST(every_context_key_is_in_the_schema_and_no_other),
		TEST(the_profiles_are_valid),
		TEST(what_leash_writes_is_valid),
		TEST(valid_policies),
		TEST(a_wrong_type),
		TEST(an_attribute_of_other_resources),
		TEST(a_fact_of_other_actions),
		TEST(a_fact_that_may_be_missing),
		TEST(facts_that_pipes_lack),
		TEST(a_policy_that_can_never_apply),
		TEST(one_mistake_is_reported_once),
		TEST(positions_are_those_of_the_text),
		TEST(findings_as_data),
		TEST(hostile_texts_are_reported_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
