/*
 * The beginning of a TLS connection that is to be seen: first the server has to
 * prove who it is, then the client is shown a certificate of the session's
 * authority, with the protocol that the server agreed to. A client whose
 * connection goes no further can be told why inside TLS, too.
 */
#pragma once

#include "proxy/leaves.h"
#include "proxy/stream.h"
#include "proxy/tls.h"

struct intercept;

struct intercept_events {
	/* Both handshakes are done: the streams are the owner's, who calls intercept_free. */
	void (*joined)(void *ctx, struct stream *client, struct stream *server,
		       enum tls_protocol protocol);
	/* The handshake with the server failed: answer is what the client is told. is_certificate:
	 * it is not who it should be. */
	void (*server_failed)(void *ctx, const char *why, bool is_certificate, struct buf *answer);
	/* The one with the client did. is_mistrust: it does not accept the certificate. */
	void (*client_failed)(void *ctx, const char *why, bool is_mistrust);
	/* Nothing more will happen. The owner calls intercept_free. */
	void (*ended)(void *ctx);
};

struct intercept_options {
	uv_loop_t *loop;
	struct tls *tls;
	struct leaves *leaves;
	char *scratch;		 /* LIMIT_PROXY_RELAY bytes, shared by all of a loop */
	struct stream *client;	 /* taken */
	struct stream
		*server; /* taken, clear or in TLS; NULL: the client is only told the answer */
	struct span hello;	 /* what the client has sent so far */
	unsigned int offers;	 /* bits of enum tls_protocol */
	const struct name *name; /* whom the client wants; NULL: the address */
	const struct policy_address *address;
	struct span answer; /* where there is no server */
};

/* events are never called from within. */
struct intercept *intercept_start(const struct intercept_options *o,
				  const struct intercept_events *events, void *ctx);
/* Closes what it still has. NULL allowed. */
void intercept_free(struct intercept *i);
