/* What is trusted: this content under this name, and nothing else. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "daemon/policy-layers.h"
#include "daemon/trust.h"

struct place {
	char *root, *trusted, *file;
};

static int setup(void **state)
{
	struct place *p = xnew(struct place);
	char root[] = "/var/tmp/leash-trust-XXXXXX";

	assert_non_null(mkdtemp(root));
	p->root = path_resolve(root);
	p->trusted = trust_directory(p->root);
	p->file = path_join(p->root, ".leash/policy.cedar");
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char *const argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, p->root, NULL };

	if (fork() == 0) {
		(void)execvp("rm", argv);
		_exit(127);
	}
	xfree(p->root);
	xfree(p->trusted);
	xfree(p->file);
	xfree(p);
	return 0;
}

static void content_and_name_are_bound(void **state)
{
	const struct place *p = *state;

	assert_false(trust_holds(p->trusted, p->file, SPAN("a")));
	assert_int_equal(trust_add(p->trusted, p->file, SPAN("a"), NULL), 0);
	assert_true(trust_holds(p->trusted, p->file, SPAN("a")));
	assert_false(trust_holds(p->trusted, p->file, SPAN("a\n")));
	assert_false(trust_holds(p->trusted, p->file, SPAN("")));
	assert_false(trust_holds(p->trusted, "/other/.leash/policy.cedar", SPAN("a")));
	assert_int_equal(trust_add(p->trusted, p->file, SPAN("b"), NULL), 0);
	assert_false(trust_holds(p->trusted, p->file, SPAN("a")));
	assert_true(trust_holds(p->trusted, p->file, SPAN("b")));
}

static void revoking(void **state)
{
	const struct place *p = *state;
	struct err err = { 0 };

	assert_int_equal(trust_revoke(p->trusted, p->file, &err), -ENOENT);
	assert_non_null(strstr(err.text, "is not trusted"));
	assert_int_equal(trust_add(p->trusted, p->file, SPAN("a"), NULL), 0);
	assert_int_equal(trust_revoke(p->trusted, p->file, NULL), 0);
	assert_false(trust_holds(p->trusted, p->file, SPAN("a")));
}

static void listing(void **state)
{
	const struct place *p = *state;
	trust_records records = { 0 };
	struct stat st;

	assert_int_equal(trust_list(p->trusted, &records, NULL), 0);
	assert_int_equal(records.len, 0);
	assert_int_equal(trust_add(p->trusted, "/b/\"\n", SPAN("x"), NULL), 0);
	assert_int_equal(trust_add(p->trusted, "/a", SPAN("y"), NULL), 0);
	assert_int_equal(trust_list(p->trusted, &records, NULL), 0);
	assert_int_equal(records.len, 2);
	assert_string_equal(records.items[0].file, "/a");
	assert_string_equal(records.items[1].file, "/b/\"\n");
	assert_int_equal(strlen(records.items[0].sha256), 64);
	assert_true(records.items[0].time_ns > 0);
	trust_records_done(&records);
	assert_int_equal(stat(p->trusted, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* A record that was copied, cut or changed vouches for nothing. */
static void damaged_records(void **state)
{
	/* The names of the records are hashes of the paths "/a" and "/b". */
	static const char a[] = "6a50dc8584134c7de537c0052ff6d236bf874355e050c90523e0c5ff2a543a28";
	static const char b[] = "9812b0b9d61e09b927d03ff93f64530d8fcf373810b7007129eb4b20962412cb";
	static const char *const contents[] = {
		"", "{", "[]", "{}", "{\"file\":3}", "{\"file\":\"/a\",\"sha256\":\"00\"}", "\xff",
	};
	const struct place *p = *state;
	_cleanup_free_ char *record = path_join(p->trusted, a);
	_cleanup_free_ char *copy = path_join(p->trusted, b);
	trust_records records = { 0 };

	assert_int_equal(trust_add(p->trusted, "/a", SPAN("x"), NULL), 0);
	assert_int_equal(rename(record, copy), 0);
	assert_false(trust_holds(p->trusted, "/b", SPAN("x")));
	assert_int_equal(trust_list(p->trusted, &records, NULL), 0);
	assert_int_equal(records.len, 0);
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		assert_int_equal(file_replace(record, span_of(contents[i]), 0600, false, NULL), 0);
		assert_false(trust_holds(p->trusted, "/a", SPAN("x")));
		assert_int_equal(trust_list(p->trusted, &records, NULL), 0);
		assert_int_equal(records.len, 0);
	}
	trust_records_done(&records);
}

/* ---- Loading --------------------------------------------------------------------- */

static size_t load(const struct place *p, const char *text, size_t *ret_ignored)
{
	_cleanup_free_ char *directory = path_join(p->root, ".leash");
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	const struct policy_layers layers = {
		.environment = { .agent = "x",
				 .home = p->root,
				 .workspace = p->root,
				 .profile = "permissive" },
		.project_file = p->file,
		.trusted = p->trusted,
	};
	struct policy_source *source;
	struct err err = { 0 };
	size_t n;

	assert_int_equal(mkdir_all(directory, 0755), 0);
	assert_int_equal(file_replace(p->file, span_of(text), 0644, false, NULL), 0);
	if (policy_layers_load(&layers, false, &report, NULL, &source, &err) < 0)
		fail_msg("%s\n%s", err.text, report.data);
	n = policy_source_len(source);
	*ret_ignored = policy_source_ignored(source);
	policy_source_free(source);
	return n;
}

static void permits_count_as_long_as_the_file_stays(void **state)
{
	static const char text[] = "permit (principal, action, resource in Dir::\"/\");\n"
				   "forbid (principal, action, resource == File::\"/etc/x\");\n";
	static const char more[] = "permit (principal, action, resource in Dir::\"/\");\n"
				   "forbid (principal, action, resource == File::\"/etc/x\");\n\n";
	const struct place *p = *state;
	size_t ignored;
	size_t n = load(p, text, &ignored);

	assert_int_equal(ignored, 1);
	assert_int_equal(trust_add(p->trusted, p->file, span_of(text), NULL), 0);
	assert_int_equal(load(p, text, &ignored), n + 1);
	assert_int_equal(ignored, 0);
	assert_int_equal(load(p, more, &ignored), n);
	assert_int_equal(ignored, 1);
	assert_int_equal(load(p, text, &ignored), n + 1);
	assert_int_equal(trust_revoke(p->trusted, p->file, NULL), 0);
	assert_int_equal(load(p, text, &ignored), n);
	assert_int_equal(ignored, 1);
}

/* Mistakes of all layers are told at once. */
static void layers_after_one_with_mistakes_are_read(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *user = path_join(p->root, "policy.cedar");
	_cleanup_free_ char *project = path_join(p->root, "project.cedar");
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_layers layers = {
		.environment = { .agent = "x",
				 .home = p->root,
				 .workspace = p->root,
				 .profile = "guarded" },
		.user_file = user,
		.project_file = project,
	};
	struct policy_findings found = { 0 };
	struct policy_source *source = NULL;
	struct err err = { 0 };

	assert_int_equal(
		file_replace(user, SPAN("permit (principal, action == Action::\"x\", resource);"),
			     0644, false, NULL),
		0);
	assert_int_equal(file_replace(project, SPAN("forbid (principal action, resource);"), 0644,
				      false, NULL),
			 0);
	assert_int_equal(policy_layers_load(&layers, false, &report, &found, &source, &err),
			 -EINVAL);
	assert_null(source);
	assert_int_equal(found.len, 2);
	assert_string_equal(found.items[0].code, "unknown_action");
	assert_string_equal(found.items[1].code, "unexpected_token");
	assert_non_null(strstr(err.text, "policy.cedar: 1 error"));
	policy_findings_done(&found);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(content_and_name_are_bound),
		TEST(revoking),
		TEST(listing),
		TEST(damaged_records),
		TEST(permits_count_as_long_as_the_file_stays),
		TEST(layers_after_one_with_mistakes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
