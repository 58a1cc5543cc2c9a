/* What two policies decide differently: found where they differ, and nowhere else. */
#include "fixture.h"

#include "base/alloc.h"
#include "policy/difference.h"
#include "policy/request.h"

static struct policy_source *source_of(struct fixture *f, const char *text)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct err err = { 0 };

	if (policy_source_add_text(s, POLICY_LAYER_FILE, "t", span_of(text), false, &report, &err) <
	    0)
		fail_msg("%s\n%s", err.text, report.data);
	return s;
}

static struct policy *open_text(struct fixture *f, const char *text)
{
	struct policy_source *s = source_of(f, text);
	struct policy *p = NULL;
	struct err err = { 0 };
	_cleanup_close_ int fd = -1;

	fd = policy_source_bundle(s, 1, &err);
	if (fd < 0 || policy_open(fd, &p, &err) < 0)
		fail_msg("%s", err.text);
	policy_source_free(s);
	return p;
}

static void append(const struct difference *d, void *ctx)
{
	struct buf *out = ctx;
	_cleanup_buf_ struct buf id = BUF_INIT(0);

	assert_true(d->before->verdict != d->after->verdict);
	assert_int_equal(request_resource_id(d->request, &id), 0);
	(void)buf_printf(out, "%c%s %s%s\n", d->after->verdict == DECISION_ALLOW ? '+' : '-',
			 policy_action_name(d->request->action), id.data,
			 d->request->is_directory && id.len > 1 ? "/" : "");
}

static char *compare(struct fixture *f, const char *before, const char *after,
		     struct comparison *ret)
{
	struct policy *a = open_text(f, before), *b = open_text(f, after);
	struct buf out = BUF_INIT(0);

	(void)buf_append_str(&out, "");
	policy_compare(a, b, append, NULL, &out, ret);
	policy_unref(a);
	policy_unref(b);
	return buf_take(&out);
}

static void expect(struct fixture *f, const char *before, const char *after,
		   const char *const *wanted, const char *const *unwanted)
{
	struct comparison result;
	_cleanup_free_ char *found = compare(f, before, after, &result);

	for (; *wanted; wanted++)
		if (!strstr(found, *wanted))
			fail_msg("%s\n---\n%s---\nlacks %s\n%s", before, after, *wanted, found);
	for (; unwanted && *unwanted; unwanted++)
		if (strstr(found, *unwanted))
			fail_msg("%s\n---\n%s---\nhas %s\n%s", before, after, *unwanted, found);
	assert_false(result.is_cut);
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NONE ((const char *const[]){ NULL })

#define READ_ALL                                                                                   \
	"permit (principal, action == Action::\"FileOpenReadOnly\", resource in Dir::\"/\");"

static void the_same_policies(void **state)
{
	struct comparison result;
	_cleanup_free_ char *found = compare(*state, READ_ALL, READ_ALL, &result);
	_cleanup_free_ char *other = NULL;

	assert_string_equal(found, "");
	assert_int_equal(result.n_differences, 0);
	assert_true(result.n_requests > 10);
	/* Other words for the same. */
	other = compare(*state, READ_ALL,
			"permit (principal, action in [Action::\"FileOpenReadOnly\"], resource is "
			"File) when { "
			"resource.path like \"/*\" };",
			&result);
	assert_string_equal(other, "");
}

static void paths(void **state)
{
	expect(*state, READ_ALL,
	       READ_ALL "forbid (principal, action, resource in Dir::\"/srv/a\");",
	       LIST("-FileOpenReadOnly /srv/a/\n", "-FileOpenReadOnly /srv/a/x\n"),
	       LIST("/srv/ax", "/srv/x", "FileCreate"));
	expect(*state, READ_ALL,
	       READ_ALL "forbid (principal, action, resource is File) when { resource.path like "
			"\"*/.env\" };",
	       LIST("-FileOpenReadOnly /x/.env\n"), NONE);
	expect(*state,
	       "permit (principal, action in Action::\"FileOpenReadWrite\", resource == "
	       "File::\"/srv/f\");",
	       "permit (principal, action == Action::\"FileCreate\", resource == "
	       "File::\"/srv/f\");",
	       LIST("-FileDelete /srv/f\n", "-FileOpenReadWrite /srv/f\n"), LIST("FileCreate"));
}

static void hosts_and_ports(void **state)
{
#define CONNECT(rest) "permit (principal, action in Action::\"NetworkConnect\", resource" rest ";"
	expect(*state, CONNECT(" in Host::\"*.a.test\")"), CONNECT(" in DnsZone::\"a.test\")"),
	       LIST("+NetworkConnect a.test:443\n", "+DnsResolve a.test\n"), LIST("nota.test"));
	expect(*state, CONNECT(") when { context.port == 443 }"),
	       CONNECT(") when { context.port >= 443 }"), LIST(":444\n"), LIST(":442\n", ":443\n"));
	expect(*state, CONNECT(" in IpRange::\"10.0.0.0/8\")"),
	       CONNECT(" in IpRange::\"10.0.0.0/9\")"),
	       LIST("-NetworkConnect 10.128.0.0:443\n", "-NetworkConnect 10.255.255.255:443\n"),
	       LIST("10.0.0.0:", "11.0.0.0:", "9.255.255.255:", "10.127.255.255:"));
	expect(*state, CONNECT(") when { context.ip.isInRange(ip(\"2001:db8::/127\")) }"),
	       CONNECT(") when { context.ip.isInRange(ip(\"2001:db8::/128\")) }"),
	       LIST("-NetworkConnect [2001:db8::1]:443\n"), LIST("db8::2]", "db8::]"));
}

static void facts(void **state)
{
#define EXEC(rest)                                                                                 \
	"permit (principal, action == Action::\"ProcessExec\", resource) when { " rest " };"
	expect(*state, EXEC("context.exe == \"/usr/bin/make\""),
	       EXEC("context.exe == \"/usr/bin/make\" && context.argv.contains(\"-n\")"),
	       LIST("-ProcessExec /usr/bin/env\n"), NONE);
	/* Two facts of one policy must be tried together. */
	expect(*state, READ_ALL,
	       READ_ALL
	       "forbid (principal, action == Action::\"FileOpenReadOnly\", resource) when { "
	       "context.comm == \"a\" && context.exe like \"/opt/*\" };",
	       LIST("-FileOpenReadOnly /usr/bin/env\n"), NONE);
}

static void tools(void **state)
{
	expect(*state,
	       "permit (principal, action == Action::\"McpCall\", resource in MCP::Server::\"s\");",
	       "permit (principal, action == Action::\"McpCall\", resource == MCP::Tool::\"t\");",
	       LIST("+McpCall t\n", "-McpCall other-tool\n"), NONE);
}

static void what_names_too_much_is_cut(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *found = NULL;
	struct comparison result;

	for (size_t i = 0; i < 3000; i++)
		(void)buf_printf(
			&text,
			"permit (principal, action == Action::\"FileOpenReadOnly\", resource == "
			"File::\"/srv/%zu\") when { context.comm == \"c%zu\" };\n",
			i, i);
	found = compare(*state, text.data, READ_ALL, &result);
	assert_true(result.is_cut);
	assert_true(result.n_requests <= COMPARE_MAX_REQUESTS);
	assert_true(result.n_differences > 0);
}

#define REQUESTS                                                                                   \
	"permit (principal, action in Action::\"HttpRequest\", resource == Host::\"a.b:443\") "    \
	"when { "

/* What a policy names together is asked about together; connections are none of it. */
static void requests_of_http(void **state)
{
	static const struct {
		const char *before, *after;
		bool differs;
	} cases[] = {
		{ "context.method == \"GET\"", "context.method == \"PUT\"", true },
		{ "context.method == \"GET\"", "\"GET\" == context.method", false },
		{ "context.method == \"GET\" && context.path like \"/v1/*\"",
		  "context.method == \"GET\" && context.path like \"/v1/y*\"", true },
		{ "context.scheme == \"https\" && context.query == \"q\"",
		  "context.scheme == \"http\" && context.query == \"q\"", true },
		{ "context.headers has accept && context.headers.accept == \"a\"",
		  "context.headers has accept && context.headers.accept == \"b\"", true },
		{ "context.headers has accept", "context.headers has cookie", true },
		{ "context has headers.accept", "context.headers has accept", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *before = xasprintf("%s %s };", REQUESTS, cases[i].before);
		_cleanup_free_ char *after = xasprintf("%s %s };", REQUESTS, cases[i].after);

		expect(*state, before, after,
		       cases[i].differs ? LIST("HttpRequest a.b:443\n") : NONE,
		       cases[i].differs ? LIST("NetworkConnect", "DnsResolve")
					: LIST("HttpRequest"));
	}
}

static void count(const struct policy_item *item, void *ctx)
{
	(void)item;
	++*(size_t *)ctx;
}

static void policies_that_one_has(void **state)
{
	static const struct {
		const char *here, *there;
		size_t n;
	} cases[] = {
		{ "permit (principal, action, resource);", "permit(principal,action,resource);",
		  0 },
		{ "@id(\"a\") permit (principal, action, resource);",
		  "@id(\"b)\\\"c\") @note permit (principal, action, resource);", 0 },
		{ "@note permit (principal, action, resource in Dir::\"/a\");",
		  "@note permit (principal, action, resource in Dir::\"/b\");", 1 },
		{ "@id(\")\") permit (principal, action, resource);"
		  "@id(\"x\") forbid (principal, action, resource);",
		  "permit (principal, action, resource);", 1 },
		{ "@tls(\"passthrough\") permit (principal, action == Action::\"NetworkConnect\", "
		  "resource == Host::\"a.b\");",
		  "permit (principal, action == Action::\"NetworkConnect\", "
		  "resource == Host::\"a.b\");",
		  1 },
		{ "permit (principal, action, resource);", "", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_source *here = source_of(*state, cases[i].here);
		struct policy_source *there = source_of(*state, cases[i].there);
		size_t n = 0;

		difference_only(here, there, count, &n);
		if (n != cases[i].n)
			fail_msg("%s, but not in %s: %zu", cases[i].here, cases[i].there, n);
		policy_source_free(here);
		policy_source_free(there);
	}
}

static void ids_with_and_without_layer(void **state)
{
	const struct policy_decision d = { .n_reasons = 2, .reasons = { "file:keys", "plain" } };

	(void)state;
	assert_true(policy_decision_names(&d, "file:keys"));
	assert_true(policy_decision_names(&d, "keys"));
	assert_true(policy_decision_names(&d, "plain"));
	assert_false(policy_decision_names(&d, "file"));
	assert_false(policy_decision_names(&d, ""));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_same_policies),
		TEST(requests_of_http),
		TEST(paths),
		TEST(hosts_and_ports),
		TEST(facts),
		TEST(tools),
		TEST(what_names_too_much_is_cut),
		TEST(policies_that_one_has),
		TEST(ids_with_and_without_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
