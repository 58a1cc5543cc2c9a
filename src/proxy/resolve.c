#include "proxy/resolve.h"

#include <stdio.h>

#include "proxy/dns-budget.h"

bool resolve_decide(struct proxy *p, const struct dns_question *q, const struct process *process,
		    struct span protocol, struct policy_decision *ret)
{
	struct proxy_question question = { .action = POLICY_DNS_RESOLVE,
					   .name = &q->name,
					   .protocol = protocol,
					   .process = process };
	struct event e = { .kind = EVENT_DNS_QUERY };
	char type[DNS_TYPE_TEXT_MAX], message[96];
	bool is_permitted = proxy_decide(p, &question, ret);
	struct span type_name = dns_type_name(q->type, type);

	(void)snprintf(message, sizeof(message), "type %.*s", SPAN_ARG(type_name));
	e.message = span_of(message);
	if (is_permitted && !dns_budget_spend(p->budget, &q->name, uv_now(&p->loop))) {
		e.message = SPAN(
			"too many new or random-looking names in this zone: it could be a tunnel");
		*ret = proxy_own_denial(p, "dns-tunnel");
		is_permitted = false;
	}
	proxy_report(p, &e, &question, ret);
	return is_permitted;
}
