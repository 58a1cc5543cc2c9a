/*
 * The certificates that clients are shown, one for each server's name or address:
 * asked of the signer once, and kept, the least recently used going first.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "base/span.h"

struct x509_st;
struct leaves;
struct leaf_request;

/* certificate is NULL where none can be had; else valid during the call, and longer with a
 * reference. */
typedef void (*leaf_fn)(void *ctx, struct x509_st *certificate);

/* signer_fd: the socket to the signer, which stays the caller's; it is told the public key (DER)
 * first. */
int leaves_new(uv_loop_t *loop, int signer_fd, struct span public_key, struct leaves **ret,
	       struct err *err) _must_check_;
/*
 * Calls fn with the certificate for that name or address (as text): at once if it
 * is here, and then returns NULL; else later.
 */
struct leaf_request *leaves_get(struct leaves *l, struct span subject, leaf_fn fn, void *ctx);
/* Has the certificate made where it is not here, so that a leaves_get to come finds it. */
void leaves_prepare(struct leaves *l, struct span subject);
/* fn will not be called any more. NULL allowed. */
void leaf_request_cancel(struct leaf_request *r);
