/*
 * Whom a connection is for. Three witnesses: the resolver's record of the
 * address, the name in the ClientHello, the name in the request's head. They
 * must agree, or the connection goes nowhere.
 */
#include <errno.h>

#include "base/clock.h"
#include "proxy/answer.h"
#include "proxy/connection-private.h"
#include "proxy/resolve.h"

static uint32_t elapsed_us(const struct connection *c)
{
	return (uint32_t)MIN((uv_now(&c->proxy->loop) - c->accepted_ms) * 1000,
			     (uint64_t)UINT32_MAX);
}

bool connection_can_be_told(const struct connection *c)
{
	return c->sniff.kind == SNIFF_HTTP1 || (c->sniff.kind == SNIFF_TLS && !c->passes_tls) ||
	       (c->sniff.kind == SNIFF_BAD && c->sniff.head.has_request_line);
}

static void refuse_mismatch(struct connection *c, const struct name *name, struct span why)
{
	_cleanup_buf_ struct buf response = BUF_INIT(0);
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_MISMATCH, .message = why, .latency_us = elapsed_us(c) };

	q.name = name;
	proxy_report_plain(c->proxy, &e, &q, EVENT_DENY);
	if (connection_can_be_told(c))
		(void)answer_mismatch(&q, &response);
	connection_refuse(c, buf_span(&response));
}

static void refuse_malformed(struct connection *c)
{
	_cleanup_buf_ struct buf response = BUF_INIT(0);
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CONNECT, .latency_us = elapsed_us(c) };

	e.message = c->sniff.is_tls
			    ? SPAN("the TLS ClientHello is malformed or too long")
			    : SPAN("the HTTP request's head is malformed, ambiguous or too long");
	proxy_report_plain(c->proxy, &e, &q, EVENT_DENY);
	if (connection_can_be_told(c))
		(void)answer_malformed(&response);
	connection_refuse(c, buf_span(&response));
}

static void refuse_denied(struct connection *c, const struct proxy_question *q,
			  const struct policy_decision *d, struct span message)
{
	_cleanup_buf_ struct buf response = BUF_INIT(0);
	struct event e = { .kind = EVENT_NET_CONNECT,
			   .latency_us = elapsed_us(c),
			   .message = message };

	proxy_report(c->proxy, &e, q, d);
	if (connection_can_be_told(c))
		(void)answer_denied(d, q, &response);
	connection_refuse(c, buf_span(&response));
}

/* ---- The claim ---------------------------------------------------------------- */

static void settle(struct connection *c, const struct name *name)
{
	c->name = *name;
	c->claim = CLAIM_SETTLED;
}

static bool is_recorded(const struct connection *c, const struct name *name)
{
	struct name names[LIMIT_PROXY_NAMES_PER_ADDRESS];
	size_t n = names_of(c->proxy->names, &c->to.address, uv_now(&c->proxy->loop), names);

	for (size_t i = 0; i < n; i++)
		if (span_eq(name_span(&names[i]), name_span(name)))
			return true;
	return false;
}

/* 1: the host's file gives the name this address, 0: another one, -ENOENT: none. */
static int check_hosts(struct connection *c, const struct name *name)
{
	size_t n;
	const struct hosts_entry *entries =
		hosts_find(c->proxy->hosts, name, uv_now(&c->proxy->loop), &n);

	for (size_t i = 0; i < n; i++)
		if (address_eq(&entries[i].address, &c->to.address))
			return 1;
	return n ? 0 : -ENOENT;
}

static void match_address(void *ctx, const struct policy_address *address, uint32_t ttl)
{
	struct connection *c = ctx;

	if (!address_eq(address, &c->to.address))
		return;
	c->has_matched = true;
	names_record(c->proxy->names, address, &c->question.name, ttl, uv_now(&c->proxy->loop));
}

static void settle_resolved(struct connection *c)
{
	if (c->has_matched)
		settle(c, &c->question.name);
	else
		refuse_mismatch(c, &c->question.name,
				SPAN("the name the client gives does not resolve to the address it "
				     "connects to"));
}

static void on_answer(void *ctx, struct span answer)
{
	struct connection *c = ctx;

	c->request = NULL;
	if (answer.len == 0 || dns_take_answer(&c->question, answer, match_address, c, NULL) < 0)
		c->has_matched = false;
	settle_resolved(c);
	connection_step(c);
}

/* Nobody asked the resolver for this name: ask now, under policy. */
static void verify(struct connection *c, const struct name *name)
{
	struct proxy_question q = { .action = POLICY_DNS_RESOLVE,
				    .name = name,
				    .address = &c->to.address,
				    .port = c->to.port,
				    .protocol = SPAN("tcp"),
				    .process = &c->process };
	struct policy_decision d;
	int r;

	dns_make_question(name, c->to.address.is_v6 ? DNS_AAAA : DNS_A, &c->question);
	if (!resolve_decide(c->proxy, &c->question, &c->process, SPAN("tcp"), &d)) {
		refuse_denied(c, &q, &d, SPAN("the name the client gives may not be resolved"));
		return;
	}
	r = check_hosts(c, name);
	if (r >= 0) {
		c->has_matched = r > 0;
		settle_resolved(c);
		return;
	}
	c->claim = CLAIM_RESOLVING;
	c->request = dns_upstream_ask(c->proxy->upstream, name, c->question.type, on_answer, c);
	if (!c->request)
		settle_resolved(c);
}

static void settle_name(struct connection *c, const struct name *name)
{
	struct name synthetic;

	if (!names_is_synthetic(&c->to.address)) {
		if (is_recorded(c, name))
			settle(c, name);
		else
			verify(c, name);
	} else if (names_of_synthetic(c->proxy->names, &c->to.address, &synthetic) == 0 &&
		   span_eq(name_span(&synthetic), name_span(name))) {
		settle(c, name);
	} else {
		refuse_mismatch(c, name,
				SPAN("the name the client gives is not the one it resolved"));
	}
}

void connection_settle_claim(struct connection *c)
{
	const struct authority *claim = sniff_claim(&c->sniff);

	if (c->sniff.kind == SNIFF_BAD) {
		refuse_malformed(c);
	} else if (!claim) {
		c->claim = CLAIM_SETTLED;
	} else if (claim->port && claim->port != c->to.port) {
		refuse_mismatch(c, &claim->name,
				SPAN("the port in the request is not the one it goes to"));
	} else if (!claim->is_address) {
		settle_name(c, &claim->name);
	} else if (address_eq(&claim->address, &c->to.address)) {
		c->is_by_address = true;
		c->claim = CLAIM_SETTLED;
	} else {
		refuse_mismatch(c, NULL,
				SPAN("the address in the request is not the one it goes to"));
	}
}

/* ---- The decision --------------------------------------------------------------- */

/* The names it may be for; the first is the one to decide on. */
static size_t candidates(const struct connection *c, struct name ret[LIMIT_PROXY_NAMES_PER_ADDRESS])
{
	if (c->is_by_address)
		return 0;
	if (c->name.len) {
		ret[0] = c->name;
		return 1;
	}
	if (names_is_synthetic(&c->to.address))
		return names_of_synthetic(c->proxy->names, &c->to.address, &ret[0]) == 0;
	return names_of(c->proxy->names, &c->to.address, uv_now(&c->proxy->loop), ret);
}

/* Where the connection can go: there, or for a synthetic address wherever the host's file says. */
static size_t addresses(struct connection *c, const struct name *name,
			struct endpoint ret[DIAL_MAX_ADDRESSES])
{
	const struct hosts_entry *entries;
	size_t n, count = 0;

	if (!names_is_synthetic(&c->to.address)) {
		ret[0] = c->to;
		return address_is_undiallable(&c->to.address) ? 0 : 1;
	}
	if (!name)
		return 0;
	entries = hosts_find(c->proxy->hosts, name, uv_now(&c->proxy->loop), &n);
	for (size_t i = 0; i < n && count < DIAL_MAX_ADDRESSES; i++)
		if (!address_is_undiallable(&entries[i].address))
			ret[count++] = (struct endpoint){ entries[i].address, c->to.port };
	return count;
}

/*
 * A connection that does not say its name could be for any that the address
 * has: the one asked for last must be permitted, and none of the others may be
 * forbidden by a policy.
 */
static bool others_allow(struct connection *c, struct proxy_question *q, const struct name *names,
			 size_t n, struct policy_decision *d)
{
	for (size_t i = 1; i < n; i++) {
		struct policy_decision other;

		q->name = &names[i];
		if (!proxy_decide(c->proxy, q, &other) && other.verdict == DECISION_DENY &&
		    other.n_reasons) {
			*d = other;
			return false;
		}
	}
	q->name = n ? &names[0] : NULL;
	return true;
}

/* Keeps of the addresses those that are permitted; *d is the last decision, q names what it was
 * about. */
static size_t permitted(struct connection *c, struct proxy_question *q, const struct name *names,
			size_t n_names, struct endpoint *to, size_t n, struct policy_decision *d)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct policy_decision one;

		q->name = n_names ? &names[0] : NULL;
		q->address = &to[i].address;
		if (proxy_decide(c->proxy, q, &one) && others_allow(c, q, names, n_names, &one)) {
			to[count++] = to[i];
			*d = one;
		} else if (count == 0) {
			*d = one;
		}
	}
	return count;
}

bool connection_hides_requests(const struct connection *c)
{
	return c->sniff.kind == SNIFF_TLS && c->passes_tls;
}

bool connection_unseen_may_go(struct connection *c, struct proxy_question q,
			      struct policy_decision *ret)
{
	struct policy_decision request;

	q.action = POLICY_HTTP_REQUEST;
	if (proxy_decide(c->proxy, &q, &request) || (!request.n_reasons && !request.has_error))
		return true;
	*ret = request;
	return false;
}

void connection_refuse_unseen(struct connection *c, struct proxy_question q,
			      const struct policy_decision *d, struct span why)
{
	q.action = POLICY_HTTP_REQUEST;
	refuse_denied(c, &q, d, why);
}

size_t connection_decide(struct connection *c, struct endpoint ret[DIAL_MAX_ADDRESSES])
{
	struct name names[LIMIT_PROXY_NAMES_PER_ADDRESS];
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CONNECT, .latency_us = elapsed_us(c) };
	struct policy_decision d = proxy_own_denial(c->proxy, "no-address");
	size_t n_names = candidates(c, names);
	size_t n = addresses(c, n_names ? &names[0] : NULL, ret);

	q.name = n_names ? &names[0] : NULL;
	if (n == 0) {
		refuse_denied(c, &q, &d, SPAN("nothing can be reached at this address"));
		return 0;
	}
	n = permitted(c, &q, names, n_names, ret, n, &d);
	if (n == 0) {
		refuse_denied(c, &q, &d, (struct span){ 0 });
		return 0;
	}
	q.address = &ret[0].address;
	c->passes_tls = policy_passes_tls(c->proxy->policy, &d);
	if (connection_hides_requests(c) && !connection_unseen_may_go(c, q, &d)) {
		connection_refuse_unseen(c, q, &d,
					 SPAN("a policy looks at requests to this host, and those "
					      "in TLS cannot be seen"));
		return 0;
	}
	c->decided_name = n_names ? names[0] : (struct name){ 0 };
	c->hid_requests = connection_hides_requests(c);
	if (c->sniff.kind == SNIFF_TLS && c->sniff.hello.has_ech)
		e.message = SPAN("the client offers an encrypted server name");
	proxy_report(c->proxy, &e, &q, &d);
	return n;
}

size_t connection_decide_others(struct connection *c, struct endpoint ret[DIAL_MAX_ADDRESSES])
{
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CONNECT,
			   .latency_us = elapsed_us(c),
			   .message = SPAN("another address, for the first does not answer") };
	struct policy_address others[DIAL_MAX_ADDRESSES];
	struct policy_decision d;
	size_t n, count = 0;

	if (!c->decided_name.len || names_is_synthetic(&c->to.address))
		return 0;
	n = names_others(c->proxy->names, &c->decided_name, &c->to.address, uv_now(&c->proxy->loop),
			 others, DIAL_MAX_ADDRESSES);
	for (size_t i = 0; i < n; i++)
		if (!address_is_undiallable(&others[i]))
			ret[count++] = (struct endpoint){ others[i], c->to.port };
	count = permitted(c, &q, &c->decided_name, 1, ret, count, &d);
	if (count) {
		q.address = &ret[0].address;
		proxy_report(c->proxy, &e, &q, &d);
	}
	return count;
}
