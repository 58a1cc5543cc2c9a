/*
 * What a decision costs: from the cache, without it, and with it for a walk
 * over names never seen, under a built-in profile; then what it costs to load
 * policies of a user's own. In processor time.
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

static struct policy *load(const char *profile, const char *workspace)
{
	const struct policy_environment env = {
		.agent = "claude",
		.home = "/home/dev",
		.workspace = workspace,
		.profile = profile,
	};
	struct policy_source *s = policy_source_new(&env);
	uint64_t start = processor_ns();
	struct policy *p = NULL;
	struct err err = { 0 };
	uint64_t opening;
	int fd = -1;

	if (policy_source_add_builtin(s, /* with_profile = */ true, &err) >= 0)
		fd = policy_source_bundle(s, 1, &err);
	opening = processor_ns();
	if (fd < 0 || policy_open(fd, &p, &err) < 0) {
		(void)fprintf(stderr, "bench-policy: %s\n", err.text);
		exit(1);
	}
	printf("%s: %zu policies, %.2f ms to make, %.2f ms to open\n", profile,
	       policy_source_len(s), (double)(opening - start) / 1e6,
	       (double)(processor_ns() - opening) / 1e6);
	fd_close(fd);
	policy_source_free(s);
	return p;
}

static void measure(const char *what, const struct policy *p, const struct policy_request *r,
		    size_t max_cached, size_t n)
{
	struct policy_decider *d = policy_decider_new(max_cached);
	struct policy_decision decision;
	uint64_t start;

	policy_decide(d, p, r, &decision);
	start = processor_ns();
	for (size_t i = 0; i < n; i++)
		policy_decide(d, p, r, &decision);
	printf("%-28s %9.1f ns  (%s, %zu reasons)\n", what,
	       (double)(processor_ns() - start) / (double)n,
	       decision.verdict == DECISION_ALLOW ? "allow" : "deny", decision.n_reasons);
	policy_decider_free(d);
}

static void measure_new_names(const struct policy *p, size_t n)
{
	struct policy_decider *d = policy_decider_new(16384);
	struct policy_decision decision;
	uint64_t start = processor_ns();
	char path[64];

	for (size_t i = 0; i < n; i++) {
		int len = snprintf(path, sizeof(path), "/home/dev/work/src/file-%zu.c", i);
		const struct policy_request r = {
			.action = POLICY_FILE_OPEN_READ_ONLY,
			.path = { path, (size_t)len },
		};

		policy_decide(d, p, &r, &decision);
	}
	printf("%-28s %9.1f ns\n", "reads of new names",
	       (double)(processor_ns() - start) / (double)n);
	policy_decider_free(d);
}

/* Policies as people write them, each with places of its own. */
static void append_policies(struct buf *out, size_t n)
{
	static const char *const shapes[] = {
		"permit (principal, action in Action::\"FileOpenReadWrite\", resource in "
		"Dir::\"${WORKSPACE}/part-%zu/\");\n",
		"forbid (principal, action in Action::\"FileOpen\", resource)\n"
		"when { resource in [File::\"~/.secret-%zu\", Dir::\"~/.keys/\"] || resource.path "
		"like \"*/.env\" };\n",
		"permit (principal, action == Action::\"NetworkConnect\", resource in "
		"Host::\"*.service-%zu.example.com\")\nwhen { context.port == 443 };\n",
		"forbid (principal, action == Action::\"ProcessExec\", resource == "
		"File::\"/usr/bin/tool-%zu\")\nwhen { context.argv.contains(\"--force\") && "
		"!(context.args like \"*--dry-run*\") };\n",
		"@id(\"metadata-%zu\")\nforbid (principal, action in Action::\"NetworkConnect\", "
		"resource)\nwhen { context has ip && context.ip.isInRange(ip(\"169.254.0.0/16\")) }\n"
		"unless { context.exe == \"/usr/bin/curl\" };\n",
	};

	for (size_t i = 0; i < n; i++) {
		const char *shape = shapes[i % ARRAY_SIZE(shapes)];
		const char *mark = strstr(shape, "%zu");

		(void)buf_append(out, shape, (size_t)(mark - shape));
		(void)buf_printf(out, "%zu%s", i, mark + 3);
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Parse, read, validate, compile, and open as a deciding process does: the median of some rounds. */
static void measure_loading(size_t n_policies)
{
	const struct policy_environment env = {
		.agent = "claude",
		.home = "/home/dev",
		.workspace = "/home/dev/work",
		.profile = "guarded",
	};
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	uint64_t took[15], compiling[15];

	append_policies(&text, n_policies);
	for (size_t i = 0; i < ARRAY_SIZE(took); i++) {
		_cleanup_buf_ struct buf report = BUF_INIT(0);
		struct policy_source *s = policy_source_new(&env);
		uint64_t start = processor_ns();
		struct policy *p = NULL;
		struct err err = { 0 };
		int fd = -1;

		if (policy_source_add_text(s, POLICY_LAYER_USER, "bench", buf_span(&text), false,
					   &report, &err) >= 0) {
			compiling[i] = processor_ns();
			fd = policy_source_bundle(s, 1, &err);
		}
		if (fd < 0 || policy_open(fd, &p, &err) < 0) {
			(void)fprintf(stderr, "bench-policy: %s\n%s\n", err.text, report.data);
			exit(1);
		}
		took[i] = processor_ns() - start;
		compiling[i] -= start;
		fd_close(fd);
		policy_unref(p);
		policy_source_free(s);
	}
	qsort(took, ARRAY_SIZE(took), sizeof(*took), by_value);
	qsort(compiling, ARRAY_SIZE(compiling), sizeof(*compiling), by_value);
	printf("load %5zu policies           %9.2f ms  (of which %.2f ms to read and validate)\n",
	       n_policies, (double)took[ARRAY_SIZE(took) / 2] / 1e6,
	       (double)compiling[ARRAY_SIZE(took) / 2] / 1e6);
}

int main(int argc, char **argv)
{
	struct policy *p =
		load(argc > 1 ? argv[1] : "guarded", argc > 2 ? argv[2] : "/home/dev/work");
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

	measure("read, cached", p, &read, 1024, 1000000);
	measure("read, decided", p, &read, 0, 20000);
	measure("read and write, cached", p, &write, 1024, 1000000);
	measure("read and write, decided", p, &write, 0, 20000);
	measure("connect, cached", p, &connect, 1024, 1000000);
	measure("connect, decided", p, &connect, 0, 20000);
	measure("look-up, decided", p, &resolve, 0, 20000);
	measure_new_names(p, 50000);
	policy_unref(p);
	measure_loading(100);
	measure_loading(1000);
	return 0;
}
