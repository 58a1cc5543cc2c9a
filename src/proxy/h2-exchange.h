/*
 * A client and a server that speak HTTP/2 over two streams: what exchange.h is for
 * HTTP/1. Each request of the client's is judged by the owner and begun anew with
 * the server; one that may not go is answered, while the others go on. Either
 * side's settings, pings and windows are its own affair and ours.
 */
#pragma once

#include "http/h2.h"
#include "proxy/exchange.h"

struct h2_exchange;

/* Takes both streams, and the session on the server's where there is one already (else NULL).
 * scratch: LIMIT_PROXY_RELAY bytes, shared by all of a loop. */
struct h2_exchange *h2_exchange_new(uv_loop_t *loop, struct stream *client, struct stream *server,
				    struct h2_session *server_session, char *scratch,
				    const struct exchange_events *events, void *ctx);
/* Begins, with what the client has sent so far. events may be called from within. */
void h2_exchange_start(struct h2_exchange *x, struct span first_bytes);
/* Bytes read from the client (RELAY_CLIENT) or the server (RELAY_SERVER). */
uint64_t h2_exchange_bytes(const struct h2_exchange *x, int from);
/* As exchange_release, with the session on the stream. */
struct stream *h2_exchange_release(struct h2_exchange *x, struct h2_session **ret_session);
/* Closes both streams, by RST if abort. NULL allowed. */
void h2_exchange_free(struct h2_exchange *x, bool abort);
