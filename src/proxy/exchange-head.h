/*
 * Heads of HTTP/1 on their way through the proxy: what is to be known of one
 * that came, and how the one that is sent in its place is made. Nothing is
 * passed on as it came: fields that concern one connection are left out and
 * written anew (RFC 9110 §7.6.1), so is the body's framing, and in what a server
 * says secrets become placeholders. No streams and no state: when a head goes,
 * and what follows from it, is the exchange's (exchange.c).
 */
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "http/h1-reader.h"
#include "http/websocket-handshake.h"
#include "proxy/needles.h"

/* ---- Reading ---- */

/* Does it say who is there once for all requests of the connection (RFC 4559 §6)? */
bool exchange_head_binds_connection(const struct http_head *h);
/*
 * Does the request ask for an upgrade? Then fills *ret, which is empty. NULL, or what is wrong
 * with how it is asked for.
 */
const char *exchange_head_read_offer(const struct http_head *h, const struct h1_reader *reader,
				     bool *ret_wants_upgrade, struct websocket_offer *ret);
/* Does a body follow that cannot be read as it is? */
bool exchange_head_is_encoded(const struct http_head *h, const struct h1_reader *reader);
/*
 * Secrets in a response become placeholders: *ret is as h, with fields in items and texts in the
 * arena. needles may be NULL. -ENOMEM.
 */
int exchange_head_scrub(const struct needles *needles, struct arena *arena,
			const struct http_head *h, struct http_field items[LIMIT_HTTP_FIELDS],
			struct http_head *ret) _must_check_;

/* ---- Making ---- */

struct exchange_head {
	const struct http_head *head;	/* the one that came */
	const struct h1_reader *reader; /* of the side that it came from: knows its body */
	bool is_upgrade;		/* to WebSocket */
	bool is_old_client;		/* HTTP/1.0: of a response */
	bool is_last;	 /* the connection ends behind it; also where only that ends the body */
	bool is_chunked; /* set: how the body is to be written on; not of an interim response */
};

/* Each appends to out; as h1_write_request and h1_write_response. */
int exchange_head_write_request(struct exchange_head *e, struct span target, struct span host,
				struct buf *out) _must_check_;
int exchange_head_write_response(struct exchange_head *e, struct buf *out) _must_check_;
/* The last chunk of a body that was read, with its trailers; needles may be NULL. */
int exchange_head_write_trailers(const struct h1_reader *reader, const struct needles *needles,
				 struct buf *out) _must_check_;
