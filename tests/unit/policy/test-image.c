/* The image decides as the evaluator does, and damaged images are refused. */
#include "fixture.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "policy/bundle.h"
#include "policy/image-build.h"
#include "policy/image.h"
#include "random-policy.h"

#define SETS 3000
#define REQUESTS 500

static struct policy *open_texts(const struct fixture *f, const char *own, const char *user)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct policy *p = NULL;
	struct err err = { 0 };
	int fd;

	policy_source_skip_validation(s);
	if (policy_source_add_text(s, POLICY_LAYER_USER, "user", span_of(user), false, &report,
				   &err) < 0 ||
	    (own && policy_source_add_text(s, POLICY_LAYER_OWN, "own", span_of(own), false, &report,
					   &err) < 0)) {
		policy_source_free(s);
		return NULL;
	}
	fd = policy_source_bundle(s, 7, &err);
	if (fd < 0 || policy_open(fd, &p, &err) < 0)
		fail_msg("%s\n%s%s", err.text, user, own ? own : "");
	fd_close(fd);
	policy_source_free(s);
	return p;
}

static bool same(const struct policy_decision *a, const struct policy_decision *b)
{
	if (a->verdict != b->verdict || a->is_own_rule != b->is_own_rule ||
	    a->n_reasons != b->n_reasons || a->has_error != b->has_error ||
	    a->n_more_reasons != b->n_more_reasons || a->generation != b->generation)
		return false;
	for (size_t i = 0; i < a->n_reasons; i++)
		if (strcmp(a->reasons[i], b->reasons[i]) != 0)
			return false;
	return true;
}

static void print(const char *name, const struct policy_decision *d)
{
	print_message("%s: %s%s%s, %zu more:", name, d->verdict == DECISION_ALLOW ? "allow" : "deny",
		      d->is_own_rule ? " own" : "", d->has_error ? " error" : "", d->n_more_reasons);
	for (size_t i = 0; i < d->n_reasons; i++)
		print_message(" %s", d->reasons[i]);
	print_message("\n");
}

static void expect_same(const struct random_request *r, const struct policy_decision *a,
			const struct policy_decision *b, const char *texts)
{
	const unsigned char *ip = r->request.address.bytes;

	if (same(a, b))
		return;
	print("image", a);
	print("evaluator", b);
	fail_msg("%s path \"%s\" dir %d reads %d link %d host \"%.*s\" port %d ip %d %d.%d.%d.%d "
		 "exe \"%s\" comm \"%s\"\n%s",
		 policy_action_name(r->request.action), r->path, r->request.is_directory,
		 r->request.also_reads, r->request.is_link, SPAN_ARG(r->request.host), r->request.port,
		 r->request.has_address, ip[0], ip[1], ip[2], ip[3], r->exe, r->comm, texts);
}

static void random_texts(struct buf *own, struct buf *user)
{
	(void)buf_append_str(own, "");
	(void)buf_append_str(user, "");
	for (long i = 1 + random() % 6; i > 0; i--)
		random_policy(user);
	if (random() % 3 == 0)
		random_policy(own);
}

static void the_image_decides_as_the_evaluator(void **state)
{
	struct policy_decider *image = policy_decider_new(0), *plain = policy_decider_new(0);
	size_t n[2] = { 0 }, n_requests = 0, n_sets = 0, n_reasons = 0, n_whole = 0, n_asked = 0;
	struct fixture *f = *state;

	policy_decider_evaluate_only(plain);
	for (unsigned int seed = 0; n_sets < SETS; seed++) {
		_cleanup_buf_ struct buf own = BUF_INIT(0);
		_cleanup_buf_ struct buf user = BUF_INIT(0);
		struct policy *p;

		srandom(seed);
		random_texts(&own, &user);
		p = open_texts(f, own.data, user.data);
		if (!p)
			continue;
		n_sets++;
		for (size_t i = 0; i < REQUESTS; i++, n_requests++) {
			struct policy_decision a, b;
			struct random_request r;

			uint64_t asked = policy_decider_asked(image);
			bool is_whole;

			random_request(&r);
			policy_decide(image, p, &r.request, &a);
			policy_decide(plain, p, &r.request, &b);
			n[a.verdict == DECISION_ALLOW]++;
			n_reasons += a.n_reasons;
			is_whole = r.request.fact && r.missing == POLICY_FACT_MAX &&
				   r.request.http &&
				   !(b.n_reasons && strcmp(b.reasons[0], "leash:undecidable") == 0);
			n_whole += is_whole;
			n_asked += is_whole && policy_decider_asked(image) > asked;
			if (!same(&a, &b)) {
				print_message("seed %u, own: %s\n", seed, own.data);
				expect_same(&r, &a, &b, user.data);
			}
		}
		policy_unref(p);
	}
	printf("# %zu requests, %zu policy sets, %zu allowed, %zu reasons\n", n_requests, n_sets,
	       n[1], n_reasons);
	printf("# %.1f %% asked; of those with a proper object and all facts %.1f %%\n",
	       100.0 * (double)policy_decider_asked(image) / (double)n_requests,
	       100.0 * (double)n_asked / (double)n_whole);
	assert_in_range(n[1], n_requests / 20, n_requests);
	assert_true(policy_decider_asked(image) < n_requests / 2);
	policy_decider_free(image);
	policy_decider_free(plain);
}

/* ---- What is exact ----------------------------------------------------------------- */

static size_t asked_under(struct fixture *f, const char *text, const struct policy_request *r,
			  enum decision wanted)
{
	struct policy_decider *d = policy_decider_new(0);
	struct policy_decision decision;
	size_t n;

	use_odd_text(f, text);
	policy_decide(d, f->policy, r, &decision);
	assert_int_equal(decision.verdict, wanted);
	n = (size_t)policy_decider_asked(d);
	policy_decider_free(d);
	return n;
}

static int give_exe(_unused_ void *ctx, enum policy_fact fact, struct span *ret)
{
	*ret = fact == POLICY_FACT_ARGV ? SPAN("git\0push\0") : SPAN("/usr/bin/git");
	return 0;
}

/* What people write is decided without evaluating. */
static void usual_policies_are_exact(void **state)
{
	const struct policy_request file = {
		.action = WRITE, .path = SPAN("/w/src/a.c"), .also_reads = true, .fact = give_exe
	};
	const struct policy_request run = { .action = POLICY_PROCESS_EXEC,
					    .path = SPAN("/usr/bin/git"),
					    .fact = give_exe };
	const struct policy_request host = { .action = POLICY_NETWORK_CONNECT,
					     .host = SPAN("api.a.b"),
					     .address = { { 10, 1, 2, 3 }, false },
					     .has_address = true,
					     .port = 443,
					     .protocol = SPAN("tcp"),
					     .fact = give_exe };
	const struct policy_request bare = { .action = CREATE,
					     .path = SPAN("/w/src"),
					     .also_reads = true };
	const struct policy_request name = { .action = POLICY_DNS_RESOLVE,
					     .host = SPAN("api.a.b") };
	const struct {
		const char *text;
		const struct policy_request *request;
		enum decision wanted;
	} cases[] = {
		{ "permit (principal, action, resource in Dir::\"/w\");", &file, DECISION_ALLOW },
		/* A name that a directory may get: forbids on that hold for it, permits do not. */
		{ "permit (principal, action, resource in Dir::\"/w\");"
		  "forbid (principal, action, resource in Dir::\"/w/src\");",
		  &bare, DECISION_DENY },
		{ "permit (principal, action, resource in Dir::\"/w/src\");", &bare,
		  DECISION_DENY },
		{ "permit (principal, action, resource in Dir::\"/w\");"
		  "forbid (principal, action, resource in Dir::\"/w\")"
		  "unless { resource in Dir::\"/w/src\" };",
		  &bare, DECISION_DENY },
		{ "permit (principal, action, resource in Dir::\"/w\");"
		  "forbid (principal, action, resource in Dir::\"/w/src\")"
		  "when { resource.path like \"*/x\" };",
		  &bare, DECISION_ALLOW },
		{ "permit (principal, action, resource is File) when { resource.path like "
		  "\"/w/*.c\" };",
		  &file, DECISION_ALLOW },
		{ "permit (principal, action, resource in Dir::\"/w\")"
		  "unless { resource.path like \"*/src/*\" };",
		  &file, DECISION_DENY },
		{ "permit (principal, action, resource)"
		  "when { context.exe == \"/usr/bin/git\" && context.comm like \"*git\" };",
		  &file, DECISION_ALLOW },
		{ "permit (principal, action, resource) when { context.exe like \"/usr/bin/*\" };"
		  "forbid (principal, action == Action::\"ProcessExec\", resource)"
		  "when { context.argv.contains(\"push\") && resource.path like \"*/git\" };",
		  &run, DECISION_DENY },
		{ "permit (principal, action == Action::\"ProcessExec\", resource)"
		  "when { context.argv.containsAll([\"git\", \"push\"]) && context.args like \"git "
		  "*\" };",
		  &run, DECISION_ALLOW },
		{ "permit (principal, action, resource in Host::\"*.a.b:443\");", &host,
		  DECISION_ALLOW },
		{ "permit (principal, action, resource in DnsZone::\"b\");"
		  "forbid (principal, action, resource in IpRange::\"10.0.0.0/8\");",
		  &host, DECISION_DENY },
		{ "permit (principal, action == Action::\"NetworkConnect\", resource)"
		  "when { context.port == 443 || context.port == 80 }"
		  "unless { context.ip.isInRange(ip(\"192.168.0.0/16\")) };",
		  &host, DECISION_ALLOW },
		{ "permit (principal, action == Action::\"NetworkConnect\", resource)"
		  "when { context has hostname && context.hostname like \"*.a.b\" &&"
		  "       [\"tcp\", \"udp\"].contains(context.protocol) &&"
		  "       resource has port && resource.port < 1024 };",
		  &host, DECISION_ALLOW },
		{ "permit (principal, action, resource)"
		  "when { context.now > datetime(\"2020-01-01\") &&"
		  "       context.now.toTime() >= duration(\"0h\") };",
		  &host, DECISION_ALLOW },
		{ "permit (principal, action, resource in Host::\"api.a.b:22\");", &name,
		  DECISION_ALLOW },
		{ "permit (principal, action, resource)"
		  "when { if action == Action::\"FileDelete\" then false else principal is Agent "
		  "};",
		  &file, DECISION_ALLOW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (asked_under(*state, cases[i].text, cases[i].request, cases[i].wanted) != 0)
			fail_msg("asked: %s", cases[i].text);
}

/* What policies say of requests leaves connections and look-ups to the tables. */
static void only_requests_are_evaluated_for_what_they_hold(void **state)
{
	static const char text[] =
		"permit (principal, action in Action::\"NetworkConnect\", resource in "
		"Host::\"*.a.b\");"
		"forbid (principal, action in Action::\"HttpRequest\", resource in "
		"Host::\"api.a.b\")"
		"unless { context has path && context.method == \"GET\" };";
	const struct policy_http get = { .method = SPAN("GET"),
					 .scheme = SPAN("https"),
					 .path = SPAN("/") };
	struct policy_request r = { .host = SPAN("api.a.b"),
				    .address = { { 10, 1, 2, 3 }, false },
				    .has_address = true,
				    .port = 443,
				    .protocol = SPAN("tcp"),
				    .http = &get };

	r.action = POLICY_NETWORK_CONNECT;
	assert_int_equal(asked_under(*state, text, &r, DECISION_ALLOW), 0);
	r.action = POLICY_DNS_RESOLVE;
	assert_int_equal(asked_under(*state, text, &r, DECISION_ALLOW), 0);
	r.action = POLICY_HTTP_REQUEST;
	assert_int_equal(asked_under(*state, text, &r, DECISION_ALLOW), 1);
	/* Only where it could matter. */
	r.host = SPAN("other.a.b");
	assert_int_equal(asked_under(*state, text, &r, DECISION_ALLOW), 0);
	r.host = SPAN("other");
	assert_int_equal(asked_under(*state, text, &r, DECISION_DENY), 0);
	/* Policies that name no such fact. */
	r.host = SPAN("api.a.b");
	assert_int_equal(asked_under(*state,
				     "permit (principal, action, resource) when { resource.port == "
				     "443 };",
				     &r, DECISION_ALLOW),
			 0);
}

static void what_tables_cannot_hold_is_evaluated(void **state)
{
	const struct policy_request r = { .action = READ, .path = SPAN("/w/a"), .fact = give_exe };
	const struct policy_request elsewhere = { .action = READ,
						  .path = SPAN("/x"),
						  .fact = give_exe };
	const char *text = "permit (principal, action, resource);"
			   "forbid (principal, action, resource in Dir::\"/w\")"
			   "when { context.exe == resource.path };";

	assert_int_equal(asked_under(*state, text, &r, DECISION_ALLOW), 1);
	/* Only where it could matter. */
	assert_int_equal(asked_under(*state, text, &elsewhere, DECISION_ALLOW), 0);
}

static void profiles_are_exact(void **state)
{
	static const char *const names[] = { "guarded", "permissive", "locked" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct policy_report *reports = NULL;
		struct policy_source *s;
		struct err err = { 0 };
		size_t n = 0;

		f->env.profile = names[i];
		s = policy_source_new(&f->env);
		assert_int_equal(policy_source_add_builtin(s, true, &err), 0);
		assert_int_equal(policy_source_report(s, &reports, &n, &err), 0);
		assert_true(n > 0 && n == policy_source_len(s));
		for (size_t j = 0; j < n; j++)
			if (reports[j].handling != POLICY_EXACT)
				fail_msg("%s: %s", reports[j].id, reports[j].blame);
		policy_reports_free(reports, n);
		policy_source_free(s);
	}
}

static void reports_name_what_is_to_blame(void **state)
{
	static const struct {
		const char *text;
		enum policy_handling handling;
		const char *blame;
	} cases[] = {
		{ "permit (principal, action, resource in Dir::\"/w\");", POLICY_EXACT, NULL },
		{ "forbid (principal, action, resource in Dir::\"/w\")"
		  "when { resource.path like \"*.c\" && context.exe == resource.path };",
		  POLICY_PARTLY_ASKS, "context.exe == resource.path" },
		{ "permit (principal == Agent::\"other\", action, resource);", POLICY_NEVER_APPLIES,
		  "principal == Agent::\"other\"" },
		{ "permit (principal, action == Action::\"HttpRewrite\", resource);",
		  POLICY_NEVER_APPLIES, "action == Action::\"HttpRewrite\"" },
		{ "permit (principal, action == Action::\"HttpRequest\", resource) when { true && "
		  "context.method == \"GET\" };",
		  POLICY_PARTLY_ASKS, "context.method == \"GET\"" },
		{ "forbid (principal, action == Action::\"HttpRequest\", resource) when { "
		  "context has method && context.headers has cookie };",
		  POLICY_PARTLY_ASKS, "context.headers has cookie" },
		/* It errs, so it denies. */
		{ "forbid (principal, action == Action::\"NetworkConnect\", resource) unless { "
		  "action in Action::\"HttpRequest\" || context.method == \"GET\" };",
		  POLICY_EXACT, NULL },
		{ "permit (principal, action == Action::\"ProcessExec\", resource) when { "
		  "context.args like \"a*\" };",
		  POLICY_EXACT, NULL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_source *s = policy_source_new(&f->env);
		_cleanup_buf_ struct buf report = BUF_INIT(0);
		struct policy_report *reports = NULL;
		struct err err = { 0 };
		size_t n = 0;

		policy_source_skip_validation(s);
		assert_int_equal(policy_source_add_text(s, POLICY_LAYER_USER, "t",
							span_of(cases[i].text), false, &report,
							&err),
				 0);
		assert_int_equal(policy_source_report(s, &reports, &n, &err), 0);
		assert_int_equal(n, 1);
		assert_int_equal(reports[0].handling, cases[i].handling);
		if (cases[i].blame)
			assert_string_equal(reports[0].blame, cases[i].blame);
		else
			assert_null(reports[0].blame);
		policy_reports_free(reports, n);
		policy_source_free(s);
	}
}

/* ---- Size and cost -------------------------------------------------------------------- */

static void many_policies(struct fixture *f, size_t n)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	for (size_t i = 0; i < n; i++)
		(void)buf_printf(&text,
				 "permit (principal, action in Action::\"FileOpen\", resource in "
				 "Dir::\"/srv/projects/team-%zu/src\");\n",
				 i);
	use_odd_text(f, text.data);
}

static void an_image_is_small(void **state)
{
	struct fixture *f = *state;

	many_policies(f, 10000);
	assert_in_range(policy_image_size(f->policy), 1, 4 << 20);
	assert_allowed(f, READ, "/srv/projects/team-9999/src/a");
	assert_denied(f, READ, "/srv/projects/team-10000/src/a");
}

static void a_decision_does_not_allocate(void **state)
{
	struct fixture *f = *state;
	const struct policy_request r = { .action = READ,
					  .path = SPAN("/srv/projects/team-7/src/a.c") };
	struct policy_decider *d = policy_decider_new(0);
	struct policy_decision decision;
	struct mallinfo2 before, after;

	many_policies(f, 1000);
	policy_decide(d, f->policy, &r, &decision);
	before = mallinfo2();
	for (int i = 0; i < 1000; i++)
		policy_decide(d, f->policy, &r, &decision);
	after = mallinfo2();
	assert_int_equal(before.uordblks, after.uordblks);
	assert_int_equal(policy_decider_asked(d), 0);
	policy_decider_free(d);
}

/* All satisfied policies count, few have names; each counts once. */
static void reasons_are_counted_once(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct policy_decision d;

	for (int i = 0; i < 200; i++)
		(void)buf_append_str(&text,
				     "permit (principal, action, resource in Dir::\"/a\");\n");
	use_odd_text(f, text.data);
	d = decide_file(f, READ, "/a/b");
	assert_int_equal(d.n_reasons, POLICY_MAX_REASONS);
	assert_int_equal(d.n_more_reasons, 200 - POLICY_MAX_REASONS);
	assert_string_equal(d.reasons[0], "file:policy0");
	use_odd_text(f, "permit (principal, action, resource) when { resource in Dir::\"/a\" ||"
			"  (resource in Dir::\"/a/b\" && resource.path like \"*c\") };"
			"permit (principal, action, resource);");
	d = decide_file(f, READ, "/a/b/c");
	assert_int_equal(d.n_reasons, 2);
	assert_string_equal(d.reasons[0], "file:policy0");
	assert_string_equal(d.reasons[1], "file:policy1");
}

/* ---- Damage ----------------------------------------------------------------------------- */

static const char small[] =
	"permit (principal, action, resource in Dir::\"/x\");"
	"forbid (principal, action, resource is File) when { resource.path like \"*/s/*\" ||"
	"  resource.path like \"/x/*/y*.k\" || resource.path like \"*.z\" };"
	"permit (principal, action, resource in Host::\"*.a.b:443\")"
	"  unless { context.ip.isInRange(ip(\"10.0.0.0/8\")) || context.port > 1024 };"
	"forbid (principal, action, resource) when { context.now < datetime(\"2020-01-01\") };";

/* Returns the number of policies. */
static size_t build(struct fixture *f, struct buf *out)
{
	use_odd_text(f, small);
	assert_int_equal(image_build(f->policy, NULL, out), 0);
	return f->policy->n_rules;
}

/* A copy of the exact size, so that a sanitizer sees a read past the end. */
static int open_copy(struct span bytes, size_t n_rules, char **ret_copy, struct image *ret)
{
	*ret_copy = xcalloc(bytes.len ? bytes.len : 1, 1);
	if (bytes.len)
		memcpy(*ret_copy, bytes.p, bytes.len);
	return image_open(span_make(*ret_copy, bytes.len), n_rules, ret);
}

static void expect_refused(struct span bytes, size_t n_rules)
{
	_cleanup_free_ char *copy = NULL;
	struct image image;

	assert_int_equal(open_copy(bytes, n_rules, &copy, &image), -EBADMSG);
}

static void damage_is_refused(void **state)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	_cleanup_free_ char *copy = NULL;
	struct fixture *f = *state;
	struct image image;
	size_t n;

	n = build(f, &bytes);
	assert_int_equal(open_copy(buf_span(&bytes), n, &copy, &image), 0);
	expect_refused(buf_span(&bytes), n + 1);
	for (size_t len = 0; len < bytes.len; len++)
		expect_refused(span_make(bytes.data, len), n);
	for (size_t i = 0; i < bytes.len; i++) {
		for (int bit = 1; bit < 256; bit <<= 1) {
			bytes.data[i] = (char)(bytes.data[i] ^ bit);
			expect_refused(buf_span(&bytes), n);
			bytes.data[i] = (char)(bytes.data[i] ^ bit);
		}
	}
	(void)buf_append(&bytes, (const char[8]){ 0 }, 8);
	expect_refused(buf_span(&bytes), n);
}

static void decide_all(const struct image *image, const char *const *ids,
		       const struct policy_request *requests, size_t n)
{
	struct image_run run = { 0 };
	struct facts facts = { 0 };
	struct policy_decision d;
	uint32_t rank;

	image_run_start(&run, image);
	for (size_t i = 0; i < n; i++) {
		(void)image_decide(&run, &requests[i], &facts, ids, &d);
		(void)image_find_below(image, requests[i].path, &rank);
	}
	image_run_done(&run);
}

/* As if an image of another author had a sound checksum: whatever is accepted can be used safely.
 */
static void every_word_is_checked(void **state)
{
	static const uint32_t values[] = { 0, 1, 7, 0x7fffffff, UINT32_MAX - 3, UINT32_MAX };
	const struct policy_request requests[] = {
		{ .action = READ, .path = SPAN("/x/s/y/yy.k") },
		{ .action = CREATE, .path = SPAN("/x/a.z"), .also_reads = true, .is_link = true },
		{ .action = POLICY_NETWORK_CONNECT,
		  .host = SPAN("x.a.b"),
		  .has_address = true,
		  .address = { { 10, 1, 2, 3 }, false },
		  .port = 443,
		  .protocol = SPAN("tcp") },
		{ .action = POLICY_DNS_RESOLVE, .host = SPAN("x.a.b") },
	};
	_cleanup_buf_ struct buf bytes = BUF_INIT(0);
	struct fixture *f = *state;
	size_t n_accepted = 0, n = build(f, &bytes);
	for (size_t at = 0; at + 4 <= bytes.len; at += 4) {
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			_cleanup_free_ char *copy = xmemdup0(bytes.data, bytes.len);
			struct image_header h;
			struct image image;

			memcpy(copy + at, &values[v], 4);
			memcpy(&h, copy, sizeof(h));
			h.checksum = image_checksum(span_make(copy, bytes.len));
			memcpy(copy, &h, sizeof(h));
			if (image_open(span_make(copy, bytes.len), n, &image) < 0)
				continue;
			n_accepted++;
			decide_all(&image, f->policy->ids, requests, ARRAY_SIZE(requests));
		}
	}
	assert_true(n_accepted > 100);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_image_decides_as_the_evaluator),
		TEST(usual_policies_are_exact),
		TEST(what_tables_cannot_hold_is_evaluated),
		TEST(only_requests_are_evaluated_for_what_they_hold),
		TEST(profiles_are_exact),
		TEST(reports_name_what_is_to_blame),
		TEST(an_image_is_small),
		TEST(a_decision_does_not_allocate),
		TEST(reasons_are_counted_once),
		TEST(damage_is_refused),
		TEST(every_word_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
