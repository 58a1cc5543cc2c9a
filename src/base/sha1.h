/*
 * SHA-1 (FIPS 180-4), only where a format of others wants it. It protects nothing.
 */
#pragma once

#include "base/span.h"

#define SHA1_LEN 20

struct sha1 {
	uint32_t state[5];
	uint64_t n_bytes;
	unsigned char block[64]; /* n_bytes % 64 of it are filled */
	bool use_extensions;	 /* the processor's SHA instructions; a test may clear it */
};

void sha1_init(struct sha1 *h);
void sha1_update(struct sha1 *h, const void *p, size_t len);
void sha1_final(struct sha1 *h, unsigned char out[SHA1_LEN]);
