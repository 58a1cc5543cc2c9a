/*
 * The first message of a TLS client (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2): its
 * server name and protocols. A push machine without I/O: it takes records as
 * they come, in any split, joins the handshake message that crosses them, and
 * reads it when whole. Anything out of form is an error, not a guess.
 */
#pragma once

#include "base/buf.h"
#include "proxy/name.h"

struct client_hello {
	/* The parser's state. */
	unsigned char header[5];
	size_t header_len, record_left;
	struct buf message;
	bool is_done;
	/* What it said; valid once client_hello_feed has returned 1. */
	bool has_name;
	struct authority server;      /* server_name, RFC 6066 §3; no port */
	bool offers_h2, offers_http1; /* ALPN, RFC 7301 */
	bool has_ech; /* encrypted_client_hello: the name may be a front for another */
};

void client_hello_init(struct client_hello *h);
void client_hello_done(struct client_hello *h);
/* Returns 1 when the message is whole, 0 when more is needed, -EBADMSG for anything else. */
int client_hello_feed(struct client_hello *h, struct span bytes) _must_check_;
