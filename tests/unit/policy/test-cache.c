/* Decisions with a cache equal decisions without one, and a cache stays small. */
#include "fixture.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/alloc.h"

static const char policy_text[] =
	"permit (principal, action in Action::\"FileOpen\", resource in Dir::\"/a\");"
	"permit (principal, action in Action::\"FileOpenReadWrite\", resource in Dir::\"/b\")"
	"  when { context.exe == \"/bin/x\" };"
	"forbid (principal, action == Action::\"FileOpenReadOnly\", resource in Dir::\"/a/s\");"
	"forbid (principal, action == Action::\"FileDelete\", resource)"
	"  when { context.comm == \"rm\" };"
	"permit (principal, action in Action::\"NetworkConnect\", resource in Host::\"*.a\");"
	"permit (principal, action in Action::\"NetworkConnect\", resource)"
	"  when { context.port == 443 && context.protocol == \"tcp\" };"
	"forbid (principal, action in Action::\"NetworkConnect\", resource in "
	"IpRange::\"10.0.0.0/8\");"
	"forbid (principal, action in Action::\"NetworkConnect\", resource)"
	"  when { context has hostname && context.hostname == \"x.a\" };"
	"forbid (principal, action == Action::\"HttpRequest\", resource in Host::\"y.a\")"
	"  when { context has method && context.method == \"PUT\" };"
	"permit (principal, action == Action::\"HttpRequest\", resource)"
	"  when { context has path && context.path like \"/y*\" };";

static const struct policy_http requests[] = {
	{ .method = SPAN("GET"), .scheme = SPAN("https"), .path = SPAN("/x") },
	{ .method = SPAN("PUT"), .scheme = SPAN("https"), .path = SPAN("/x") },
	{ .method = SPAN("GET"), .scheme = SPAN("http"), .path = SPAN("/y"), .query = SPAN("q") },
};

static const char *pick(const char *const *list, size_t n)
{
	return list[(size_t)random() % n];
}

static int give_fact(_unused_ void *ctx, enum policy_fact fact, struct span *ret)
{
	static const char *const exes[] = { "/bin/x", "/bin/y", "" };
	static const char *const comms[] = { "rm", "r", "m" };
	long which = random() % 7;

	if (which == 6)
		return -ESRCH;
	*ret = span_of(fact == POLICY_FACT_EXE ? exes[which % 3] : comms[which % 3]);
	return 0;
}

static void random_request(struct policy_request *r)
{
	static const char *const paths[] = { "/a", "/a/s", "/a/s/x", "/b/x", "/b", "/c", "a", "/" };
	static const char *const hosts[] = { "", "x.a", "y.a", "X.A", "b", "b.", "*" };

	*r = (struct policy_request){
		.action = (enum policy_action)((unsigned long)random() % POLICY_ACTION_MAX),
		.path = span_of(pick(paths, ARRAY_SIZE(paths))),
		.is_directory = random() & 1,
		.also_reads = random() & 1,
		.host = span_of(pick(hosts, ARRAY_SIZE(hosts))),
		.has_address = random() & 1,
		.port = (uint16_t)(random() & 1 ? 443 : 80),
		.protocol = random() & 1 ? SPAN("tcp") : SPAN("udp"),
		.tool = SPAN("t"),
		.fact = random() & 1 ? give_fact : NULL,
		.http = random() & 1 ? &requests[random() % 3] : NULL,
	};
	r->address.is_v6 = random() & 1;
	r->address.bytes[0] = random() & 1 ? 10 : 11;
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

static void a_cache_changes_no_answer(void **state)
{
	struct fixture *f = *state;
	struct policy_decider *plain = policy_decider_new(0);
	size_t n_allowed = 0;

	use_text(f, policy_text);
	for (unsigned int i = 0; i < 200000; i++) {
		struct policy_decision with, without;
		struct policy_request r;

		srandom(i);
		random_request(&r);
		/* The same draws of facts for both. */
		srandom(i);
		policy_decide(f->decider, f->policy, &r, &with);
		srandom(i);
		policy_decide(plain, f->policy, &r, &without);
		if (!same(&with, &without))
			fail_msg("request %u", i);
		n_allowed += with.verdict == DECISION_ALLOW;
	}
	assert_in_range(n_allowed, 20000, 150000);
	policy_decider_free(plain);
}

static void another_policy_empties_the_cache(void **state)
{
	struct fixture *f = *state;
	struct policy *old;

	use_text(f, "permit (principal, action, resource);");
	old = policy_ref(f->policy);
	assert_allowed(f, READ, "/x");
	use_text(f, "forbid (principal, action, resource);");
	assert_denied(f, READ, "/x");
	policy_unref(old);
	assert_denied(f, READ, "/x");
}

static void time_is_not_cached(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource)"
		    "when { context.now > datetime(\"2020-01-01\") };");
	assert_allowed(f, READ, "/x");
	use_text(f, "permit (principal, action, resource)"
		    "when { context.now < datetime(\"2020-01-01\") };");
	assert_denied(f, READ, "/x");
}

static int give_counted(void *ctx, _unused_ enum policy_fact fact, struct span *ret)
{
	++*(int *)ctx;
	*ret = SPAN("/bin/x");
	return 0;
}

static void facts_are_fetched_only_where_mentioned(void **state)
{
	struct fixture *f = *state;
	int n = 0;
	struct policy_request r = {
		.action = READ, .path = SPAN("/a/x"), .fact = give_counted, .fact_ctx = &n
	};

	use_text(f, policy_text);
	assert_int_equal(decide(f, &r).verdict, DECISION_ALLOW);
	assert_int_equal(n, 0);
	r.action = WRITE;
	(void)decide(f, &r);
	assert_int_equal(n, 1);
}

static void a_hit_does_not_allocate(void **state)
{
	struct fixture *f = *state;
	struct policy_request r = { .action = READ,
				    .path = SPAN("/a/some/longer/path/of/a/file.c") };
	struct mallinfo2 before, after;

	use_profile(f, "guarded");
	(void)decide(f, &r);
	before = mallinfo2();
	for (int i = 0; i < 1000; i++)
		(void)decide(f, &r);
	after = mallinfo2();
	assert_int_equal(before.uordblks, after.uordblks);
}

static void a_full_cache_goes_on(void **state)
{
	struct fixture *f = *state;

	use_text(f, "permit (principal, action, resource in Dir::\"/a\");");
	for (int i = 0; i < 1000; i++) {
		_cleanup_free_ char *path = xasprintf("/%s/%d", i % 3 ? "a" : "b", i);

		assert_int_equal(file_allowed(f, READ, path), i % 3 != 0);
	}
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_cache_changes_no_answer), TEST(another_policy_empties_the_cache),
		TEST(time_is_not_cached),	 TEST(facts_are_fetched_only_where_mentioned),
		TEST(a_hit_does_not_allocate),	 TEST(a_full_cache_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
