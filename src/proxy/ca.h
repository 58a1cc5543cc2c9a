/*
 * The session's certificate authority: its key is made here, lives in memory
 * that is kept out of swap where the machine permits that, and is used for
 * nothing but signing certificates of servers that go by one name or address.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* A certificate of ours has 350 to 900 bytes: a name may have 253. */
#define CA_CERTIFICATE_MAX ((size_t)2048)

struct ca;

/* Makes key and certificate. Both last as long as the process. */
int ca_new(struct ca **ret, struct err *err) _must_check_;
/* The certificate in DER. */
int ca_certificate(const struct ca *a, struct buf *out) _must_check_;
/*
 * The key that all leaves certify, once: a SubjectPublicKeyInfo in DER, of P-256.
 * -EBADMSG for whatever else, and for a second one.
 */
int ca_set_leaf_key(struct ca *a, struct span der) _must_check_;
/*
 * A certificate for a server of that name, in canonical form (name.h), or
 * address. -EINVAL for what is neither, -EBADMSG without a leaf key,
 * -EIO when the library fails.
 */
int ca_sign(const struct ca *a, struct span host, struct buf *out) _must_check_;
