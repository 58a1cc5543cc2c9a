/*
 * The signer: a process of its own that makes a certificate authority for the
 * session, keeps its key in memory alone, and signs certificates for the names
 * that the proxy asks for. It has no network and no files. The proxy has the one
 * key of all these leaves, and never sees the authority's.
 */
#pragma once

#include "base/ipc.h"

/* Messages between daemon (D) and signer (S), and between proxy (P) and signer. */
enum keys_message {
	KEYS_NONE,
	/* S→D, first: the authority's certificate in DER */
	KEYS_AUTHORITY,
	/* D→S: nothing; fds: the signer's end of a socket to the proxy */
	KEYS_PROXY,
	/* S→D: text of a fatal problem */
	KEYS_FAILED,
	/* P→S, first and once: the leaves' public key, a SubjectPublicKeyInfo in DER */
	KEYS_LEAF_KEY,
	/* P→S, with an id: a DNS name in canonical form, or an address as text */
	KEYS_SIGN,
	/* S→P, with that id: the certificate in DER */
	KEYS_SIGNED,
	/* S→P, with that id: nothing; no certificate can be made for it */
	KEYS_REFUSED,
	KEYS_MESSAGE_MAX,
};

/* Tables of what each receives (base/ipc.h). */
extern const struct ipc_type keys_to_daemon[KEYS_MESSAGE_MAX];
extern const struct ipc_type keys_from_daemon[KEYS_MESSAGE_MAX];
extern const struct ipc_type keys_to_proxy[KEYS_MESSAGE_MAX];
extern const struct ipc_type keys_from_proxy[KEYS_MESSAGE_MAX];

/* The signer's whole life; control_fd is the socket to the daemon. Returns the exit status. */
int keys_main(int control_fd);
