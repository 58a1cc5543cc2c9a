/*
 * One request on a connection that was decided on: is it for the same
 * server, and may it be sent? What is sent on is what was decided about.
 */
#include <errno.h>

#include "base/alloc.h"
#include "http/target.h"
#include "proxy/answer.h"
#include "proxy/connection-private.h"

/* A request while it is judged. */
struct asked {
	const struct http_head *head;
	struct http_target target;
	struct buf path;       /* normalised, as it is sent on */
	struct buf place;      /* and as servers that merge slashes read it: what is judged */
	struct buf url;	       /* for the record: without the query's text */
	struct policy_header *headers;
	struct policy_http facts;
};

static void done(struct asked *a)
{
	buf_done(&a->path);
	buf_done(&a->place);
	buf_done(&a->url);
	xfree(a->headers);
}

#define _cleanup_asked_ _cleanup_(done)

struct proxy_question request_question(const struct connection *c)
{
	struct proxy_question q = connection_question(c);

	q.action = POLICY_HTTP_REQUEST;
	q.name = &c->decided_name;
	q.address = &c->dialled.address;
	return q;
}

/* What requests on the connection are made with. */
static struct span scheme(const struct connection *c)
{
	return c->is_in_tls ? SPAN("https") : SPAN("http");
}

/* ---- Whom it is for ---- */

static bool is_of_connection(const struct connection *c, const struct authority *a)
{
	if (a->port && a->port != c->to.port)
		return false;
	if (a->is_address)
		return (c->is_by_address || !c->decided_name.len) &&
		       address_eq(&a->address, &c->to.address);
	return !c->is_by_address && span_eq(name_span(&a->name), name_span(&c->decided_name));
}

static bool names_this_server(const struct connection *c, struct span text)
{
	struct authority a;

	return authority_parse(text, &a) == 0 && is_of_connection(c, &a);
}

/* Host or :authority and, where the target has one, its authority. */
static bool is_for_this_server(const struct connection *c, const struct asked *a)
{
	const struct http_head *h = a->head;
	const struct http_field *field = http_field_find(h, "host");

	if (field && !names_this_server(c, field->value))
		return false;
	if (h->scheme.len &&
	    (!span_eq(h->scheme, scheme(c)) || !names_this_server(c, h->authority)))
		return false;
	return !a->target.authority.len || names_this_server(c, a->target.authority);
}

/* The one form of the server's name, with the port where that is not the scheme's own. */
static int write_host(const struct connection *c, struct buf *out)
{
	char text[ADDRESS_TEXT_MAX];
	struct span name = name_span(&c->decided_name);
	int r;

	if (c->is_by_address || !name.len) {
		name = address_format(&c->to.address, text);
		r = buf_printf(out, c->to.address.is_v6 ? "[%.*s]" : "%.*s", SPAN_ARG(name));
	} else {
		r = buf_append(out, name.p, name.len);
	}
	if (r < 0 || c->to.port == (c->is_in_tls ? 443 : 80))
		return r;
	(void)buf_append_char(out, ':');
	return buf_append_number(out, c->to.port);
}

/* ---- What is recorded ---- */

/* A query may hold keys and tokens: that there is one is all that is kept of it. */
static void write_url(const struct connection *c, struct asked *a)
{
	(void)buf_append_span(&a->url, scheme(c));
	(void)buf_append_span(&a->url, SPAN("://"));
	(void)write_host(c, &a->url);
	(void)buf_append_span(&a->url, buf_span(&a->path));
	if (a->target.has_query)
		(void)buf_append_str(&a->url, "?…");
}

static void refuse_mismatch(struct connection *c, const struct asked *a, struct buf *answer)
{
	struct proxy_question q = request_question(c);
	struct event e = { .kind = EVENT_MISMATCH,
			   .method = a->head->method,
			   .message = SPAN("a request for another host than the connection leads to") };

	proxy_report_plain(c->proxy, &e, &q, EVENT_DENY);
	(void)answer_mismatch(&q, answer);
}

void request_refuse_malformed(struct connection *c, struct span why, struct buf *answer)
{
	struct proxy_question q = request_question(c);
	struct event e = { .kind = EVENT_HTTP_REQUEST, .message = why };

	proxy_report_plain(c->proxy, &e, &q, EVENT_DENY);
	(void)answer_malformed(answer);
}

/* ---- The decision ---- */

/* No policy may count on a field that is not sent on. */
static void collect_facts(const struct connection *c, struct asked *a)
{
	const struct http_head *h = a->head;
	size_t n = 0;

	a->headers = xnew_array(struct policy_header, h->n_fields + 1);
	/* What HTTP/2 calls :authority is Host to a policy. */
	if (h->authority.len)
		a->headers[n++] = (struct policy_header){ SPAN("host"), h->authority };
	for (size_t i = 0; i < h->n_fields; i++)
		if (http_is_sent_on(h, &h->fields[i]))
			a->headers[n++] =
				(struct policy_header){ h->fields[i].name, h->fields[i].value };
	a->facts = (struct policy_http){ .method = h->method,
					 .scheme = scheme(c),
					 .path = buf_span(&a->place),
					 .query = a->target.query,
					 .headers = a->headers,
					 .n_headers = n };
}

/* What is kept of a permitted request until its answer comes; the policy may be another by then. */
struct request_record {
	TAILQ_ENTRY(request_record) entry;
	struct buf method, url, policies;
	enum event_decision decision;
	uint64_t generation;
	uint32_t latency_us;
};

void request_forget(struct connection *c, struct request_record *r)
{
	TAILQ_REMOVE(&c->records, r, entry);
	buf_done(&r->method);
	buf_done(&r->url);
	buf_done(&r->policies);
	xfree(r);
}

/* status 0: there is no response, and message says why. Takes the record. */
static void write_record(struct connection *c, struct request_record *r, int status,
			 struct span message)
{
	struct proxy_question q = request_question(c);
	struct event e = { .kind = EVENT_HTTP_REQUEST };

	e.method = buf_span(&r->method);
	e.url = buf_span(&r->url);
	e.policies = buf_span(&r->policies);
	e.generation = r->generation;
	e.latency_us = r->latency_us;
	e.status = status;
	e.has_status = status != 0;
	e.message = message;
	proxy_report_plain(c->proxy, &e, &q, r->decision);
	if (status == 101) {
		e.kind = EVENT_WS_OPEN;
		proxy_report_plain(c->proxy, &e, &q, r->decision);
	}
	request_forget(c, r);
}

void request_answered(struct connection *c, struct request_record *r, int status)
{
	write_record(c, r, status, (struct span){ 0 });
}

void request_lost(struct connection *c, struct request_record *r, struct span why)
{
	write_record(c, r, 0, why);
}

void request_lose_all(struct connection *c)
{
	while (!TAILQ_EMPTY(&c->records))
		write_record(c, TAILQ_FIRST(&c->records), 0,
			     SPAN("the connection ended before the response"));
}

void request_refuse_response(struct connection *c, struct request_record *r, struct span why,
			     struct buf *answer)
{
	struct proxy_question q = request_question(c);
	struct event e = { .kind = EVENT_HTTP_REQUEST, .message = why };

	if (r)
		write_record(c, r, 0, why);
	else
		proxy_report_plain(c->proxy, &e, &q, EVENT_DENY);
	(void)answer_bad_response(&q, answer);
}

static struct request_record *keep_record(struct connection *c, const struct asked *a,
					  const struct policy_decision *d, uint32_t latency_us)
{
	struct request_record *r = xnew(struct request_record);

	r->decision = d->verdict == DECISION_ALLOW ? EVENT_ALLOW : EVENT_WOULD_DENY;
	r->generation = d->generation;
	r->latency_us = latency_us;
	(void)buf_append_span(&r->method, a->head->method);
	(void)buf_append_span(&r->url, buf_span(&a->url));
	(void)policy_reasons(d, &r->policies);
	TAILQ_INSERT_TAIL(&c->records, r, entry);
	return r;
}

static bool decide(struct connection *c, struct asked *a, struct exchange_request *ret)
{
	struct proxy_question q = request_question(c);
	struct event e = { .kind = EVENT_HTTP_REQUEST, .method = a->head->method };
	uint64_t started = uv_hrtime();
	struct policy_decision d;
	bool may;

	collect_facts(c, a);
	write_url(c, a);
	q.http = &a->facts;
	may = proxy_decide(c->proxy, &q, &d);
	e.latency_us = (uint32_t)((uv_hrtime() - started) / 1000);
	if (may) {
		ret->record = keep_record(c, a, &d, e.latency_us);
		return true;
	}
	e.url = buf_span(&a->url);
	proxy_report(c->proxy, &e, &q, &d);
	(void)answer_denied(&d, &q, &ret->answer);
	return false;
}

bool request_judge(struct connection *c, const struct http_head *head, struct exchange_request *r)
{
	_cleanup_asked_ struct asked a = { .head = head,
					   .path = BUF_INIT(LIMIT_PROXY_FIRST_BYTES),
					   .place = BUF_INIT(LIMIT_PROXY_FIRST_BYTES),
					   .url = BUF_INIT(2 * LIMIT_PROXY_FIRST_BYTES) };

	if (http_target_split(head->method, head->target, &a.target) < 0 ||
	    a.target.form == HTTP_TARGET_AUTHORITY ||
	    (a.target.form != HTTP_TARGET_ASTERISK &&
	     (http_path_normalise(a.target.path, &a.path) < 0 ||
	      http_path_merge_slashes(buf_span(&a.path), &a.place) < 0))) {
		request_refuse_malformed(c,
					 SPAN("the request's target is malformed, or its method is "
					      "not for a server"),
					 &r->answer);
		return false;
	}
	if (!is_for_this_server(c, &a)) {
		refuse_mismatch(c, &a, &r->answer);
		return false;
	}
	if (a.target.form == HTTP_TARGET_ASTERISK)
		(void)(buf_append_char(&a.path, '*') + buf_append_char(&a.place, '*'));
	if (!decide(c, &a, r))
		return false;
	(void)buf_append_span(&r->target, buf_span(&a.path));
	if (a.target.has_query) {
		(void)buf_append_char(&r->target, '?');
		(void)buf_append_span(&r->target, a.target.query);
	}
	return write_host(c, &r->host) >= 0 && !r->target.failed &&
	       request_put_in_secrets(c, head, buf_span(&a.path), r);
}
