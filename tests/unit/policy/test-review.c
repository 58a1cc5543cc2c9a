/* What people are told about policies that are valid and yet perhaps not what they meant. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"

/* What reading and reviewing the text reports, beside the profile where one is named. */
static char *review(struct fixture *f, const char *profile, const char *text)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	_cleanup_free_ char *filled = fill_in(f, text);
	struct policy_report *reports = NULL;
	struct policy_source *s;
	struct err err = { 0 };
	size_t n_reports = 0;

	f->env.profile = profile;
	s = policy_source_new(&f->env);
	if (profile && policy_source_add_builtin(s, /* with_profile = */ true, &err) < 0)
		fail_msg("%s", err.text);
	if (policy_source_add_text(s, POLICY_LAYER_USER, "my.cedar", span_of(filled), false,
				   &report, &err) < 0)
		fail_msg("%s\n%s", err.text, report.data);
	if (policy_source_report(s, &reports, &n_reports, &err) < 0 ||
	    policy_source_review(s, reports, false, &report, &err) < 0)
		fail_msg("%s", err.text);
	policy_reports_free(reports, n_reports);
	policy_source_free(s);
	(void)buf_append_str(&report, "");
	return buf_take(&report);
}

static void expect_with(struct fixture *f, const char *profile, const char *text,
			const char *wanted)
{
	_cleanup_free_ char *report = review(f, profile, text);
	_cleanup_free_ char *filled = fill_in(f, wanted);

	assert_string_equal(report, filled);
}

static void expect(struct fixture *f, const char *text, const char *wanted)
{
	expect_with(f, NULL, text, wanted);
}

/* ---- Each code -------------------------------------------------------------------- */

static void impossible_policy(void **state)
{
	expect(*state,
	       "@id(\"both\")\npermit (principal, action in Action::\"FileOpen\", resource == "
	       "File::\"/etc/passwd\")\nwhen { resource in Dir::\"/usr/\" };",
	       "my.cedar:1:1: warning: this policy can never apply here: what never holds is "
	       "resource in "
	       "Dir::\"/usr/\" [impossible_policy, user:both]\n"
	       "    @id(\"both\")\n"
	       "    ^^^^^^^^^^^\n");
	/* Somebody else's policies are no mistake. */
	expect(*state,
	       "permit (principal == Agent::\"codex\", action, resource in Dir::\"/usr/\");", "");
}

static void duplicate_policy(void **state)
{
	expect(*state,
	       "permit (principal, action in Action::\"FileOpen\", resource in Dir::\"/usr/\");\n"
	       "@id(\"again\") permit (principal, action in [Action::\"FileOpen\"], resource) when "
	       "{ "
	       "resource in Dir::\"/usr\" };",
	       "my.cedar:2:1: warning: this policy says the same as user:policy0 (line 1 of "
	       "my.cedar) [duplicate_policy, user:again]\n"
	       "    @id(\"again\") permit (principal, action in [Action::\"FileOpen\"], resource) "
	       "when { resource in Dir::\"/usr\" };\n"
	       "    "
	       "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
	       "^^^^^^^^^^^^^^^^^^^^^^^^\n");
}

static void shadowed_policy(void **state)
{
	expect(*state,
	       "permit (principal, action == Action::\"ProcessExec\",\n"
	       "        resource == File::\"/usr/bin/env\") when { context.comm == \"sh\" };\n"
	       "permit (principal, action, resource in Dir::\"/usr/\");",
	       "my.cedar:1:1: warning: this policy changes nothing: user:policy1 (line 3 of "
	       "my.cedar) "
	       "permits all of it [shadowed_policy, user:policy0]\n"
	       "    permit (principal, action == Action::\"ProcessExec\",\n"
	       "    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
	       "    help: to narrow what is allowed, write a forbid\n");
}

static void a_permit_beside_the_profile(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *report =
		review(f, "guarded",
		       "permit (principal, action in Action::\"NetworkConnect\", resource == "
		       "Host::\"api.example.com:443\");");

	assert_non_null(strstr(report, "this policy changes nothing: profile:connect (line "));
	assert_non_null(
		strstr(report, " of profile guarded) permits all of it [shadowed_policy, "));
}

static void swallowed_permit(void **state)
{
	expect(*state,
	       "@id(\"net\") forbid (principal, action in Action::\"NetworkConnect\", resource);\n"
	       "@id(\"api\") permit (principal, action in Action::\"NetworkConnect\", resource == "
	       "Host::\"a.b:443\");",
	       "my.cedar:2:1: warning: this permit allows nothing: user:net (line 1 of my.cedar) "
	       "forbids all of it [swallowed_permit, user:api]\n"
	       "    @id(\"api\") permit (principal, action in Action::\"NetworkConnect\", resource "
	       "== "
	       "Host::\"a.b:443\");\n"
	       "    "
	       "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
	       "^^^^^^^^^^^^\n"
	       "    help: exclude something from the forbid with unless, or delete the permit\n");
}

static void path_missing(void **state)
{
	struct fixture *f = *state;

	make_dir(f, "$W/src");
	expect(f,
	       "permit (principal, action == Action::\"FileOpenReadOnly\", resource in "
	       "Dir::\"${WORKSPACE}/scr/\");",
	       "my.cedar:1:70: warning: $W/scr does not exist [path_missing, user:policy0]\n"
	       "    permit (principal, action == Action::\"FileOpenReadOnly\", resource in "
	       "Dir::\"${WORKSPACE}/scr/\");\n"
	       "                                                                         "
	       "^^^^^^^^^^^^^^^^^^^^^^^^\n");
	/* What does not exist yet can be forbidden, and made. */
	expect(f,
	       "forbid (principal, action in Action::\"FileOpen\", resource in "
	       "Dir::\"${WORKSPACE}/scr/\");",
	       "");
	expect(f,
	       "permit (principal, action in Action::\"FileOpenReadWrite\", resource == "
	       "File::\"${WORKSPACE}/new\");",
	       "");
	expect(f,
	       "forbid (principal, action in Action::\"FileOpen\", resource == "
	       "File::\"${WORKSPACE}/scr/x\");",
	       "my.cedar:1:62: warning: $W/scr/x does not exist [path_missing, user:policy0]\n"
	       "    forbid (principal, action in Action::\"FileOpen\", resource == "
	       "File::\"${WORKSPACE}/scr/x\");\n"
	       "                                                                 "
	       "^^^^^^^^^^^^^^^^^^^^^^^^^^\n");
}

static void bad_tls(void **state)
{
	struct fixture *f = *state;
	int code = 0;
	char *report =
		report_of(f, POLICY_LAYER_FILE,
			  "@tls(\"pass\") permit (principal, action == Action::\"NetworkConnect\", "
			  "resource == Host::\"a.example.com\");",
			  &code);

	assert_int_equal(code, -EINVAL);
	assert_non_null(strstr(report, "[bad_tls, file:policy0]"));
	xfree(report);
	report = report_of(f, POLICY_LAYER_FILE,
			   "@tls(\"passthrough\") forbid (principal, action == "
			   "Action::\"NetworkConnect\", resource == Host::\"a.example.com\");",
			   &code);
	assert_int_equal(code, 0);
	assert_non_null(strstr(report, "warning: @tls on a forbid changes nothing"));
	xfree(report);
}

static void wide_wildcard(void **state)
{
	struct fixture *f = *state;

	expect(f,
	       "permit (principal, action in Action::\"NetworkConnect\", resource in "
	       "Host::\"*.co.uk\");",
	       "my.cedar:1:68: warning: co.uk is a public suffix: anyone can have a name below it "
	       "[wide_wildcard, user:policy0]\n"
	       "    permit (principal, action in Action::\"NetworkConnect\", resource in "
	       "Host::\"*.co.uk\");\n"
	       "                                                                       "
	       "^^^^^^^^^^^^^^^\n"
	       "    help: name the domain, as in Host::\"*.example.co.uk\"\n");
	expect(f,
	       "forbid (principal, action in Action::\"NetworkConnect\", resource) unless { "
	       "resource in DnsZone::\"github.io\" };",
	       "my.cedar:1:87: warning: github.io is a public suffix: anyone can have a name below "
	       "it [wide_wildcard, user:policy0]\n"
	       "    forbid (principal, action in Action::\"NetworkConnect\", resource) unless { "
	       "resource in DnsZone::\"github.io\" };\n"
	       "                                                                                   "
	       "       ^^^^^^^^^^^^^^^^^^^^\n"
	       "    help: name the domain, as in DnsZone::\"example.github.io\"\n");
	/* A forbid may be wide, and so may what a permit leaves out; a private name is one's own.
	 */
	expect(f,
	       "forbid (principal, action in Action::\"NetworkConnect\", resource in "
	       "Host::\"*.zip\");",
	       "");
	expect(f,
	       "permit (principal, action in Action::\"NetworkConnect\", resource) unless { "
	       "resource in Host::\"*.zip\" };",
	       "");
	expect(f,
	       "permit (principal, action in Action::\"NetworkConnect\", resource in "
	       "Host::\"*.internal\");",
	       "");
	expect(f,
	       "permit (principal, action in Action::\"NetworkConnect\", resource in "
	       "Host::\"*.example.co.uk\");",
	       "");
}

static void mcp_permit_redundant(void **state)
{
	static const char permit[] = "@id(\"search\") permit (principal, action == "
				     "Action::\"McpCall\", resource == MCP::Tool::\"search\");";
	static const char forbid[] =
		"forbid (principal, action == Action::\"McpCall\", resource in "
		"MCP::Server::\"s\") unless { resource == MCP::Tool::\"search\" };";
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)buf_printf(&text,
			 "permit (principal, action in Action::\"NetworkConnect\", resource);\n%s",
			 permit);
	expect(*state, text.data,
	       "my.cedar:2:1: warning: this permit takes no other tool away: user:policy0 (line 1 "
	       "of "
	       "my.cedar) allows them [mcp_permit_redundant, user:search]\n"
	       "    @id(\"search\") permit (principal, action == Action::\"McpCall\", resource == "
	       "MCP::Tool::\"search\");\n"
	       "    "
	       "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"
	       "^^^^^^^^^^^^\n"
	       "    help: to allow only these, write: forbid (principal, action == "
	       "Action::\"McpCall\", resource in MCP::Server::\"...\") unless { resource == "
	       "MCP::Tool::\"search\" };\n");
	/* Alone it allows this tool and no other. */
	expect(*state, permit, "");
	buf_reset(&text);
	(void)buf_printf(&text,
			 "permit (principal, action in Action::\"HttpRequest\", resource in "
			 "Host::\"a.b\");\n%s",
			 forbid);
	expect(*state, text.data, "");
}

/* ---- Which policies cover which ----------------------------------------------------- */

#define OPEN(rest) "permit (principal, action in Action::\"FileOpen\", resource" rest ";\n"
#define CONNECT(rest) "permit (principal, action in Action::\"NetworkConnect\", resource" rest ";\n"

static void covering(void **state)
{
	static const struct {
		const char *text;
		const char *code; /* of the first policy; NULL: none */
	} cases[] = {
		{ OPEN(" == File::\"/usr/bin/env\")") OPEN(" in Dir::\"/usr/bin/\")"),
		  "shadowed_policy" },
		{ OPEN(" in Dir::\"/usr/bin/\")") OPEN(" == File::\"/usr/bin/env\")"), NULL },
		{ OPEN(" in Dir::\"/usr/bin/\")") OPEN(" in Dir::\"/usr/lib/\")"), NULL },
		/* The directory's own name is in it only while it is one. */
		{ OPEN(" == File::\"/usr\")") OPEN(" in Dir::\"/usr/\")"), NULL },
		{ OPEN(") when { resource in [Dir::\"/usr/bin/\", Dir::\"/usr/lib/\"] }")
			  OPEN(") when { resource in Dir::\"/usr/\" }"),
		  "shadowed_policy" },
		{ OPEN(") when { resource in [Dir::\"/usr/bin/\", Dir::\"/etc/\"] }")
			  OPEN(") when { resource in Dir::\"/usr/\" }"),
		  NULL },
		{ OPEN(") when { resource in Dir::\"/usr/\" && context.comm == \"a\" }")
			  OPEN(" in Dir::\"/\") when { context.comm == \"a\" }"),
		  "shadowed_policy" },
		{ OPEN(" in Dir::\"/usr/\") when { context.comm == \"b\" }")
			  OPEN(" in Dir::\"/\") when { context.comm == \"a\" }"),
		  NULL },
		{ OPEN(") unless { context.comm == \"a\" || context.exe like \"*b\" }")
			  OPEN(") unless { context.comm == \"a\" }"),
		  "shadowed_policy" },
		{ OPEN(" in Dir::\"/usr/\")") OPEN(" is File)"), "shadowed_policy" },
		{ CONNECT(" == Host::\"a.b.c:443\")") CONNECT(" in Host::\"*.b.c\")"),
		  "shadowed_policy" },
		{ CONNECT(" in Host::\"b.c\")") CONNECT(" in Host::\"*.b.c\")"), NULL },
		{ CONNECT(" in Host::\"b.c\")") CONNECT(" in DnsZone::\"c\")"), "shadowed_policy" },
		{ CONNECT(" in IpRange::\"10.1.0.0/16\")") CONNECT(" in IpRange::\"10.0.0.0/8\")"),
		  "shadowed_policy" },
		{ CONNECT(" == Host::\"10.1.2.3:22\")") CONNECT(" in IpRange::\"10.0.0.0/8\")"),
		  "shadowed_policy" },
		{ CONNECT(" in IpRange::\"10.0.0.0/8\")") CONNECT(" in IpRange::\"10.1.0.0/16\")"),
		  NULL },
		{ CONNECT(" in Host::\"a.b:80\")") CONNECT(" in Host::\"a.b:443\")"), NULL },
		{ "permit (principal == Agent::\"claude\", action, resource in Dir::\"/usr/\");"
		  "permit (principal, action, resource in Dir::\"/usr/\");",
		  "shadowed_policy" },
		{ "permit (principal, action, resource in Dir::\"/usr/\");"
		  "permit (principal == Agent::\"x\", action, resource in Dir::\"/usr/\");",
		  NULL },
		{ "permit (principal, action == Action::\"FileCreate\", resource in "
		  "Dir::\"/usr/\");"
		  "permit (principal, action in Action::\"FileOpenReadWrite\", resource in "
		  "Dir::\"/\");",
		  "shadowed_policy" },
		/* An erring forbid denies, so a condition before the shared one counts. */
		{ "forbid (principal, action == Action::\"FileCreate\", resource) when { "
		  "9223372036854775807 + 1 > 2 && context.comm == \"a\" };"
		  "forbid (principal, action == Action::\"FileCreate\", resource) when { "
		  "context.comm == "
		  "\"a\" };",
		  NULL },
		{ "forbid (principal, action == Action::\"FileCreate\", resource) when { "
		  "context.comm == "
		  "\"a\" && context.cwd == \"/usr\" };"
		  "forbid (principal, action == Action::\"FileCreate\", resource) when { "
		  "context.comm == "
		  "\"a\" };",
		  "shadowed_policy" },
		{ OPEN(" in Dir::\"/usr/bin/\")") "forbid (principal, action, resource in "
						  "Dir::\"/usr/\");",
		  "swallowed_permit" },
		{ OPEN(" in Dir::\"/usr/bin/\")") "forbid (principal, action == "
						  "Action::\"FileOpenReadOnly\", resource in "
						  "Dir::\"/usr/\");",
		  NULL },
		{ OPEN(" in Dir::\"/usr/bin/\")") "forbid (principal, action, resource in "
						  "Dir::\"/usr/\") unless { context.comm == \"a\" "
						  "};",
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *report = review(*state, NULL, cases[i].text);
		const char *first = strstr(report, ", user:policy0]");

		if (!first != !cases[i].code || (first && !strstr(report, cases[i].code)))
			fail_msg("%s\n%s", cases[i].text, report);
	}
}

static void the_profiles_cover_nothing_of_their_own(void **state)
{
	static const char *const names[] = { "guarded", "permissive", "locked" };
	struct fixture *f = *state;

	/* The fixture's own home is in a temporary directory, which the profiles permit as a whole.
	 */
	f->env.home = "/home/x";
	f->env.workspace = "/home/x/work";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *text = NULL;
		struct span profile = policy_profile_text(names[i]);
		_cleanup_free_ char *report = NULL;

		text = xmemdup0(profile.p, profile.len);
		report = review(f, NULL, text);
		if (strstr(report, "shadowed_policy"))
			fail_msg("%s", strstr(report, "shadowed_policy") - 200);
		assert_null(strstr(report, "duplicate_policy"));
		assert_null(strstr(report, "swallowed_permit"));
		assert_null(strstr(report, "impossible_policy"));
	}
}

/* Thousands of policies alike, each with places and conditions. */
static void time_is_bounded(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *report = NULL;
	uint64_t start = clock_monotonic_ns();

	for (size_t i = 0; i < 20000; i++)
		(void)buf_printf(&text,
				 "permit (principal, action in Action::\"FileOpen\", resource in "
				 "Dir::\"/usr/\") when { context.comm == \"c%zu\" };\n",
				 i % 10000);
	report = review(*state, NULL, text.data);
	assert_non_null(strstr(report, "duplicate_policy"));
	assert_true(clock_monotonic_ns() - start < 30 * NS_PER_SEC);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(impossible_policy),
		TEST(duplicate_policy),
		TEST(shadowed_policy),
		TEST(a_permit_beside_the_profile),
		TEST(swallowed_permit),
		TEST(path_missing),
		TEST(bad_tls),
		TEST(wide_wildcard),
		TEST(mcp_permit_redundant),
		TEST(covering),
		TEST(the_profiles_cover_nothing_of_their_own),
		TEST(time_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
