/*
 * What a decision costs: under a built-in profile, by the image, by evaluating
 * and from the evaluator's cache; and by the image under few and many policies.
 * Processor time; of several batches the best, for others use the machine too.
 *
 *   bench-policy [PROFILE [WORKSPACE]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "policy/policy.h"

/* Other programs' turns on the processor are not our cost. */
static uint64_t processor_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
		abort();
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

struct source {
	const char *profile, *workspace;
	struct span text; /* instead of a profile */
};

static struct policy *load(const struct source *source)
{
	const struct policy_environment env = {
		.agent = "claude",
		.home = "/home/dev",
		.workspace = source->workspace,
		.profile = source->profile,
	};
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	uint64_t start = processor_ns(), bundling, opening;
	struct policy_source *s = policy_source_new(&env);
	struct policy *p = NULL;
	struct err err = { 0 };
	int fd = -1, r;

	if (source->profile)
		r = policy_source_add_builtin(s, /* with_profile = */ true, &err);
	else
		r = policy_source_add_text(s, POLICY_LAYER_FILE, "bench", source->text,
					   /* color = */ false, &report, &err);
	bundling = processor_ns();
	if (r >= 0)
		fd = policy_source_bundle(s, 1, &err);
	opening = processor_ns();
	if (fd < 0 || policy_open(fd, &p, &err) < 0) {
		(void)fprintf(stderr, "bench-policy: %s\n%s", err.text, report.data ? report.data : "");
		exit(1);
	}
	printf("%zu policies%s%s: %.2f ms to load and validate, %.2f ms to compile, %.2f ms to open, "
	       "image %.0f KiB\n",
	       policy_source_len(s), source->profile ? " of " : "",
	       source->profile ? source->profile : "", (double)(bundling - start) / 1e6,
	       (double)(opening - bundling) / 1e6, (double)(processor_ns() - opening) / 1e6,
	       (double)policy_image_size(p) / 1024);
	fd_close(fd);
	policy_source_free(s);
	return p;
}

enum { BATCHES = 200, IN_TURN = 512 };

/* Of several batches the fastest, per request; the requests are taken in turn. */
static double best_ns(struct policy_decider *d, const struct policy *p,
		      const struct policy_request *r, size_t n_requests, size_t n,
		      struct policy_decision *ret)
{
	double best = 1e18;

	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t start = processor_ns();
		double ns;

		for (size_t i = 0; i < n; i++)
			policy_decide(d, p, &r[i % n_requests], ret);
		ns = (double)(processor_ns() - start) / (double)n;
		if (ns < best)
			best = ns;
	}
	return best;
}

enum way {
	BY_IMAGE,
	BY_EVALUATION,
	FROM_CACHE,
};

static double measure_by(enum way way, const struct policy *p, const struct policy_request *r,
			 size_t n_requests, struct policy_decision *ret)
{
	struct policy_decider *d = policy_decider_new(way == FROM_CACHE ? 1024 : 0);
	double ns;

	if (way != BY_IMAGE)
		policy_decider_evaluate_only(d);
	ns = best_ns(d, p, r, n_requests, way == BY_EVALUATION ? 50 : 4 * IN_TURN, ret);
	if (way == BY_IMAGE && policy_decider_asked(d))
		(void)printf("(%llu decisions were left to the evaluator)\n",
			     (unsigned long long)policy_decider_asked(d));
	policy_decider_free(d);
	return ns;
}

static void measure(const char *what, const struct policy *p, const struct policy_request *r)
{
	struct policy_decision d;
	double image = measure_by(BY_IMAGE, p, r, 1, &d);
	double evaluated = measure_by(BY_EVALUATION, p, r, 1, &d);
	double cached = measure_by(FROM_CACHE, p, r, 1, &d);

	printf("%-24s %8.1f ns   evaluated %8.1f ns   cached %6.1f ns  (%s, %zu reasons)\n", what,
	       image, evaluated, cached, d.verdict == DECISION_ALLOW ? "allow" : "deny",
	       d.n_reasons);
}

/* ---- Few and many policies ------------------------------------------------------- */

static void append_policies(struct buf *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (i % 5) {
		case 0:
			(void)buf_printf(out,
					 "permit (principal, action in Action::\"FileOpen\", resource in "
					 "Dir::\"/srv/projects/team-%zu/src\");\n",
					 i);
			break;
		case 1:
			(void)buf_printf(out,
					 "forbid (principal, action in Action::\"FileOpen\", resource) when "
					 "{ resource.path like \"/srv/projects/team-%zu/*/secret-*.key\" };\n",
					 i - 1);
			break;
		case 2:
			(void)buf_printf(out,
					 "permit (principal, action in Action::\"NetworkConnect\", resource "
					 "in Host::\"*.svc-%zu.example.com:443\");\n",
					 i);
			break;
		case 3:
			(void)buf_printf(out,
					 "forbid (principal, action in Action::\"NetworkConnect\", resource "
					 "in IpRange::\"10.%zu.%zu.0/24\");\n",
					 i / 256 % 256, i % 256);
			break;
		default:
			(void)buf_printf(out,
					 "forbid (principal, action == Action::\"ProcessExec\", resource) when "
					 "{ context.argv.contains(\"--flag-%zu\") } unless { resource == "
					 "File::\"/usr/bin/tool-%zu\" };\n",
					 i, i);
		}
	}
}

static double measure_many(const struct policy *p, size_t n_policies, size_t n_in_turn, bool is_host)
{
	static char texts[IN_TURN][80];
	static struct policy_request requests[IN_TURN];
	struct policy_decision d;

	for (size_t i = 0; i < n_in_turn; i++) {
		size_t number = i * 7919 * 5 % n_policies / 5 * 5;
		int len = snprintf(texts[i], sizeof(texts[i]),
				   is_host ? "api.svc-%zu.example.com"
					   : "/srv/projects/team-%zu/src/lib/main.c",
				   is_host ? number + 2 : number);
		struct span text = { texts[i], (size_t)len };

		requests[i] = (struct policy_request){
			.action = is_host ? POLICY_NETWORK_CONNECT : POLICY_FILE_OPEN_READ_ONLY,
			.host = is_host ? text : (struct span){ 0 },
			.path = text,
			.address = { { 104, 16, 1, 34 }, false },
			.has_address = is_host,
			.port = 443,
			.protocol = SPAN("tcp"),
		};
	}
	return measure_by(BY_IMAGE, p, requests, n_in_turn, &d);
}

static void measure_size(size_t n)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct policy *p;

	append_policies(&text, n);
	p = load(&(struct source){ .text = buf_span(&text), .workspace = "/home/dev/work" });
	printf("  one path %.1f ns, %d paths in turn %.1f ns; one host %.1f ns, %d hosts in turn %.1f ns\n",
	       measure_many(p, n, 1, false), IN_TURN, measure_many(p, n, IN_TURN, false),
	       measure_many(p, n, 1, true), IN_TURN, measure_many(p, n, IN_TURN, true));
	policy_unref(p);
}

int main(int argc, char **argv)
{
	struct policy *p = load(&(struct source){ .profile = argc > 1 ? argv[1] : "guarded",
						  .workspace = argc > 2 ? argv[2]
									: "/home/dev/work" });
	const struct policy_request read = {
		.action = POLICY_FILE_OPEN_READ_ONLY,
		.path = SPAN("/home/dev/work/node_modules/typescript/lib/lib.es2020.d.ts"),
	};
	const struct policy_request write = {
		.action = POLICY_FILE_OPEN_READ_WRITE,
		.path = SPAN("/home/dev/work/node_modules/typescript/lib/lib.es2020.d.ts"),
		.also_reads = true,
	};
	const struct policy_request connect = {
		.action = POLICY_NETWORK_CONNECT,
		.host = SPAN("registry.npmjs.org"),
		.address = { { 104, 16, 1, 34 }, false },
		.has_address = true,
		.port = 443,
		.protocol = SPAN("tcp"),
	};
	const struct policy_request resolve = {
		.action = POLICY_DNS_RESOLVE,
		.host = SPAN("registry.npmjs.org"),
	};

	measure("read", p, &read);
	measure("read and write", p, &write);
	measure("connect", p, &connect);
	measure("look a name up", p, &resolve);
	policy_unref(p);
	measure_size(10);
	measure_size(100);
	measure_size(1000);
	measure_size(10000);
	return 0;
}
