/*
 * A client and a server that speak HTTP/1 over two streams. Every request is
 * read whole as far as its head, judged by the owner, and written anew from its
 * parsed form; so is every response. The next request is read when the one before
 * has been answered. A connection that both sides agree to upgrade to WebSocket
 * is followed frame by frame from then on.
 */
#pragma once

#include "http/message.h"
#include "proxy/secrets.h"
#include "proxy/sniff.h"
#include "proxy/stream.h"

struct exchange;

struct request_record;

/* What the owner says to a request. */
struct exchange_request {
	struct buf target;	       /* what is to be asked for (origin form, or "*") */
	struct buf host;	       /* and the value of its Host field */
	struct buf answer;	       /* if it may not go: the whole response, as HTTP/1 has it */
	struct request_record *record; /* if it may: the owner's, for the events that follow */
	const struct http_head *head;  /* to be sent in place of the one that came; or NULL */
	struct secrets_edit edit;      /* which is in here, with what was put in */
};

struct exchange_events {
	/* May the request go? Fills r, which is empty. */
	bool (*request)(void *ctx, const struct http_head *head, struct exchange_request *r);
	/* The final response has begun. Takes the record. */
	void (*response)(void *ctx, struct request_record *record, int status);
	/* There will be none. Takes the record. Not called when the whole connection ends. */
	void (*lost)(void *ctx, struct request_record *record, const char *why);
	/*
	 * A message is out of form, the client's or the server's: answer is what the client is
	 * told. Takes the record, of a request whose response it is and that had none before.
	 * Also what comes over a WebSocket, where answer is of no use.
	 */
	void (*malformed)(void *ctx, bool is_client, struct request_record *record,
			  const char *what, struct buf *answer);
	/* The client speaks something else than HTTP/1. May it be passed on unseen? */
	bool (*other)(void *ctx, enum sniff_kind kind);
	/* Both directions have ended (0), or one failed (negative errno). The owner calls exchange_free. */
	void (*ended)(void *ctx, int error);
	/* What must not reach the client; not ours. NULL: there is nothing of the kind. */
	const struct needles *secrets;
};

static inline void exchange_request_done(struct exchange_request *r)
{
	buf_done(&r->target);
	buf_done(&r->host);
	buf_done(&r->answer);
	secrets_edit_done(&r->edit);
}

/* Takes both streams. scratch: LIMIT_PROXY_RELAY bytes, shared by all of a loop. */
struct exchange *exchange_new(uv_loop_t *loop, struct stream *client, struct stream *server,
			      char *scratch, const struct exchange_events *events, void *ctx);
enum exchange_kind {
	EXCHANGE_HTTP1,
	EXCHANGE_UNKNOWN, /* the client's first bytes tell: HTTP/1, or what is passed on as bytes */
};

/* Begins, with what the client has sent so far. events may be called from within. */
void exchange_start(struct exchange *x, enum exchange_kind kind, struct span first_bytes);
/* Bytes read from the client (RELAY_CLIENT) or the server (RELAY_SERVER). */
uint64_t exchange_bytes(const struct exchange *x, int from);
/*
 * The client has left a server that has answered all and would answer more: its
 * stream, which is the caller's, or NULL. Before exchange_free, after which nothing
 * else may be called.
 */
struct stream *exchange_release(struct exchange *x);
/* Closes both streams, by RST if abort. NULL allowed. */
void exchange_free(struct exchange *x, bool abort);
