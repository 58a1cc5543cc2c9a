/*
 * TLS to both sides of a connection: towards servers, whose certificates are
 * verified against the host's trusted roots; towards clients, with certificates
 * of the session's authority. One key serves all of these.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "proxy/address.h"
#include "proxy/name.h"

struct ssl_st;
struct x509_st;
struct tls;

/* What is spoken inside (ALPN, RFC 7301). */
enum tls_protocol {
	TLS_PROTOCOL_NONE = 0, /* nothing was agreed on */
	TLS_PROTOCOL_HTTP1 = 1,
	TLS_PROTOCOL_HTTP2 = 2,
};

/* roots: trusted certificates in PEM; those that cannot be read are left out. */
int tls_new(struct span roots, struct tls **ret, struct err *err) _must_check_;
void tls_free(struct tls *t);
/* Appends the public key of all certificates to come, a SubjectPublicKeyInfo in DER. */
int tls_public_key(const struct tls *t, struct buf *out) _must_check_;

/*
 * Towards a server that has to prove that it is name or, where that is NULL,
 * address. protocols: bits of enum tls_protocol to offer. NULL without memory.
 */
struct ssl_st *tls_to_server(struct tls *t, const struct name *name,
			     const struct policy_address *address, unsigned int protocols);
/* Why it did not prove it: static text, or NULL if that was not the trouble. */
const char *tls_verify_error(const struct ssl_st *ssl);
/* Towards a client, as the owner of the certificate, speaking that protocol if it offers it. */
struct ssl_st *tls_to_client(struct tls *t, struct x509_st *certificate,
			     enum tls_protocol protocol);
/* After the handshake. */
enum tls_protocol tls_agreed(const struct ssl_st *ssl);
/* Did the client end the handshake because it does not trust the certificate? */
bool tls_is_mistrust(unsigned long error);
