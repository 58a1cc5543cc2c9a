/*
 * What is spoken on a connection once it has a server: TLS that is looked into,
 * requests of HTTP, or bytes.
 */
#include <errno.h>

#include "proxy/answer.h"
#include "proxy/connection-private.h"

static void on_end(void *ctx, int error)
{
	connection_close(ctx, /* abort = */ error < 0);
}

/* ---- HTTP/1 ---- */

static bool on_request(void *ctx, const struct http_head *head, struct buf *target,
		       struct buf *host, struct buf *answer)
{
	return request_judge(ctx, head, target, host, answer);
}

static void on_response(void *ctx, int status)
{
	request_answered(ctx, status);
}

/* Not what only its two ends can read. */
static bool on_other(void *ctx, enum sniff_kind kind)
{
	(void)ctx;
	return kind == SNIFF_RAW;
}

static void on_malformed(void *ctx, bool is_client, const char *what, struct buf *answer)
{
	if (is_client)
		request_refuse_malformed(ctx, span_of(what), answer);
	else
		request_refuse_response(ctx, span_of(what), answer);
}

static void begin_exchange(struct connection *c, struct stream *client, struct stream *server,
			   enum exchange_kind kind)
{
	static const struct exchange_events events = { on_request, on_response, on_other,
						       on_malformed, on_end };
	struct buf seen = c->sniff.seen;

	c->sniff.seen = (struct buf){ 0 };
	c->exchange = exchange_new(&c->proxy->loop, client, server, c->proxy->scratch, &events, c);
	exchange_start(c->exchange, kind, buf_span(&seen));
	buf_done(&seen);
}

/* ---- TLS ---- */

static void on_joined(void *ctx, struct stream *client, struct stream *server,
		      enum tls_protocol protocol)
{
	struct connection *c = ctx;

	intercept_free(TAKE_PTR(c->intercept));
	c->is_in_tls = true;
	begin_exchange(c, client, server,
		       protocol == TLS_PROTOCOL_HTTP1 ? EXCHANGE_HTTP1 : EXCHANGE_UNKNOWN);
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

static void intercept(struct connection *c, int client_fd, int server_fd, struct span answer)
{
	static const struct intercept_events events = { on_joined, on_server_failed,
							on_client_failed, on_tls_end };
	const struct authority *claim = sniff_claim(&c->sniff);
	const struct name *name = c->decided_name.len		? &c->decided_name
				  : claim && !claim->is_address ? &claim->name
								: NULL;
	struct buf hello = c->sniff.seen;

	c->sniff.seen = (struct buf){ 0 };
	c->intercept = intercept_start(
		&(struct intercept_options){
			.loop = &c->proxy->loop,
			.tls = c->proxy->tls,
			.leaves = c->proxy->leaves,
			.scratch = c->proxy->scratch,
			.client_fd = client_fd,
			.server_fd = server_fd,
			.hello = buf_span(&hello),
			.offers = c->sniff.hello.offers_http1 ? TLS_PROTOCOL_HTTP1 : 0,
			.name = name,
			.address = &c->to.address,
			.answer = answer,
		},
		&events, c);
	buf_done(&hello);
}

void connection_answer_in_tls(struct connection *c, int client_fd, struct span response)
{
	intercept(c, client_fd, -1, response);
}

/* ---- All ---- */

static bool is_seen_tls(const struct connection *c)
{
	return c->sniff.kind == SNIFF_TLS && !c->passes_tls;
}

bool connection_speaks(const struct connection *c)
{
	return c->claim == CLAIM_SETTLED && (is_seen_tls(c) || c->sniff.kind == SNIFF_HTTP1);
}

void connection_speak(struct connection *c, int client_fd, int server_fd)
{
	uv_loop_t *loop = &c->proxy->loop;

	if (is_seen_tls(c))
		intercept(c, client_fd, server_fd, (struct span){ 0 });
	else
		begin_exchange(c, stream_new(loop, client_fd), stream_new(loop, server_fd),
			       EXCHANGE_HTTP1);
}
