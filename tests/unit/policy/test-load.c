/* What people are told about the policies they write. */
#include "fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

static void expect_report(struct fixture *f, const char *text, int code, const char *wanted)
{
	_cleanup_free_ char *report = NULL;
	int r;

	report = report_of(f, POLICY_LAYER_USER, text, &r);
	assert_int_equal(r, code);
	assert_string_equal(report, wanted);
}

/* The findings' first lines, without position, joined by '|'. */
static void expect_findings(struct fixture *f, const char *text, const char *wanted)
{
	_cleanup_buf_ struct buf heads = BUF_INIT(0);
	_cleanup_free_ char *report = NULL;
	char *line, *rest;
	int r;

	report = report_of(f, POLICY_LAYER_USER, text, &r);
	(void)buf_append_str(&heads, "");
	for (line = report; line && *line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = 0;
		if (strncmp(line, "test.cedar:", 11) != 0)
			continue;
		line = strstr(line, ": ") + 2;
		/* The policies' ids are counted up; another test looks at one. */
		if (strrchr(line, ',') > strrchr(line, '['))
			memcpy(strrchr(line, ','), "]", 2);
		(void)buf_printf(&heads, "%s%s", heads.len ? "|" : "", line);
	}
	assert_string_equal(heads.data, wanted);
	assert_int_equal(r, strstr(wanted, "error: ") ? -EINVAL : 0);
}

static void a_missing_comma(void **state)
{
	expect_report(*state, "permit (principal action, resource);", -EINVAL,
		      "test.cedar:1:19: error: unexpected token `action`, expected `,` "
		      "[unexpected_token]\n"
		      "    permit (principal action, resource);\n"
		      "                      ^^^^^^\n");
}

static void an_unknown_action(void **state)
{
	expect_report(*state,
		      "permit (principal,\n"
		      "        action == Action::\"FileOpenReadonly\",\n"
		      "        resource);",
		      -EINVAL,
		      "test.cedar:2:19: error: unknown action \"FileOpenReadonly\" "
		      "[unknown_action, user:policy0]\n"
		      "            action == Action::\"FileOpenReadonly\",\n"
		      "                      ^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
		      "    help: did you mean Action::\"FileOpenReadOnly\"?\n");
}

static void every_finding_is_reported(void **state)
{
	expect_findings(*state,
			"permit (principal, action == Action::\"FileOpn\", resource);\n"
			"permit (principal, action, resource in Dirr::\"/x\");\n"
			"permit (principal, action, resource) when { context.exee == \"/x\" };\n"
			"permit (principal, action, resource) when { resource.paht like \"/x\" };\n"
			"permit (principal, action, resource in Dir::\"src\");\n"
			"permit (principal, action, resource in Dir::\"${HOEM}/src\");\n"
			"permit (principal, action, resource in Host::\"https://example.com/\");\n"
			"permit (principal, action, resource in IpRange::\"10.0.0.0/40\");\n"
			"permit (principal, action, resource) when { "
			"context.ip.isInRange(ip(\"10.0.0\")) };\n"
			"permit (principal == ?principal, action, resource);\n",
			"error: unknown action \"FileOpn\" [unknown_action]|"
			"error: unknown entity type Dirr [unknown_entity_type]|"
			"error: unknown context key \"exee\" [unknown_context_key]|"
			"error: unknown attribute \"paht\" of resource [unknown_attribute]|"
			"error: \"src\" is no absolute path [relative_path]|"
			"error: unknown placeholder in \"${HOEM}/src\" [unknown_placeholder]|"
			"error: \"https://example.com/\" is no host [bad_host]|"
			"error: \"10.0.0.0/40\" is no range of addresses [bad_ip_range]|"
			"error: \"10.0.0\" is no address [bad_ip]|"
			"error: templates are not linked here [template]");
}

static void suggestions(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "permit (principal, action, resource in Dirr::\"/x\");", "did you mean Dir?" },
		{ "permit (principal, action, resource) when { context.host == \"x\" };",
		  "context.hostname" },
		{ "permit (principal, action, resource in Dir::\"src\");", "${WORKSPACE}/src" },
		{ "permit (principal, action, resource == Host::\"10.0.0.0/8\");",
		  "IpRange::\"10.0.0.0/8\"" },
		{ "permit (principal, action, resource == Host::\"b\303\274cher.example\");",
		  "xn--" },
		{ "permit (principal, action == Action::\"ProcessExce\", resource);",
		  "ProcessExec" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *report = NULL;
		int r;

		report = report_of(f, POLICY_LAYER_USER, cases[i].text, &r);
		assert_int_equal(r, -EINVAL);
		if (!strstr(report, cases[i].wanted))
			fail_msg("%s", report);
	}
}

static void readings_are_noted(void **state)
{
	expect_findings(*state, "permit (principal, action == Action::\"FileOpen\", resource);",
			"warning: Action::\"FileOpen\" has members: read as \"in\" [equals_group]");
	expect_findings(
		*state, "permit (principal, action, resource == Host::\"a.b\");",
		"warning: Host::\"a.b\" stands for what is in it: read as \"in\" [equals_group]");
	expect_findings(*state, "permit (principal == User::\"x\", action, resource);",
			"warning: User is read as Agent: the principal is the agent that runs "
			"[user_is_agent]");
	expect_findings(*state, "permit (principal, action in Action::\"HttpRewrite\", resource);",
			"warning: HttpRewrite needs a host: resource == Host::\"api.example.com\" "
			"[not_carried_out]");
	expect_findings(*state,
			"permit (principal, action == Action::\"FileOpenReadOnly\", "
			"resource in Dir::\"/usr\") unless { context.comm == \"x\" };",
			"");
}

static void what_can_never_apply_is_an_error(void **state)
{
	expect_findings(
		*state,
		"forbid (principal, action in Action::\"FileOpen\", resource in Host::\"a\");",
		"error: no action of this policy is about a Host: it could never apply "
		"[resource_mismatch]");
	expect_findings(*state,
			"forbid (principal, action in Action::\"NetworkConnect\", resource in "
			"Dir::\"/a\");",
			"error: no action of this policy is about a Dir: it could never apply "
			"[resource_mismatch]");
}

static void links_on_the_way_are_noted(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = path_join(f->workspace, "link");
	_cleanup_free_ char *report = NULL;
	int r;

	make_dir(f, "$W/target");
	assert_int_equal(symlink("target", link), 0);
	report = report_of(f, POLICY_LAYER_USER,
			   "permit (principal, action, resource in Dir::\"${WORKSPACE}/link/\");",
			   &r);
	assert_int_equal(r, 0);
	assert_non_null(strstr(report, "/link/ is "));
}

static void a_permit_does_not_follow_links_out_of_the_workspace(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = path_join(f->workspace, "build");

	assert_int_equal(symlink("/etc", link), 0);
	for (int i = 0; i < 4; i++) {
		static const char *const texts[] = {
			"permit (principal, action, resource in Dir::\"${WORKSPACE}/build\");",
			"permit (principal, action, resource) when { resource.path like "
			"\"${WORKSPACE}/build/*\" };",
			"permit (principal, action, resource == "
			"File::\"${WORKSPACE}/build/passwd\");",
			"forbid (principal, action, resource in Dir::\"${WORKSPACE}/build\");",
		};
		_cleanup_free_ char *report = NULL;
		int r;

		report = report_of(f, POLICY_LAYER_USER, texts[i], &r);
		assert_int_equal(r, i < 3 ? -EINVAL : 0);
		assert_non_null(
			strstr(report, i < 3 ? "leads out of the workspace" : " is /etc here"));
	}
}

static void a_project_may_only_forbid(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);

	assert_int_equal(policy_source_add_text(s, POLICY_LAYER_PROJECT, "p.cedar",
						SPAN("permit (principal, action, resource);\n"
						     "forbid (principal, action, resource);"),
						false, &report, NULL),
			 0);
	assert_int_equal(policy_source_len(s), 1);
	assert_non_null(
		strstr(report.data, "p.cedar:1:1: warning: a project's policy may only forbid"));
	policy_source_free(s);
}

static void an_empty_file(void **state)
{
	struct fixture *f = *state;
	static const char *const empty[] = { "", "// nothing here\n", "\n\n" };
	_cleanup_free_ char *path = path_join(f->root, "empty.cedar");

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		_cleanup_buf_ struct buf report = BUF_INIT(0);
		struct policy_source *s = policy_source_new(&f->env);
		struct err err = { 0 };

		make_file(f, path, empty[i]);
		assert_int_equal(
			policy_source_add_file(s, POLICY_LAYER_FILE, path, false, &report, &err),
			-EINVAL);
		assert_non_null(strstr(err.text, "holds no policy"));
		assert_non_null(strstr(report.data, "forbid (principal, action, resource);"));
		policy_source_free(s);
	}
}

static void a_missing_file(void **state)
{
	struct fixture *f = *state;
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };

	assert_int_equal(policy_source_add_file(s, POLICY_LAYER_FILE, "/nonexistent.cedar", false,
						NULL, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent.cedar"));
	policy_source_free(s);
}

static void ids_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct policy_decision d;

	use_text(f, "@id(\"a\") permit (principal, action, resource);"
		    "@id(\"a\") permit (principal, action, resource);"
		    "permit (principal, action, resource);"
		    "@id(\"policy2\") permit (principal, action, resource);");
	d = decide_file(f, READ, "/x");
	assert_int_equal(d.n_reasons, 4);
	assert_string_equal(d.reasons[0], "file:a");
	assert_string_equal(d.reasons[1], "file:a#2");
	assert_string_equal(d.reasons[2], "file:policy2");
	assert_string_equal(d.reasons[3], "file:policy2#2");
}

static void nesting_is_bounded(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *report = NULL;
	int r;

	(void)buf_append_str(&text, "permit (principal, action, resource) when { ");
	for (int i = 0; i < 100000; i++)
		(void)buf_append_char(&text, '(');
	report = report_of(f, POLICY_LAYER_USER, text.data, &r);
	assert_int_equal(r, -EINVAL);
	assert_true(strlen(report) > 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_missing_comma),
		TEST(an_unknown_action),
		TEST(every_finding_is_reported),
		TEST(suggestions),
		TEST(readings_are_noted),
		TEST(what_can_never_apply_is_an_error),
		TEST(links_on_the_way_are_noted),
		TEST(a_permit_does_not_follow_links_out_of_the_workspace),
		TEST(a_project_may_only_forbid),
		TEST(an_empty_file),
		TEST(a_missing_file),
		TEST(ids_are_told_apart),
		TEST(nesting_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
