/*
 * A Java keystore (JKS, version 2) of trusted certificates: every Java since 1.2
 * reads it, also where it expects PKCS #12.
 */
#pragma once

#include "base/buf.h"
#include "base/sha1.h"

struct java_keystore {
	struct buf content;
	struct sha1 hash;
	size_t n_hashed; /* bytes of content that hash has seen */
};

/* Begins one that holds the certificates of the PEM text and one more. What is malformed is left
 * out. */
int java_keystore_begin(struct java_keystore *k, struct span pem) _must_check_;
/* Adds that one and closes the store with Java's usual password. *ret lies in k. */
int java_keystore_finish(struct java_keystore *k, struct span der, struct span *ret) _must_check_;
void java_keystore_done(struct java_keystore *k);
