#include "policy/compare.h"

#include "base/path.h"
#include "policy/edges.h"

/* Of one request. */
#define MAX_HEADERS 64

/* A request takes a microsecond or a few. */
#define REQUESTS_A_BREATH 1000

struct comparing {
	const struct policy *before, *after;
	struct policy_decider *before_decider, *after_decider;
	struct edges edges;
	VEC(struct compare_facts) facts; /* the first are the usual ones */
	const struct compare_facts *present;
	difference_fn fn;
	void (*breathe)(void *ctx);
	void *ctx;
	struct comparison *ret;
	size_t limit; /* of requests, so that no kind takes all */
	/* About the present object, with the usual facts. */
	struct {
		enum decision before, after;
	} usually[POLICY_ACTION_MAX];
};

/* What nothing names. */
static const struct compare_facts usual = {
	.values = {
		[POLICY_FACT_EXE] = SPAN("/usr/bin/other-program"),
		[POLICY_FACT_COMM] = SPAN("other-program"),
		[POLICY_FACT_CWD] = SPAN("/nonexistent/other"),
		[POLICY_FACT_ANCESTORS] = SPAN("/usr/bin/other-agent"),
		[POLICY_FACT_ARGV] = SPAN("other-program\0other-argument"),
		[COMPARE_METHOD] = SPAN("OTHER"),
		[COMPARE_SCHEME] = SPAN("https"),
		[COMPARE_PATH] = SPAN("/nonexistent/other"),
		[COMPARE_QUERY] = SPAN("other"),
	},
};

static int fact_of(void *ctx, enum policy_fact fact, struct span *ret)
{
	const struct comparing *c = ctx;

	*ret = c->present->values[fact];
	return 0;
}

/* As the edges write them. */
static size_t read_headers(struct span list, struct policy_header headers[MAX_HEADERS])
{
	size_t n = 0;

	while (list.len && n < MAX_HEADERS) {
		headers[n].name = span_of(list.p);
		list = span_from(list, headers[n].name.len + 1);
		headers[n].value = span_of(list.p);
		list = span_from(list, headers[n++].value.len + 1);
	}
	return n;
}

/* Does a policy name something of a request, and nothing else? */
static bool is_about_http(const struct compare_facts *f)
{
	bool is_named = false;

	for (size_t i = 0; i < COMPARE_N_FACTS; i++) {
		if (f->is_named[i] && i < COMPARE_METHOD)
			return false;
		is_named |= f->is_named[i];
	}
	return is_named;
}

static void ask(struct comparing *c, struct policy_request *r)
{
	const struct span *values = c->present->values;
	struct policy_header headers[MAX_HEADERS];
	const struct policy_http http = {
		.method = values[COMPARE_METHOD],
		.scheme = values[COMPARE_SCHEME],
		.path = values[COMPARE_PATH],
		.query = values[COMPARE_QUERY],
		.headers = headers,
		.n_headers = read_headers(values[COMPARE_HEADERS], headers),
	};
	struct policy_decision before, after;
	struct difference d = { r, c->present, &before, &after };
	bool is_usual = c->present == c->facts.items;

	if (r->action != POLICY_HTTP_REQUEST && is_about_http(c->present))
		return;
	if (c->ret->n_requests >= c->limit) {
		c->ret->is_cut = true;
		return;
	}
	if (++c->ret->n_requests % REQUESTS_A_BREATH == 0 && c->breathe)
		c->breathe(c->ctx);
	r->fact = fact_of;
	r->fact_ctx = c;
	r->http = &http;
	policy_decide(c->before_decider, c->before, r, &before);
	policy_decide(c->after_decider, c->after, r, &after);
	r->http = NULL;
	if (is_usual) {
		c->usually[r->action].before = before.verdict;
		c->usually[r->action].after = after.verdict;
	} else if (c->usually[r->action].before == before.verdict &&
		   c->usually[r->action].after == after.verdict) {
		return;
	}
	if (before.verdict == after.verdict)
		return;
	c->ret->n_differences++;
	c->fn(&d, c->ctx);
}

/* Facts in the outer loop, so that what differs with the usual ones comes first. */
static void ask_with_facts(struct comparing *c, struct policy_request *r,
			   const enum policy_action *actions, size_t n_actions)
{
	for (size_t i = 0; i < c->facts.len; i++) {
		c->present = &c->facts.items[i];
		for (size_t a = 0; a < n_actions; a++) {
			r->action = actions[a];
			ask(c, r);
		}
	}
}

/* ---- Files ----------------------------------------------------------------------- */

static void ask_about_paths(struct comparing *c)
{
	static const enum policy_action actions[] = {
		POLICY_FILE_OPEN_READ_ONLY, POLICY_FILE_OPEN_READ_WRITE,
		POLICY_FILE_CREATE,	    POLICY_FILE_DELETE,
		POLICY_FILE_LINK,	    POLICY_FILE_SET_ATTRIBUTES,
		POLICY_PROCESS_EXEC,
	};

	for (size_t i = 0; i < c->edges.paths.items.len; i++) {
		struct span path = c->edges.paths.items.items[i];
		bool is_directory = path.len > 1 && path.p[path.len - 1] == '/';
		struct policy_request r = {
			.path = { path.p, path.len - is_directory },
			.is_directory = is_directory || path.len == 1,
		};

		ask_with_facts(c, &r, actions, ARRAY_SIZE(actions));
	}
}

/* ---- Network --------------------------------------------------------------------- */

static void ask_about_ports(struct comparing *c, struct policy_request *r)
{
	static const enum policy_action actions[] = {
		POLICY_NETWORK_CONNECT,
		POLICY_HTTP_REQUEST,
		POLICY_NETWORK_LISTEN,
		POLICY_NETWORK_DATAGRAM,
	};

	for (size_t i = 0; i < c->edges.ports.len; i++) {
		r->port = c->edges.ports.items[i];
		r->protocol = SPAN("tcp");
		ask_with_facts(c, r, actions, 3);
		r->protocol = SPAN("udp");
		ask_with_facts(c, r, &actions[3], 1);
	}
}

/* RFC 5737: an address that no policy has a reason to name. */
static const struct policy_address documentation = { { 203, 0, 113, 77 }, false };

static void ask_about_hosts(struct comparing *c)
{
	static const enum policy_action resolve[] = { POLICY_DNS_RESOLVE };

	for (size_t i = 0; i < c->edges.names.items.len; i++) {
		struct policy_request r = { .host = c->edges.names.items.items[i],
					    .address = documentation,
					    .has_address = true };

		ask_about_ports(c, &r);
		r = (struct policy_request){ .host = c->edges.names.items.items[i] };
		ask_with_facts(c, &r, resolve, 1);
	}
	for (size_t i = 0; i < c->edges.addresses.len; i++) {
		struct policy_request r = { .address = c->edges.addresses.items[i],
					    .has_address = true };

		ask_about_ports(c, &r);
	}
}

static void ask_about_tools(struct comparing *c)
{
	static const enum policy_action call[] = { POLICY_MCP_CALL };

	for (size_t s = 0; s < c->edges.servers.items.len; s++)
		for (size_t t = 0; t < c->edges.tools.items.len; t++) {
			struct policy_request r = { .server = c->edges.servers.items.items[s],
						    .tool = c->edges.tools.items.items[t] };

			ask_with_facts(c, &r, call, 1);
		}
}

/* ---- All ------------------------------------------------------------------------ */

/* Sets of facts that each object is asked about with. */
#define MAX_FACTS 2000

static bool same_facts(const struct compare_facts *a, const struct compare_facts *b)
{
	for (size_t i = 0; i < COMPARE_N_FACTS; i++)
		if (!span_eq(a->values[i], b->values[i]))
			return false;
	return true;
}

static void add_facts(struct comparing *c, const struct span values[COMPARE_N_FACTS])
{
	struct compare_facts f = usual;

	for (size_t i = 0; i < COMPARE_N_FACTS; i++)
		if (values[i].len) {
			f.values[i] = values[i];
			f.is_named[i] = true;
		}
	for (size_t i = 0; i < c->facts.len; i++)
		if (same_facts(&c->facts.items[i], &f))
			return;
	if (c->facts.len < MAX_FACTS)
		vec_push(&c->facts, f);
}

/* Each value by itself, and what one policy names together. */
static void make_facts(struct comparing *c)
{
	vec_push(&c->facts, usual);
	for (size_t i = 0; i < COMPARE_N_FACTS; i++)
		for (size_t j = 0; j < c->edges.facts[i].items.len; j++) {
			struct span values[COMPARE_N_FACTS] = { 0 };

			values[i] = c->edges.facts[i].items.items[j];
			add_facts(c, values);
		}
	for (size_t i = 0; i < c->edges.combinations.len; i++)
		add_facts(c, c->edges.combinations.items[i].values);
}

static void make_edges(struct comparing *c)
{
	struct edges *e = &c->edges;
	const struct policy *const both[] = { c->before, c->after };

	edges_init(e);
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; policy_prepare(both[i]) && j < both[i]->n_rules; j++)
			if (both[i]->rules[j].layer != POLICY_LAYER_OWN)
				edges_add(e, &both[i]->rules[j]);
	/* What neither names. */
	texts_add(e, &e->paths, "/nonexistent/other/file");
	texts_add(e, &e->paths, "/usr/bin/env");
	texts_add(e, &e->names, "other.example");
	texts_add(e, &e->servers, "other-server");
	texts_add(e, &e->tools, "other-tool");
	vec_push(&e->addresses, documentation);
	vec_push(&e->addresses,
		 (struct policy_address){ { 0x20, 0x01, 0x0d, 0xb8, [15] = 77 }, true });
	for (size_t i = 0; i < 3; i++)
		edges_add_port(e, ((const int64_t[]){ 443, 22, 9999 })[i]);
}

void policy_compare(const struct policy *before, const struct policy *after, difference_fn fn,
		    void (*breathe)(void *ctx), void *ctx, struct comparison *ret)
{
	struct comparing c = {
		.before = before,
		.after = after,
		.before_decider = policy_decider_new(0),
		.after_decider = policy_decider_new(0),
		.fn = fn,
		.breathe = breathe,
		.ctx = ctx,
		.ret = ret,
	};

	*ret = (struct comparison){ 0 };
	make_edges(&c);
	make_facts(&c);
	c.limit = COMPARE_MAX_REQUESTS / 2;
	ask_about_paths(&c);
	c.limit = COMPARE_MAX_REQUESTS / 10 * 9;
	ask_about_hosts(&c);
	c.limit = COMPARE_MAX_REQUESTS;
	ask_about_tools(&c);
	policy_decider_free(c.before_decider);
	policy_decider_free(c.after_decider);
	vec_done(&c.facts);
	edges_done(&c.edges);
}
