/*
 * What is spoken on a connection once it has a server: TLS that is looked into, and
 * requests of HTTP, each of which is judged, and each recorded.
 */
#include <errno.h>

#include "proxy/answer.h"
#include "proxy/connection-private.h"

/* ---- Requests ---- */

static bool on_request(void *ctx, const struct http_head *head, struct exchange_request *r)
{
	return request_judge(ctx, head, r);
}

static void on_response(void *ctx, struct request_record *record, int status)
{
	if (record)
		request_answered(ctx, record, status);
}

static void on_lost(void *ctx, struct request_record *record, const char *why)
{
	request_lost(ctx, record, span_of(why));
}

/* Not what only its two ends can read, and no request that hides behind something else. */
static bool on_other(void *ctx, enum sniff_kind kind)
{
	struct connection *c = ctx;
	struct policy_decision d;

	return kind == SNIFF_RAW && (exchange_bytes(c->exchange, RELAY_SERVER) ||
				     connection_unseen_may_go(c, request_question(c), &d));
}

static void on_malformed(void *ctx, bool is_client, struct request_record *record, const char *what,
			 struct buf *answer)
{
	if (is_client)
		request_refuse_malformed(ctx, span_of(what), answer);
	else
		request_refuse_response(ctx, record, span_of(what), answer);
}

static void on_ended(void *ctx, int error)
{
	connection_close(ctx, error < 0);
}

static struct exchange_events events_of(const struct connection *c)
{
	return (struct exchange_events){ on_request,
					 on_response,
					 on_lost,
					 on_malformed,
					 on_other,
					 on_ended,
					 secrets_values(c->proxy->secrets) };
}

static void begin_h1(struct connection *c, struct stream *client, struct stream *server,
		     enum exchange_kind kind, struct span first)
{
	const struct exchange_events events = events_of(c);

	c->exchange = exchange_new(&c->proxy->loop, client, server, c->proxy->scratch, &events, c);
	exchange_start(c->exchange, kind, first);
}

static void begin_h2(struct connection *c, struct stream *client, struct stream *server,
		     struct span first)
{
	const struct exchange_events events = events_of(c);

	c->h2_exchange = h2_exchange_new(&c->proxy->loop, client, server, TAKE_PTR(c->pooled),
					 c->proxy->scratch, &events, c);
	h2_exchange_start(c->h2_exchange, first);
}

/* ---- TLS ---- */

static void on_joined(void *ctx, struct stream *client, struct stream *server,
		      enum tls_protocol protocol)
{
	struct connection *c = ctx;

	intercept_free(TAKE_PTR(c->intercept));
	c->is_in_tls = true;
	if (protocol == TLS_PROTOCOL_HTTP2)
		begin_h2(c, client, server, (struct span){ 0 });
	else
		begin_h1(c, client, server,
			 protocol == TLS_PROTOCOL_HTTP1 ? EXCHANGE_HTTP1 : EXCHANGE_UNKNOWN,
			 (struct span){ 0 });
}

static void report_tls(struct connection *c, const char *what, const char *why, const char *remedy)
{
	_cleanup_buf_ struct buf message = BUF_INIT(0);
	struct proxy_question q = connection_question(c);
	struct event e = { .kind = EVENT_NET_CLOSE, .error = EPROTO };

	q.name = c->decided_name.len ? &c->decided_name : &c->name;
	(void)buf_printf(&message, "%s: %s%s", what, why, remedy);
	e.message = buf_span(&message);
	proxy_report_plain(c->proxy, &e, &q, EVENT_DECISION_NONE);
}

static void on_server_failed(void *ctx, const char *why, bool is_certificate, struct buf *answer)
{
	struct connection *c = ctx;
	struct proxy_question q = connection_question(c);
	const char *what = is_certificate ? "the server's certificate is not accepted"
					  : "no TLS with the server";

	q.name = &c->decided_name;
	report_tls(c, what, why, "");
	(void)answer_bad_server(&q, what, why, answer);
}

static void on_client_failed(void *ctx, const char *why, bool is_mistrust)
{
	report_tls(ctx,
		   is_mistrust ? "the client does not accept the session's certificates"
			       : "no TLS with the client",
		   why,
		   is_mistrust
			   ? "; give it /run/leash/ca.crt as a trusted authority, or permit the "
			     "host with @tls(\"passthrough\")"
			   : "");
}

static void on_tls_end(void *ctx)
{
	connection_close(ctx, /* abort = */ false);
}

static unsigned int offers(const struct connection *c)
{
	return (c->sniff.hello.offers_http1 ? TLS_PROTOCOL_HTTP1 : 0) |
	       (c->sniff.hello.offers_h2 ? TLS_PROTOCOL_HTTP2 : 0);
}

/* Who the server has to prove to be; NULL: its address. */
static const struct name *server_name(const struct connection *c)
{
	const struct authority *claim = sniff_claim(&c->sniff);

	if (c->decided_name.len)
		return &c->decided_name;
	return claim && !claim->is_address ? &claim->name : NULL;
}

/* server NULL: the client is only told the answer. */
static void intercept(struct connection *c, struct stream *client, struct stream *server,
		      struct span hello, struct span answer)
{
	static const struct intercept_events tls_events = { on_joined, on_server_failed,
							    on_client_failed, on_tls_end };
	c->intercept = intercept_start(&(struct intercept_options){ .loop = &c->proxy->loop,
								    .tls = c->proxy->tls,
								    .leaves = c->proxy->leaves,
								    .scratch = c->proxy->scratch,
								    .client = client,
								    .server = server,
								    .hello = hello,
								    .offers = offers(c),
								    .name = server_name(c),
								    .address = &c->to.address,
								    .answer = answer },
				       &tls_events, c);
}

/* ---- All ---- */

static bool is_seen_tls(const struct connection *c)
{
	return c->sniff.kind == SNIFF_TLS && !c->passes_tls;
}

static struct pool_key key_of(const struct connection *c, const struct endpoint *to)
{
	const struct name *name = server_name(c);
	struct pool_key key = { .to = *to, .is_tls = is_seen_tls(c) };

	if (name)
		key.name = *name;
	if (key.is_tls)
		key.offers = offers(c);
	else
		key.offers = c->sniff.kind == SNIFF_HTTP2 ? TLS_PROTOCOL_HTTP2 : TLS_PROTOCOL_HTTP1;
	return key;
}

struct stream *connection_take_pooled(struct connection *c, const struct endpoint *to, size_t n)
{
	struct stream *server = NULL;

	for (size_t i = 0; i < n && !server && connection_speaks(c); i++) {
		struct pool_key key = key_of(c, &to[i]);

		server = pool_take(c->proxy->pool, &key, &c->pooled);
		c->dialled = to[i];
	}
	return server;
}

void connection_pool_server(struct connection *c)
{
	struct h2_session *session = NULL;
	struct stream *server = c->exchange	 ? exchange_release(c->exchange)
				: c->h2_exchange ? h2_exchange_release(c->h2_exchange, &session)
						 : NULL;
	struct pool_key key;

	if (!server)
		return;
	key = key_of(c, &c->dialled);
	stream_reset_count(server);
	pool_put(c->proxy->pool, &key, server, session);
}

bool connection_speaks(const struct connection *c)
{
	return c->claim == CLAIM_SETTLED &&
	       (is_seen_tls(c) || c->sniff.kind == SNIFF_HTTP1 || c->sniff.kind == SNIFF_HTTP2);
}

void connection_speak(struct connection *c, struct stream *client, struct stream *server)
{
	struct buf seen = c->sniff.seen;

	c->sniff.seen = (struct buf){ 0 };
	if (is_seen_tls(c))
		intercept(c, client, server, buf_span(&seen), (struct span){ 0 });
	else if (c->sniff.kind == SNIFF_HTTP2)
		begin_h2(c, client, server, buf_span(&seen));
	else
		begin_h1(c, client, server, EXCHANGE_HTTP1, buf_span(&seen));
	buf_done(&seen);
}

void connection_answer_in_tls(struct connection *c, struct stream *client, struct span response)
{
	intercept(c, client, NULL, buf_span(&c->sniff.seen), response);
}
