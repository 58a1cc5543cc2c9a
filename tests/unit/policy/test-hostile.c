/*
 * Texts that cost as much as they can, each as large as a policy file may be or
 * as what is read of it may become: checked in a process of its own, whose time
 * and memory are measured. The bounds leave room for a slow and busy machine.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "cedar/cedar.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_INSTRUMENTED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define IS_INSTRUMENTED true
#endif
#endif
#ifndef IS_INSTRUMENTED
#define IS_INSTRUMENTED false
#endif

#define MIB ((size_t)1 << 20)
#define CPU_SECONDS (IS_INSTRUMENTED ? 60 : 6)
#define MEMORY_KIB ((IS_INSTRUMENTED ? 4096 : 320) * 1024L)

#define SCOPE "permit(principal,action,resource)"
#define FILES "permit(principal,action in Action::\"FileOpen\",resource is File)"
#define HOSTS "permit(principal,action in Action::\"NetworkConnect\",resource)"

/* A text of `size` bytes: head, the unit again and again with %zu counted up, tail. */
struct shape {
	const char *name, *head, *unit, *tail;
	size_t size;
};

static const struct shape shapes[] = {
	{ "brackets", "", "(", "", LIMIT_POLICY_FILE },
	{ "beginnings", "", "permit(", "", LIMIT_POLICY_FILE },
	{ "semicolons", "", ";", "", LIMIT_POLICY_FILE },
	{ "annotations", "", "@a(\"b\")", SCOPE ";", LIMIT_POLICY_FILE },
	{ "words in one line", "", "x%zu;", "", LIMIT_POLICY_FILE },
	{ "words in many lines", "", "x%zu;\n", "", LIMIT_POLICY_FILE },
	{ "an open string", "\"", "a", "", LIMIT_POLICY_FILE },
	{ "unknown variables", SCOPE "when{[", "a,", "1].isEmpty()};", LIMIT_POLICY_FILE },
	{ "large numbers", SCOPE "when{[", "99999999999999999999,", "1].isEmpty()};",
	  LIMIT_POLICY_FILE },
	{ "equal keys", SCOPE "when{{", "a:1,", "}.a==1};", LIMIT_POLICY_FILE },
	{ "small policies", "", SCOPE ";", "", LIMIT_POLICY_FILE },
	{ "as many small policies as are read", "", SCOPE ";\n", "", 3 * MIB / 2 },
	{ "policies of one id", "", "@id(\"a\")" SCOPE ";", "", 3 * MIB / 2 },
	{ "policies with conditions", "", SCOPE "when{context.comm==\"%zu\"};\n", "", 3 * MIB / 2 },
	{ "errors of reading", "", SCOPE "when{context.x%zu==1};", "", LIMIT_POLICY_FILE },
	{ "unknown actions", "permit(principal,action in [", "Action::\"a%zu\",", "],resource);",
	  LIMIT_POLICY_FILE },
	{ "facts that may be missing", HOSTS "when{[", "context.hostname,", "\"\"].isEmpty()};",
	  LIMIT_POLICY_FILE },
	{ "facts that are missing", SCOPE "when{[", "context.hostname,", "\"\"].isEmpty()};",
	  LIMIT_POLICY_FILE },
	{ "warnings", "", "permit(principal,action==Action::\"FileOpen\",resource);", "",
	  LIMIT_POLICY_FILE },
	{ "directories that are missing", FILES "when{resource in [", "Dir::\"/x%zu/y\",", "]};",
	  LIMIT_POLICY_FILE },
	{ "wide wildcards", "",
	  "permit(principal,action in Action::\"NetworkConnect\",resource in "
	  "Host::\"*.co.uk:%zu\");",
	  "", LIMIT_POLICY_FILE },
	{ "a set of files", FILES "when{resource in [", "File::\"/a%zu\",", "]};",
	  LIMIT_POLICY_FILE },
	{ "a set of hosts", HOSTS "when{resource in [", "Host::\"a%zu.com\",", "]};",
	  LIMIT_POLICY_FILE },
	{ "a long path", "permit(principal,action,resource==File::\"", "/a", "\");",
	  LIMIT_POLICY_FILE },
	{ "a long pattern", FILES "when{resource.path like \"", "/*", "\"};", LIMIT_POLICY_FILE },
	{ "a long attribute", SCOPE "when{resource.", "a", "};", LIMIT_POLICY_FILE },
	{ "a long id", "@id(\"", "a", "\")" SCOPE "when{1};", LIMIT_POLICY_FILE },
};

static void make_text(const struct shape *s, size_t size, struct buf *out)
{
	size_t tail = strlen(s->tail);

	(void)buf_append_str(out, s->head);
	for (size_t i = 1;; i++) {
		const char *number = strstr(s->unit, "%zu");
		char unit[256];

		if (number)
			(void)snprintf(unit, sizeof(unit), "%.*s%zu%s", (int)(number - s->unit),
				       s->unit, i, number + 3);
		else
			(void)snprintf(unit, sizeof(unit), "%s", s->unit);
		if (out->len + strlen(unit) + tail > size)
			break;
		(void)buf_append_str(out, unit);
	}
	(void)buf_append_str(out, s->tail);
}

/* As `leash policy check`. What is said must be short, or what is wrong would be hard to find. */
static void check(const struct fixture *f, const struct shape *shape)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct policy_findings found = { 0 };
	struct policy_report *reports = NULL;
	struct err err = { 0 };
	size_t n = 0, n_bytes = 0;
	int r;

	make_text(shape, shape->size, &text);
	policy_source_collect(s, &found);
	r = policy_source_add_text(s, POLICY_LAYER_USER, "hostile.cedar", buf_span(&text), false,
				   &report, &err);
	if (r >= 0)
		r = policy_source_report(s, &reports, &n, &err);
	if (r >= 0)
		r = policy_source_review(s, reports, false, &report, &err);
	if (r < 0 && !err.text[0])
		_exit(2);
	for (size_t i = 0; i < found.len; i++)
		n_bytes += strlen(found.items[i].source) + strlen(found.items[i].message);
	/* One list and line of what is left out for reading, one for the review. */
	if (found.len > 410 || n_bytes > MIB || report.len > MIB)
		_exit(3);
	_exit(0);
}

/* As `leash cedar`. */
static void parse(const struct fixture *f, const struct shape *shape)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;

	(void)f;
	make_text(shape, LIMIT_POLICY_TEXT, &text);
	if (cedar_policy_set_parse(buf_span(&text), &diags, &set) < 0 && diags.len == 0)
		_exit(2);
	_exit(diags.len > LIMIT_CEDAR_DIAGNOSTICS + 1 ? 3 : 0);
}

typedef void (*work_fn)(const struct fixture *f, const struct shape *shape);

static void expect_cheap(const struct fixture *f, const struct shape *s, work_fn work)
{
	const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS };
	struct rusage used = { 0 };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (setrlimit(RLIMIT_CPU, &cpu) < 0)
			_exit(1);
		work(f, s);
	}
	assert_true(pid > 0);
	assert_int_equal(wait4(pid, &status, 0, &used), pid);
	if (status)
		fail_msg("%s: ended with status %#x", s->name, (unsigned int)status);
	if (used.ru_maxrss > MEMORY_KIB)
		fail_msg("%s: took %ld KiB of memory", s->name, used.ru_maxrss);
}

static void checks_are_cheap(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		expect_cheap(*state, &shapes[i], check);
}

static void parsing_is_cheap(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		expect_cheap(*state, &shapes[i], parse);
}

/* ---- What is not hostile ------------------------------------------------------------ */

static void many_policies_are_read(void **state)
{
	static const struct shape honest = {
		"", "",
		"// The number %zu, which somebody wrote a line about.\n"
		"permit (\n    principal,\n    action in Action::\"FileOpen\",\n"
		"    resource in Dir::\"/usr/share/\"\n"
		") when { context.comm == \"program\" && resource.path like \"*.txt\" };\n",
		"", 2 * MIB
	};
	const struct fixture *f = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };

	make_text(&honest, honest.size, &text);
	if (policy_source_add_text(s, POLICY_LAYER_USER, "honest.cedar", buf_span(&text), false,
				   &report, &err) < 0)
		fail_msg("%s\n%s", err.text, report.data);
	assert_true(policy_source_len(s) > 9000);
	policy_source_free(s);
}

/* ---- What the limits say ---------------------------------------------------------------- */

static void expect_said(struct fixture *f, const struct shape *shape, size_t size, const char *said)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *report = NULL;
	int r;

	make_text(shape, size, &text);
	report = report_of(f, POLICY_LAYER_USER, text.data, &r);
	assert_true(r < 0);
	if (!strstr(report, said))
		fail_msg("not in the report: %s\n%.2000s", said, report);
}

static void limits_are_named(void **state)
{
	static const struct shape blank = { "", "", " ", "", 0 };
	static const struct shape set = { "", SCOPE "when{\n[", "1,", "1].contains(1)};", 0 };
	static const struct shape small = { "", "", SCOPE ";", "", 0 };
	static const struct shape path = { "", "forbid(principal,action,resource==File::\"", "/a",
					   "\");", 0 };

	expect_said(*state, &blank, LIMIT_POLICY_FILE + 1,
		    "the text is larger than 3145728 bytes [too_large]");
	expect_said(*state, &set, LIMIT_POLICY_FILE, "test.cedar:2:");
	expect_said(*state, &set, LIMIT_POLICY_FILE, "needs more than 41943040 bytes of memory");
	expect_said(*state, &small, (LIMIT_POLICIES + 1) * (sizeof(SCOPE ";") - 1),
		    "there are more than 50000 policies [too_many_policies]");
	expect_said(*state, &path, 5000, "no request has a path of more than 4096 bytes");
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(checks_are_cheap),
		TEST(parsing_is_cheap),
		TEST(many_policies_are_read),
		TEST(limits_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
