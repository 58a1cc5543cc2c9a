/*
 * What Cedar costs: parsing, formatting, compiling and deciding on the workloads of the
 * conformance data, medians over many rounds. Processor time, so that a busy
 * machine counts little. The folder comes from the first argument or
 * LEASH_CEDAR_CORPUS; a second argument names the only workload to run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "cedar-json.h"
#include "cedar/cedar-format.h"
#include "cedar/cedar-program.h"
#include "corpus.h"

#define N_ROUNDS 200
#define N_SLOW_ROUNDS 15

struct workload {
	const char *name, *folder;
	size_t n_allowed; /* what all engines agree on */
	double goal_us;
	int n_policies; /* to write, instead of those in the folder */
	struct buf policies, entities, actions, requests;

	struct cedar_policy_set *set;
	struct cedar_entities *store;
	struct cedar_request *list;
	size_t n;
	struct arena arena;
};

/* ---- Time -------------------------------------------------------------------- */

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *times, size_t n)
{
	qsort(times, n, sizeof(*times), compare_doubles);
	return times[n / 2];
}

/* ---- Reading ------------------------------------------------------------------ */

static bool is_file(struct span name, const char *folder, const char *file)
{
	char wanted[80];

	(void)snprintf(wanted, sizeof(wanted), "%s/%s", folder, file);
	return span_ends_with(name, span_of(wanted));
}

static void keep_member(struct span name, struct span data, void *ctx)
{
	struct workload *w = ctx;

	if (is_file(name, w->folder, "policies.cedar")) {
		if (!w->policies.len)
			(void)buf_append_span(&w->policies, data);
	} else if (is_file(name, w->folder, "entities.json"))
		(void)buf_append_span(&w->entities, data);
	else if (is_file(name, w->folder, "actions.json"))
		(void)buf_append_span(&w->actions, data);
	else if (is_file(name, w->folder, "requests.json"))
		(void)buf_append_span(&w->requests, data);
}

/* The set of 10,000 is the one of 1,000 continued; its entities and requests are of the same make.
 */
static void write_policies(struct workload *w)
{
	for (int i = 0; i < w->n_policies; i++)
		(void)buf_printf(&w->policies,
				 "permit(principal == User::\"u%d\", action == Action::\"view\", "
				 "resource in Folder::\"f%d\") when { context.level > %d && "
				 "resource.owner != \"x%d\" };\n",
				 i, i % 50, i % 10, i);
}

static void fail(const char *what)
{
	(void)fprintf(stderr, "cannot %s\n", what);
	exit(1);
}

static void load(struct workload *w, struct span archive)
{
	struct cedar_diagnostics diags = { 0 };
	json_t *entities, *requests;

	corpus_each_member(archive, keep_member, w);
	if (!w->requests.len)
		fail("find the workload");
	if (w->actions.len) {
		/* One list of both: "[a]" and "[b]" become "[a,b]". */
		while (w->entities.len && w->entities.data[w->entities.len - 1] != ']')
			w->entities.len--;
		w->entities.data[w->entities.len - 1] = ',';
		(void)buf_append_span(&w->entities, span_from(buf_span(&w->actions), 1));
	}
	entities = corpus_parse_json(buf_span(&w->entities));
	requests = corpus_parse_json(buf_span(&w->requests));
	w->store = cedar_json_entities(entities, NULL);
	w->n = json_array_size(requests);
	w->list = xnew_array(struct cedar_request, w->n);
	for (size_t i = 0; i < w->n; i++)
		if (!cedar_json_request(json_array_get(requests, i), NULL, &w->arena, &w->list[i]))
			fail("read a request");
	if (!w->store || cedar_policy_set_parse(buf_span(&w->policies), &diags, &w->set) < 0)
		fail("read the policies or entities");
	json_decref(entities);
	json_decref(requests);
}

static void unload(struct workload *w)
{
	cedar_policy_set_free(w->set);
	cedar_entities_free(w->store);
	xfree(w->list);
	arena_done(&w->arena);
	buf_done(&w->policies);
	buf_done(&w->entities);
	buf_done(&w->actions);
	buf_done(&w->requests);
}

/* ---- Measuring ------------------------------------------------------------------ */

struct compiled {
	struct cedar_program *program;
	struct cedar_store *store;
	struct cedar_machine *machine;
	const struct workload *workload;
};

typedef bool (*decide_fn)(struct compiled *c, const struct cedar_request *r);

static bool by_tree(struct compiled *c, const struct cedar_request *r)
{
	struct cedar_entity_source source = cedar_entities_source(c->workload->store);
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)1 << 24);
	struct cedar_response response;

	if (cedar_authorize(c->workload->set, r, &source, &arena, &response) < 0)
		fail("authorize");
	return response.allow;
}

static bool in_full(struct compiled *c, const struct cedar_request *r)
{
	struct cedar_response response;

	if (cedar_program_authorize(c->store, r, NULL, c->machine, &response) < 0)
		fail("authorize");
	return response.allow;
}

static bool indexed(struct compiled *c, const struct cedar_request *r)
{
	bool allow;

	if (cedar_program_decide(c->store, r, NULL, c->machine, &allow) < 0)
		fail("decide");
	return allow;
}

static bool by_scan(struct compiled *c, const struct cedar_request *r)
{
	bool allow;

	if (cedar_program_decide_by_scan(c->store, r, NULL, c->machine, &allow) < 0)
		fail("decide");
	return allow;
}

/* The median of the mean over all requests; dies when the decisions are not the known ones. */
static double measure(struct compiled *c, decide_fn decide, size_t n_rounds)
{
	const struct workload *w = c->workload;
	double times[N_ROUNDS];

	for (size_t round = 0; round < n_rounds; round++) {
		size_t n_allowed = 0;
		double begin = now_us();

		for (size_t i = 0; i < w->n; i++)
			n_allowed += decide(c, &w->list[i]);
		times[round] = (now_us() - begin) / (double)w->n;
		if (n_allowed != w->n_allowed) {
			(void)fprintf(stderr, "%s: %zu allowed, not %zu\n", w->name, n_allowed,
				      w->n_allowed);
			exit(1);
		}
	}
	return median(times, n_rounds);
}

static double measure_parse(const struct workload *w)
{
	double times[N_SLOW_ROUNDS];

	for (size_t round = 0; round < N_SLOW_ROUNDS; round++) {
		struct cedar_diagnostics diags = { 0 };
		struct cedar_policy_set *set;
		double begin = now_us();

		if (cedar_policy_set_parse(buf_span(&w->policies), &diags, &set) < 0)
			fail("parse");
		times[round] = now_us() - begin;
		cedar_policy_set_free(set);
	}
	return median(times, N_SLOW_ROUNDS);
}

static double measure_format(const struct workload *w)
{
	double times[N_SLOW_ROUNDS];

	for (size_t round = 0; round < N_SLOW_ROUNDS; round++) {
		_cleanup_buf_ struct buf out = BUF_INIT(0);
		struct cedar_diagnostics diags = { 0 };
		double begin = now_us();

		if (cedar_format(buf_span(&w->policies), &CEDAR_FORMAT_DEFAULT, &diags, &out) < 0)
			fail("format");
		times[round] = now_us() - begin;
	}
	return median(times, N_SLOW_ROUNDS);
}

static double measure_compile(const struct workload *w)
{
	double times[N_SLOW_ROUNDS];

	for (size_t round = 0; round < N_SLOW_ROUNDS; round++) {
		struct cedar_program *p;
		double begin = now_us();

		if (cedar_program_compile(w->set, &p, NULL) < 0)
			fail("compile");
		times[round] = now_us() - begin;
		cedar_program_free(p);
	}
	return median(times, N_SLOW_ROUNDS);
}

static void run(struct workload *w, struct span archive)
{
	struct compiled c = { .workload = w, .machine = cedar_machine_new(0) };
	double parse, format, compile, tree, full, scan, index;

	if (w->n_policies)
		write_policies(w);
	load(w, archive);
	if (cedar_program_compile(w->set, &c.program, NULL) < 0 ||
	    cedar_store_new(c.program, w->store, &c.store, NULL) < 0)
		fail("compile");
	parse = measure_parse(w);
	format = measure_format(w);
	compile = measure_compile(w);
	tree = measure(&c, by_tree, 3);
	full = measure(&c, in_full, N_ROUNDS);
	scan = measure(&c, by_scan, w->n_policies ? N_SLOW_ROUNDS : N_ROUNDS);
	index = measure(&c, indexed, N_ROUNDS);
	(void)printf("%-10s %6zu %10.0f %6.1f %10.0f %10.0f %10.2f %8.2f %9.2f %8.3f %8.1f  %s\n", w->name,
		     cedar_policy_set_len(w->set), parse, (double)w->policies.len / parse, format,
		     compile, tree, full, scan, index, w->goal_us, index <= w->goal_us ? "ok" : "MISSED");
	cedar_machine_free(c.machine);
	cedar_store_free(c.store);
	cedar_program_free(c.program);
	unload(w);
}

int main(int argc, char **argv)
{
	static struct workload workloads[] = {
		{ "github", "github", .n_allowed = 157, .goal_us = 1 },
		{ "gdrive", "gdrive", .n_allowed = 169, .goal_us = 1 },
		{ "tinytodo", "tinytodo", .n_allowed = 225, .goal_us = 1 },
		{ "sandbox", "sandbox", .n_allowed = 115, .goal_us = 0.5 },
		{ "scale100", "scale100", .n_allowed = 6, .goal_us = 2 },
		{ "scale1000", "scale1000", .n_allowed = 7, .goal_us = 2 },
		{ "scale10000", "scale1000", .n_allowed = 7, .goal_us = 10, .n_policies = 10000 },
	};
	const char *only = argc > 2 ? argv[2] : NULL;
	_cleanup_buf_ struct buf archive = BUF_INIT(0);

	corpus_read(corpus_folder(argc, argv), "bench-workloads.tar.xz", &archive);
	(void)printf("%-10s %6s %10s %6s %10s %10s %10s %8s %9s %8s %8s\n", "", "", "parse us", "MB/s",
		     "format us", "compile us", "tree us", "full us", "scan us", "index us", "goal us");
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		if (!only || span_eq(span_of(only), span_of(workloads[i].name)))
			run(&workloads[i], buf_span(&archive));
	return 0;
}
