/*
 * Connections to servers that no client uses at the moment. A client that comes
 * soon after another went, and wants the same server by the same name, address
 * and protocol, gets the other's connection instead of waiting for a new one.
 * Whether it may go there has been decided before, for each client anew. What is
 * in the pool has been quiet since its last response: one byte, or its end, and
 * it is closed.
 */
#pragma once

#include "http/h2.h"
#include "proxy/address.h"
#include "proxy/name.h"
#include "proxy/stream.h"

struct pool;

/* Two clients with the same key would get connections that cannot be told apart. */
struct pool_key {
	struct name name; /* that the server has proved, or was asked for; empty: by its address */
	struct endpoint to;
	bool is_tls;
	unsigned int offers; /* bits of enum tls_protocol: what the server chose from */
};

/* Lives as long as the process. */
struct pool *pool_new(uv_loop_t *loop) _must_check_;

/* Takes the stream, and the session on it where HTTP/2 is spoken (else NULL). */
void pool_put(struct pool *p, const struct pool_key *key, struct stream *stream,
	      struct h2_session *session);
/* The connection that was put in last: the caller's, with its session or NULL. NULL: there is none.
 */
struct stream *pool_take(struct pool *p, const struct pool_key *key,
			 struct h2_session **ret_session);
