/* What surrounds a decision: leash's own rules, layers, errors, modes, explanations. */
#include "fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"

static void use_own_paths(struct fixture *f, const char *text)
{
	static const char *own[2];
	static char config[256];
	_cleanup_free_ char *path = fill_in(f, "$H/.config/leash");

	(void)snprintf(config, sizeof(config), "%s", path);
	own[0] = config;
	f->env.own_paths = own;
	use_text(f, text);
}

static void own_files_are_out_of_reach(void **state)
{
	struct fixture *f = *state;
	struct policy_decision d;

	use_own_paths(f, "permit (principal, action, resource);");
	for (enum policy_action a = READ; a <= POLICY_PROCESS_EXEC; a++) {
		assert_denied(f, a, "$H/.config/leash/policy.cedar");
		assert_denied(f, a, "$H/.config/leash");
		assert_allowed(f, a, "$H/.config/leash2");
	}
	d = decide_file(f, READ, "$H/.config/leash/x");
	assert_true(d.is_own_rule);
	assert_string_equal(d.reasons[0], "leash:own-files");
}

static void own_files_cannot_be_moved_away(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = fill_in(f, "$H/.config");

	make_dir(f, "$H/dotfiles/config/leash");
	assert_int_equal(symlink("dotfiles/config", link), 0);
	use_own_paths(f, "permit (principal, action, resource);");
	assert_denied(f, READ, "$H/dotfiles/config/leash/policy.cedar");
	assert_denied(f, DELETE, "$H/.config");
	assert_denied(f, DELETE, "$H/dotfiles/config");
	assert_denied(f, DELETE, "$H/dotfiles");
	assert_denied(f, DELETE, "$H");
	assert_denied(f, DELETE, "$W");
	assert_allowed(f, DELETE, "$H/dotfiles/other");
	assert_allowed(f, CREATE, "$H/dotfiles/config");
}

static void the_project_policy_cannot_be_written(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource);");
	assert_denied(f, CREATE, "$W/.leash");
	assert_denied(f, CREATE, "$W/.leash/policy.cedar");
	assert_denied(f, WRITE, "$W/.leash/policy.cedar");
	assert_denied(f, DELETE, "$W/.leash/policy.cedar");
	assert_allowed(f, READ, "$W/.leash/policy.cedar");
	assert_allowed(f, CREATE, "$W/.leash2");
	assert_true(decide_file(f, CREATE, "$W/.leash").is_own_rule);
}

static void modes(void **state)
{
	struct fixture *f = *state;
	static const enum policy_mode lenient[] = { POLICY_SHADOW, POLICY_RECORD };
	struct policy_decision d;

	for (size_t i = 0; i < ARRAY_SIZE(lenient); i++) {
		f->env.mode = lenient[i];
		use_text(f, "forbid (principal, action, resource);");
		d = decide_file(f, READ, "/x");
		assert_int_equal(d.verdict, DECISION_DENY);
		assert_true(policy_permits(f->policy, &d));
		d = decide_file(f, CREATE, "$W/.leash");
		assert_false(policy_permits(f->policy, &d));
		d = decide_file(f, READ, "not/canonical");
		assert_false(policy_permits(f->policy, &d));
	}
	f->env.mode = POLICY_ENFORCE;
	use_text(f, "forbid (principal, action, resource);");
	d = decide_file(f, READ, "/x");
	assert_false(policy_permits(f->policy, &d));
	d = (struct policy_decision){ 0 };
	assert_false(policy_permits(f->policy, &d));
}

static void an_erring_forbid_denies(void **state)
{
	struct fixture *f = *state;
	struct policy_decision d;

	use_odd_text(f, "permit (principal, action, resource);"
			"@id(\"odd\") forbid (principal, action, resource in Dir::\"/odd\")"
			"when { resource.path < 3 };");
	d = decide_file(f, READ, "/odd/x");
	assert_int_equal(d.verdict, DECISION_DENY);
	assert_true(d.has_error);
	assert_string_equal(d.reasons[0], "file:odd");
	assert_allowed(f, READ, "/x");
	use_odd_text(f, "permit (principal, action, resource is File) when { resource.path < 3 };");
	d = decide_file(f, READ, "/x");
	assert_int_equal(d.verdict, DECISION_DENY);
	assert_true(d.has_error);
	assert_int_equal(d.n_reasons, 0);
}

static void policies_of_other_agents_do_not_count(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal == Agent::\"codex\", action, resource in Dir::\"/codex\");"
		    "permit (principal == User::\"claude\", action, resource in Dir::\"/claude\");"
		    "permit (principal is Agent, action, resource in Dir::\"/any\");");
	assert_denied(f, READ, "/codex/x");
	assert_allowed(f, READ, "/claude/x");
	assert_allowed(f, READ, "/any/x");
}

static void reasons_are_counted(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct policy_decision d;

	for (int i = 0; i < 11; i++)
		(void)buf_append_str(&text, "permit (principal, action, resource);");
	use_text(f, text.data);
	d = decide_file(f, READ, "/x");
	assert_int_equal(d.n_reasons, POLICY_MAX_REASONS);
	assert_int_equal(d.n_more_reasons, 3);
	assert_int_equal(policy_reasons(&d, &out), 0);
	assert_int_equal(out.len, strlen("file:policy0") * 8 + 7);
	assert_string_equal(out.data, "file:policy0");
}

static char *explain(struct fixture *f, enum policy_action action, const char *path)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	_cleanup_free_ char *full = fill_in(f, path);
	const struct policy_request r = { .action = action, .path = span_of(full) };
	struct policy_decision d = decide(f, &r);

	assert_int_equal(policy_explain(f->policy, &r, &d, false, &out), 0);
	return buf_take(&out);
}

static void explanations(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *none = NULL;
	_cleanup_free_ char *almost = NULL;
	_cleanup_free_ char *own = NULL;

	use_text(f, "permit (principal, action, resource in Dir::\"/a\");\n\n"
		    "@id(\"no\")\nforbid (principal, action, resource == File::\"/a/x\")\n"
		    "unless { false };\n");
	text = explain(f, READ, "/a/x");
	assert_string_equal(text,
			    "denied: to read /a/x (FileOpenReadOnly)\n"
			    "Forbidden by file:no, line 3 of test.cedar:\n"
			    "    @id(\"no\")\n"
			    "    forbid (principal, action, resource == File::\"/a/x\")\n"
			    "    unless { false };\n"
			    "    holds: !false\n"
			    "No permit outweighs a forbid. To allow it, that policy would have to "
			    "exclude it.\n");
	none = explain(f, WRITE, "/b\033[2J\"");
	assert_string_equal(none, "denied: to write /b\\x1b[2J\" (FileOpenReadWrite)\n"
				  "No policy permits it, and what nothing permits is denied. "
				  "To allow it, add for instance:\n"
				  "    permit (principal, action == Action::\"FileOpenReadWrite\", "
				  "resource == File::\"/b\\u{1b}[2J\\\"\");\n");
	use_text(f, "@id(\"almost\") permit (principal, action, resource in Dir::\"/a\")\n"
		    "when { context.comm == \"make\" && resource is File } unless { resource == "
		    "File::\"/a/x\" };"
		    "permit (principal, action, resource in Dir::\"/b\");\n");
	almost = explain(f, READ, "/a/x");
	assert_string_equal(almost,
			    "denied: to read /a/x (FileOpenReadOnly)\n"
			    "file:almost, line 1 of test.cedar, would permit it, but:\n"
			    "    cannot be evaluated: context.comm == \"make\"\n"
			    "    does not hold: !(resource == File::\"/a/x\")\n"
			    "A policy could not be evaluated (a fact is missing, or types do not "
			    "fit); an erring forbid denies, an erring permit does not apply.\n"
			    "No policy permits it, and what nothing permits is denied. "
			    "To allow it, add for instance:\n"
			    "    permit (principal, action == Action::\"FileOpenReadOnly\", "
			    "resource == File::\"/a/x\");\n");
	own = explain(f, CREATE, "$W/.leash");
	assert_non_null(strstr(own, "This is a rule of leash itself"));
}

static void writable_directories(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "permit (principal, action, resource in Dir::\"/a/b\");", "/a/b" },
		{ "permit (principal, action in Action::\"FileOpen\", resource == File::\"/a/b\");",
		  "/a" },
		{ "permit (principal, action == Action::\"FileCreate\", resource) when { resource "
		  "in "
		  "[Dir::\"/a\", File::\"/b/c\"] && context.exe == \"/x\" };",
		  "/a|/b" },
		{ "permit (principal, action, resource is File) when { resource.path like "
		  "\"/a/b*\" };",
		  "/a" },
		{ "permit (principal, action, resource is File) when { resource.path like \"*.c\" "
		  "};",
		  "/" },
		{ "permit (principal, action, resource) unless { resource in Dir::\"/a\" };", "/" },
		{ "permit (principal, action == Action::\"FileOpenReadOnly\", resource);", "" },
		{ "permit (principal, action, resource in Host::\"*\");", "" },
		{ "permit (principal, action, resource is Host);", "" },
		{ "forbid (principal, action, resource);", "" },
		{ "permit (principal, action, resource in Dir::\"/\");", "/" },
		{ "permit (principal, action, resource) when { resource in Dir::\"/a\" || "
		  "(resource is File && "
		  "resource.path == \"/b/c\") };",
		  "/a|/b" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf report = BUF_INIT(0);
		_cleanup_buf_ struct buf joined = BUF_INIT(0);
		struct policy_source *s = policy_source_new(&f->env);
		char **found;

		assert_int_equal(policy_source_add_text(s, POLICY_LAYER_USER, "u",
							span_of(cases[i].text), false, &report,
							NULL),
				 0);
		found = policy_source_writable(s);
		(void)buf_append_str(&joined, "");
		for (size_t j = 0; found[j]; j++) {
			(void)buf_printf(&joined, "%s%s", j ? "|" : "", found[j]);
			xfree(found[j]);
		}
		xfree(found);
		policy_source_free(s);
		assert_string_equal(joined.data, cases[i].wanted);
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(own_files_are_out_of_reach),
		TEST(own_files_cannot_be_moved_away),
		TEST(the_project_policy_cannot_be_written),
		TEST(modes),
		TEST(an_erring_forbid_denies),
		TEST(policies_of_other_agents_do_not_count),
		TEST(reasons_are_counted),
		TEST(explanations),
		TEST(writable_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
