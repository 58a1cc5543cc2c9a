/*
 * A client and a server that speak HTTP/1 over two sockets. Every request is
 * read whole as far as its head, judged by the owner, and written anew from its
 * parsed form; so is every response. The next request is read when the one before
 * has been answered. A connection that both sides agree to upgrade to WebSocket
 * is joined byte by byte from then on.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"
#include "http/message.h"
#include "proxy/needles.h"

struct exchange;

struct exchange_events {
	/*
	 * May the request go? Appends to target what is to be asked for (origin form,
	 * or "*"), and to host the value of its Host field; returns the head to be sent,
	 * this one or one with other fields. NULL: answer holds the whole response,
	 * after which the connection ends.
	 */
	const struct http_head *(*request)(void *ctx, const struct http_head *head,
					   struct buf *target, struct buf *host,
					   struct buf *answer);
	/* The final response to the request in progress has begun. */
	void (*response)(void *ctx, int status);
	/* A message is out of form, the client's or the server's: answer is what the client is
	 * told. */
	void (*malformed)(void *ctx, bool is_client, const char *what, struct buf *answer);
	/* Both directions have ended (0), or one failed (negative errno). The owner calls exchange_free. */
	void (*ended)(void *ctx, int error);
	/* What must not reach the client; not ours. NULL: there is nothing of the kind. */
	const struct needles *secrets;
};

/* Takes both descriptors. scratch: LIMIT_PROXY_RELAY bytes, shared by all of a loop. */
struct exchange *exchange_new(uv_loop_t *loop, int client_fd, int server_fd, char *scratch,
			      const struct exchange_events *events, void *ctx);
/* Begins, with what the client has sent so far. events may be called from within. */
void exchange_start(struct exchange *x, struct span first_bytes);
/* Bytes read from the client (RELAY_CLIENT) or the server (RELAY_SERVER). */
uint64_t exchange_bytes(const struct exchange *x, int from);
/* Closes both sockets, by RST if abort. NULL allowed. */
void exchange_free(struct exchange *x, bool abort);
