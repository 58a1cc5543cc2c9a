#include "proxy/proxy-private.h"

static bool is_own_machine(const struct proxy *p, const struct policy_address *a)
{
	struct policy_address inner;

	if (address_is_local(a) || (p->start.is_far && address_is_private(a)))
		return true;
	return p->start.is_far && address_embedded_v4(a, &inner) && address_is_private(&inner);
}

/* leash's own ports on this machine: its page must not be the agent's to use. */
static bool is_own_port(const struct proxy *p, const struct proxy_question *q)
{
	if (!q->address || !q->port)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(p->start.own_ports) && p->start.own_ports[i]; i++)
		if (p->start.own_ports[i] == q->port)
			return is_own_machine(p, q->address);
	return false;
}

static bool decide_one(struct proxy *p, const struct proxy_question *q,
		       const struct policy_address *address, struct policy_decision *ret)
{
	struct policy_request r = { .action = q->action,
				    .port = q->port,
				    .protocol = q->protocol,
				    .http = q->http };

	if (q->name)
		r.host = name_span(q->name);
	if (address) {
		r.address = *address;
		r.has_address = true;
	}
	if (q->process && q->process->is_known) {
		r.fact = process_fact;
		r.fact_ctx = (void *)(uintptr_t)q->process;
	}
	policy_decide(p->decider, p->policy, &r, ret);
	return policy_permits(p->policy, ret);
}

struct policy_decision proxy_own_denial(const struct proxy *p, const char *id)
{
	return (struct policy_decision){ .is_own_rule = true,
					 .generation = p->policy ? policy_generation(p->policy) : 0,
					 .n_reasons = 1,
					 .reasons = { id } };
}

/*
 * DNS rebinding: a name that is permitted may be made to resolve to the host's
 * loopback or to link-local addresses (cloud metadata). What the host's own
 * /etc/hosts says is the user's word; an answer from outside is not.
 */
static bool is_rebinding(struct proxy *p, const struct proxy_question *q)
{
	const struct hosts_entry *entries;
	size_t n = 0;

	if (!q->name || !q->address || !(address_is_loopback(q->address) || address_is_link_local(q->address)))
		return false;
	entries = hosts_find(p->hosts, q->name, uv_now(&p->loop), &n);
	for (size_t i = 0; i < n; i++)
		if (address_eq(&entries[i].address, q->address))
			return false;
	return true;
}

bool proxy_decide(struct proxy *p, const struct proxy_question *q, struct policy_decision *ret)
{
	struct policy_address inner;

	*ret = (struct policy_decision){ 0 };
	if (!p->policy)
		return false;
	if (is_own_port(p, q)) {
		*ret = proxy_own_denial(p, "own-port");
		return false;
	}
	if (!decide_one(p, q, q->address, ret))
		return false;
	if (is_rebinding(p, q)) {
		/* Permitted by its name alone is not enough: the address itself must be. */
		struct proxy_question nameless = *q;

		nameless.name = NULL;
		if (!decide_one(p, &nameless, q->address, ret))
			return false;
	}
	return !q->address || !address_embedded_v4(q->address, &inner) ||
	       decide_one(p, q, &inner, ret);
}

static void fill(struct proxy *p, struct event *e, const struct proxy_question *q,
		 char address[ADDRESS_TEXT_MAX])
{
	e->backend = EVENT_BACKEND_PROXY;
	e->protocol = q->protocol;
	if (p->policy)
		e->mode = span_of(policy_mode_name(policy_session_mode(p->policy)));
	if (q->name)
		e->host = name_span(q->name);
	if (q->address) {
		e->ip = address_format(q->address, address);
		e->family = q->address->is_v6 ? SPAN("ipv6") : SPAN("ipv4");
	}
	if (q->port) {
		e->port = q->port;
		e->has_port = true;
	}
	if (q->process && q->process->is_known) {
		e->pid = q->process->pid;
		e->ppid = q->process->ppid;
		e->uid = q->process->uid;
		e->has_uid = true;
		e->exe = span_of(q->process->exe);
		e->comm = span_of(q->process->comm);
		e->cwd = span_of(q->process->cwd);
	}
}

void proxy_report(struct proxy *p, struct event *e, const struct proxy_question *q,
		  const struct policy_decision *d)
{
	_cleanup_buf_ struct buf policies = BUF_INIT(0);
	char address[ADDRESS_TEXT_MAX];

	fill(p, e, q, address);
	e->generation = d->generation;
	e->decision = EVENT_DENY;
	if (p->policy && !d->is_own_rule && policy_permits(p->policy, d))
		e->decision = d->verdict == DECISION_ALLOW ? EVENT_ALLOW : EVENT_WOULD_DENY;
	if (policy_reasons(d, &policies) == 0)
		e->policies = buf_span(&policies);
	event_ring_write(p->ring, e);
}

void proxy_report_plain(struct proxy *p, struct event *e, const struct proxy_question *q,
			enum event_decision d)
{
	char address[ADDRESS_TEXT_MAX];

	fill(p, e, q, address);
	e->decision = d;
	event_ring_write(p->ring, e);
}
