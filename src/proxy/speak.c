/*
 * A connection whose client speaks HTTP: each of its requests is judged, and each
 * is recorded.
 */
#include "proxy/connection-private.h"

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

static const struct exchange_events events = { on_request, on_response, on_lost, on_malformed,
					       on_ended };

void connection_begin_h1(struct connection *c, struct stream *client, struct stream *server,
			 struct span first)
{
	c->exchange = exchange_new(&c->proxy->loop, client, server, c->proxy->scratch, &events, c);
	exchange_start(c->exchange, first);
}

void connection_begin_h2(struct connection *c, struct stream *client, struct stream *server,
			 struct span first)
{
	c->h2_exchange =
		h2_exchange_new(&c->proxy->loop, client, server, c->proxy->scratch, &events, c);
	h2_exchange_start(c->h2_exchange, first);
}

bool connection_speaks(const struct connection *c)
{
	return c->claim == CLAIM_SETTLED &&
	       (c->sniff.kind == SNIFF_HTTP1 || c->sniff.kind == SNIFF_HTTP2);
}

void connection_speak(struct connection *c, struct stream *client, struct stream *server)
{
	struct buf seen = c->sniff.seen;

	c->sniff.seen = (struct buf){ 0 };
	if (c->sniff.kind == SNIFF_HTTP2)
		connection_begin_h2(c, client, server, buf_span(&seen));
	else
		connection_begin_h1(c, client, server, buf_span(&seen));
	buf_done(&seen);
}
