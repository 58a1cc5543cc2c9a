/* Decisions about files and programs. */
#include "fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"

static void directories_go_by_components(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource in Dir::\"/work/secret\");");
	assert_allowed(f, READ, "/work/secret/a");
	assert_allowed(f, READ, "/work/secret/a/b");
	assert_denied(f, READ, "/work/secrets2/a");
	assert_denied(f, READ, "/work/secret-x");
	assert_denied(f, READ, "/work/secret");
	assert_denied(f, READ, "/work");
	use_text(f, "permit (principal, action, resource in Dir::\"/\");");
	assert_allowed(f, READ, "/etc/passwd");
}

static void a_directory_is_in_itself(void **state)
{
	struct fixture *f = *state;

	make_dir(f, "$W/sub");
	use_text(f, "permit (principal, action, resource in Dir::\"$W/sub/\");");
	assert_allowed(f, READ, "$W/sub");
	assert_denied(f, READ, "$W");
}

static void a_forbidden_directory_cannot_come_into_being(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = { .action = CREATE, .path = SPAN("/d/new") };

	use_text(f, "permit (principal, action, resource in Dir::\"/d\");"
		    "forbid (principal, action, resource in Dir::\"/d/new\");");
	assert_denied(f, CREATE, "/d/new");
	assert_denied(f, CREATE, "/d/new/x");
	assert_allowed(f, CREATE, "/d/newer");
	/* Both ways: what an exception for the directory spares is not its bare name. */
	use_text(f, "permit (principal, action, resource);"
		    "forbid (principal, action, resource) unless { resource in Dir::\"/d/new\" };");
	assert_allowed(f, CREATE, "/d/new/x");
	assert_denied(f, CREATE, "/d/new");
	/* A permit covers making the directory, and no link in its place. */
	use_text(f, "permit (principal, action, resource in Dir::\"/d/new\");");
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	r.is_directory = true;
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
}

static void members_of_actions(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action == Action::\"FileOpenReadWrite\", resource);"
		    "forbid (principal, action == Action::\"FileDelete\", resource);");
	assert_allowed(f, CREATE, "/x");
	assert_denied(f, DELETE, "/x");
	assert_allowed(f, WRITE, "/x");
	assert_denied(f, READ, "/x");
	assert_allowed(f, POLICY_FILE_SET_ATTRIBUTES, "/x");
	use_text(f, "permit (principal, action == Action::\"FileOpen\", resource);");
	assert_allowed(f, READ, "/x");
	assert_allowed(f, DELETE, "/x");
	assert_denied(f, POLICY_PROCESS_EXEC, "/x");
}

static void reading_and_writing_is_also_reading(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = { .action = WRITE, .path = SPAN("/data/x") };

	use_text(f, "permit (principal, action in Action::\"FileOpen\", resource);"
		    "@id(\"blind\") forbid (principal, action == Action::\"FileOpenReadOnly\", "
		    "resource);");
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
	r.also_reads = true;
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	assert_string_equal(decide(f, &r).reasons[0], "file:blind");
	r.action = CREATE;
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	r.also_reads = false;
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
}

static void names_that_are_no_utf8(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource in Dir::\"/d\");"
		    "forbid (principal, action, resource == File::\"/d/caf\\u{10FFE9}\");"
		    "forbid (principal, action, resource is File) when { resource.path like "
		    "\"*\\u{10FF80}\" };");
	assert_denied(f, READ, "/d/caf\xe9");
	assert_allowed(f, READ, "/d/caf\xe8");
	assert_allowed(f, READ, "/d/caf\xc3\xa9");
	assert_denied(f, READ, "/d/x\x80");
	/* A name that only looks like the escape is another name. */
	assert_allowed(f, READ, "/d/caf\xf4\x8f\xbf\xa9");
}

static void paths_that_are_not_canonical_are_denied(void **state)
{
	static const char *const bad[] = { "", "x", "/a/", "/a//b", "/./a", "/a/..", "//", "/a/." };
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource);");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct policy_decision d = decide_file(f, READ, bad[i]);

		assert_int_equal(d.verdict, DECISION_DENY);
		assert_true(d.has_error);
		assert_true(d.is_own_rule);
	}
	assert_allowed(f, READ, "/a..b/...");
	assert_allowed(f, READ, "/");
}

static void links_in_policies_are_followed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = fill_in(f, "$W/link");

	make_file(f, "$W/target", "x");
	assert_int_equal(symlink("target", link), 0);
	use_text(f, "permit (principal, action, resource in Dir::\"/\");"
		    "forbid (principal, action, resource == File::\"$W/link\");");
	assert_denied(f, READ, "$W/target");
	assert_denied(f, DELETE, "$W/link");
	assert_allowed(f, READ, "$W/other");
	use_text(f, "permit (principal, action, resource in Dir::\"/\");"
		    "forbid (principal, action, resource is File) when { "
		    "[File::\"$W/link\"].contains(resource) };");
	assert_denied(f, READ, "$W/target");
	assert_denied(f, DELETE, "$W/link");
	use_text(f, "permit (principal, action, resource is File) when { resource.path != "
		    "\"$W/link\" };");
	assert_denied(f, READ, "$W/target");
	assert_denied(f, DELETE, "$W/link");
	assert_allowed(f, READ, "$W/other");
}

static void linked_directories_are_followed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = fill_in(f, "$W/bin");

	make_dir(f, "$W/usr/bin");
	assert_int_equal(symlink("usr/bin", link), 0);
	use_text(f, "permit (principal, action, resource in Dir::\"$W/bin/\");");
	assert_allowed(f, READ, "$W/usr/bin/x");
	use_text(f, "permit (principal, action, resource is File) when { resource.path like "
		    "\"${WORKSPACE}/bin/*\" };");
	assert_allowed(f, READ, "$W/usr/bin/x");
}

static void placeholders(void **state)
{
	struct fixture *f = *state;

	use_text(
		f,
		"permit (principal, action, resource in Dir::\"~/a\");"
		"permit (principal, action, resource == File::\"${HOME}/b\");"
		"permit (principal, action, resource) when { resource in [Dir::\"${WORKSPACE}\"] };"
		"permit (principal, action, resource is File) when { resource.path like "
		"\"~/*.txt\" };");
	assert_allowed(f, READ, "$H/a/x");
	assert_allowed(f, READ, "$H/b");
	assert_allowed(f, READ, "$W/x");
	assert_allowed(f, READ, "$H/deep/x.txt");
	assert_denied(f, READ, "$H/c");
	assert_denied(f, READ, "/x.txt");
}

static void programs_in_memory_have_their_own_name(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource in Dir::\"/\");");
	assert_denied(f, POLICY_PROCESS_EXEC, "memfd:");
	use_text(f, "permit (principal, action, resource == File::\"memfd:\");");
	assert_allowed(f, POLICY_PROCESS_EXEC, "memfd:");
}

static int give_exe(void *ctx, enum policy_fact fact, struct span *ret)
{
	if (fact != POLICY_FACT_EXE || !ctx)
		return -ESRCH;
	*ret = span_of(ctx);
	return 0;
}

static void facts_about_the_process(void **state)
{
	struct fixture *f = *state;
	char good[] = "/usr/bin/git";
	char bad[] = "/usr/bin/vi";
	struct policy_request r = {
		.action = READ, .path = SPAN("/x"), .fact = give_exe, .fact_ctx = good
	};

	use_text(f,
		 "permit (principal, action, resource) when { context.exe == \"/usr/bin/git\" };");
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
	r.fact_ctx = bad;
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	r.fact_ctx = NULL;
	assert_true(decide(f, &r).has_error);
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	r.fact = NULL;
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
}

static void a_fact_nobody_gives_denies(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = { .action = READ, .path = SPAN("/x") };

	use_text(f, "permit (principal, action, resource);"
		    "forbid (principal, action, resource == File::\"/x\")"
		    "when { context has exe && context.exe == \"/bad\" };");
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	r.path = SPAN("/y");
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
}

static int give_argv(_unused_ void *ctx, enum policy_fact fact, struct span *ret)
{
	if (fact != POLICY_FACT_ARGV)
		return -ESRCH;
	*ret = SPAN("git\0push\0--force");
	return 0;
}

static void arguments(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = { .action = POLICY_PROCESS_EXEC,
				    .path = SPAN("/usr/bin/git"),
				    .fact = give_argv };

	use_text(f, "permit (principal, action, resource);"
		    "forbid (principal, action == Action::\"ProcessExec\", resource)"
		    "when { context.argv.contains(\"--force\") };");
	assert_int_equal(decide(f, &r).verdict, DECISION_DENY);
	assert_false(decide(f, &r).has_error);
	use_text(f, "permit (principal, action == Action::\"ProcessExec\", resource)"
		    "when { context.args == \"git push --force\" };");
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(directories_go_by_components),
		TEST(a_directory_is_in_itself),
		TEST(a_forbidden_directory_cannot_come_into_being),
		TEST(members_of_actions),
		TEST(reading_and_writing_is_also_reading),
		TEST(names_that_are_no_utf8),
		TEST(paths_that_are_not_canonical_are_denied),
		TEST(links_in_policies_are_followed),
		TEST(linked_directories_are_followed),
		TEST(placeholders),
		TEST(programs_in_memory_have_their_own_name),
		TEST(facts_about_the_process),
		TEST(a_fact_nobody_gives_denies),
		TEST(arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
