/* The image decides as the evaluator does, and damaged images are refused. */
#include "fixture.h"

#include <errno.h>
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
#define REQUESTS 400

static struct policy *open_texts(const struct fixture *f, const char *own, const char *user)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *s = policy_source_new(&f->env);
	struct policy *p = NULL;
	struct err err = { 0 };
	int fd;

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
	size_t n[2] = { 0 }, n_requests = 0, n_sets = 0, n_reasons = 0;
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

			random_request(&r);
			policy_decide(image, p, &r.request, &a);
			policy_decide(plain, p, &r.request, &b);
			n[a.verdict == DECISION_ALLOW]++;
			n_reasons += a.n_reasons;
			(void)buf_append_span(&user, (struct span){ 0 });
			if (!same(&a, &b)) {
				print_message("seed %u, own: %s\n", seed, own.data);
				expect_same(&r, &a, &b, user.data);
			}
		}
		policy_unref(p);
	}
	print_message("%zu requests, %zu policy sets, %zu allowed, %zu reasons, %.1f %% asked\n",
		      n_requests, n_sets, n[1], n_reasons,
		      100.0 * (double)policy_decider_asked(image) / (double)n_requests);
	assert_in_range(n[1], n_requests / 20, n_requests);
	assert_true(policy_decider_asked(image) < n_requests / 2);
	policy_decider_free(image);
	policy_decider_free(plain);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_image_decides_as_the_evaluator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
