/*
 * GET /metrics: the text format of Prometheus, version 0.0.4.
 */
#include "api/handlers.h"
#include "api/private.h"
#include "base/clock.h"
#include "event/store.h"

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	(void)buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct buf *out, const char *name, const char *type, const char *help,
		   uint64_t n)
{
	head(out, name, type, help);
	(void)buf_printf(out, "%s %llu\n", name, (unsigned long long)n);
}

static void events_by_kind(struct buf *out, const struct event_counts *counts)
{
	head(out, "leash_events_total", "counter", "Recorded events, by kind and decision.");
	for (size_t kind = 1; kind < EVENT_KIND_MAX; kind++)
		for (size_t d = 0; d < EVENT_DECISION_MAX; d++)
			if (counts->n[kind][d])
				(void)buf_printf(
					out,
					"leash_events_total{kind=\"%s\",decision=\"%s\"} %llu\n",
					event_kind_name((enum event_kind)kind),
					event_decision_name((enum event_decision)d),
					(unsigned long long)counts->n[kind][d]);
}

static void session(struct buf *out, const struct api *a, const struct api_facts *f)
{
	head(out, "leash_info", "gauge", "What runs.");
	(void)buf_printf(out,
			 "leash_info{version=\"%s\",session=\"%s\",mode=\"%s\",backend=\"%s\"} 1\n",
			 LEASH_VERSION, f->id, policy_mode_name(f->mode), f->backend);
	head(out, "leash_uptime_seconds", "gauge", "How long the session has been running.");
	(void)buf_printf(out, "leash_uptime_seconds %.3f\n",
			 (double)(clock_real_ns() - f->started_ns) / (double)NS_PER_SEC);
	number(out, "leash_events_recorded_total", "counter", "Recorded events.", f->n_events);
	number(out, "leash_events_denied_total", "counter", "Events that were denied.",
	       f->n_denied);
	number(out, "leash_events_would_deny_total", "counter",
	       "Events that were allowed only because of the mode.", f->n_would_deny);
	number(out, "leash_events_lost_total", "counter", "Events that could not be recorded.",
	       f->n_lost);
	number(out, "leash_policy_generation", "gauge", "Of the policy in force.", f->generation);
	number(out, "leash_policies", "gauge", "Policies in force.", f->n_policies);
	number(out, "leash_ready", "gauge",
	       "1 when a policy is in force and every part of leash is there.",
	       f->is_ready && !f->is_ending);
	number(out, "leash_api_connections", "gauge", "Connections to this API.", a->n_connections);
	number(out, "leash_api_websocket_clients", "gauge", "Of these, who watches events.",
	       a->live.n);
}

void answer_metrics(struct api_call *c)
{
	struct event_reader *reader;
	struct event_counts *counts;
	struct api_facts f;
	struct err err = { 0 };

	if (!api_query_is_empty(c))
		return;
	reader = api_events(c);
	if (!reader)
		return;
	counts = arena_alloc(&c->arena, sizeof(*counts));
	if (!counts || event_reader_counts(reader, counts, &err) < 0) {
		api_problem(c, 503, "%s", err.text);
		return;
	}
	f = api_describe(c->api);
	api_answer_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", (struct span){ 0 });
	session(&c->out, c->api, &f);
	events_by_kind(&c->out, counts);
}
