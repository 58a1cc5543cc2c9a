/*
 * SHA-256 (FIPS 180-4), for the event log's chain and for file names made from
 * content. Our own because linking libcrypto costs every leash process 0.6 ms
 * and 1.6 MB at its start, and 3.7 MB once it hashes; nothing secret is hashed
 * here, so it need not resist side channels beyond having no tables by data.
 */
#pragma once

#include "base/span.h"

#define SHA256_LEN 32
#define SHA256_HEX_LEN 64

struct sha256 {
	uint32_t state[8];
	uint64_t n_bytes;
	unsigned char block[64]; /* n_bytes % 64 of it are filled */
	bool use_extensions;	 /* the processor's SHA instructions; a test may clear it */
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *p, size_t len);
void sha256_final(struct sha256 *h, unsigned char out[SHA256_LEN]);

void sha256_of(struct span s, unsigned char out[SHA256_LEN]);
/* Lower-case hexadecimal with a NUL. */
void sha256_to_hex(const unsigned char hash[SHA256_LEN], char out[SHA256_HEX_LEN + 1]);
/* The hash of one run of bytes as lower-case hexadecimal with a NUL. */
void sha256_hex(struct span s, char out[SHA256_HEX_LEN + 1]);
