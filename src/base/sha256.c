#include "base/sha256.h"

#include "base/big-endian.h"
#include "base/sha-extensions.h"

/* FIPS 180-4 §4.2.2: the first 32 bits of the cube roots' fractions of the first 64 primes. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* FIPS 180-4 §6.2.2, one round; the caller renames instead of moving the eight values. */
#define ROUND(a, b, c, d, e, f, g, h, kw)                                                          \
	do {                                                                                       \
		uint32_t t1 = (h) + (rotate((e), 6) ^ rotate((e), 11) ^ rotate((e), 25)) +         \
			      ((g) ^ ((e) & ((f) ^ (g)))) + (kw);                                  \
		uint32_t t2 = (rotate((a), 2) ^ rotate((a), 13) ^ rotate((a), 22)) +               \
			      (((a) & (b)) | ((c) & ((a) | (b))));                                 \
		(d) += t1;                                                                         \
		(h) = t1 + t2;                                                                     \
	} while (0)

/* Word t of the message schedule, for t >= 16, in a window of 16 words. */
static inline uint32_t schedule(uint32_t w[16], unsigned t)
{
	uint32_t x = w[(t - 15) & 15];
	uint32_t y = w[(t - 2) & 15];

	return w[t & 15] += (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[(t - 7) & 15] +
			    (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
}

static void compress_portable(uint32_t state[8], const unsigned char *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t w[16];

	for (size_t t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	for (unsigned t = 0; t < 64; t += 8) {
#define KW(i) (round_constants[t + (i)] + (t < 16 ? w[t + (i)] : schedule(w, t + (i))))
		ROUND(a, b, c, d, e, f, g, h, KW(0));
		ROUND(h, a, b, c, d, e, f, g, KW(1));
		ROUND(g, h, a, b, c, d, e, f, KW(2));
		ROUND(f, g, h, a, b, c, d, e, KW(3));
		ROUND(e, f, g, h, a, b, c, d, KW(4));
		ROUND(d, e, f, g, h, a, b, c, KW(5));
		ROUND(c, d, e, f, g, h, a, b, KW(6));
		ROUND(b, c, d, e, f, g, h, a, KW(7));
#undef KW
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

#ifdef __x86_64__
#include <immintrin.h>

/*
 * The same with the SHA extensions (Intel SDM vol. 2, SHA256RNDS2, SHA256MSG1,
 * SHA256MSG2): the state lives in two registers, four rounds and four schedule
 * words at a time. Ten times as fast, which a busy agent's log needs.
 */
__attribute__((target("sha,sse4.1"))) static void compress_sha_ni(uint32_t state[8],
								  const unsigned char *block)
{
	const __m128i big_endian =
		_mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
	__m128i abef = _mm_set_epi32((int)state[0], (int)state[1], (int)state[4], (int)state[5]);
	__m128i cdgh = _mm_set_epi32((int)state[2], (int)state[3], (int)state[6], (int)state[7]);
	__m128i abef_start = abef, cdgh_start = cdgh;
	__m128i w[4];
	uint32_t out[8];

	for (size_t i = 0; i < 4; i++)
		w[i] = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)),
			big_endian);
	for (size_t i = 0; i < 16; i++) {
		__m128i *now = &w[i & 3];
		__m128i kw;

		if (i >= 4) {
			__m128i last = w[(i - 1) & 3];

			*now = _mm_sha256msg1_epu32(*now, w[(i - 3) & 3]);
			*now = _mm_add_epi32(*now, _mm_alignr_epi8(last, w[(i - 2) & 3], 4));
			*now = _mm_sha256msg2_epu32(*now, last);
		}
		kw = _mm_add_epi32(
			*now,
			_mm_loadu_si128((const __m128i *)(const void *)(round_constants + 4 * i)));
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw);
		abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(kw, 0x0e));
	}
	_mm_storeu_si128((__m128i *)(void *)out, _mm_add_epi32(abef, abef_start));
	_mm_storeu_si128((__m128i *)(void *)(out + 4), _mm_add_epi32(cdgh, cdgh_start));
	memcpy(state,
	       (uint32_t[8]){ out[3], out[2], out[7], out[6], out[1], out[0], out[5], out[4] },
	       sizeof(out));
}
#else
static void compress_sha_ni(uint32_t state[8], const unsigned char *block)
{
	compress_portable(state, block);
}
#endif

static void compress(const struct sha256 *h, uint32_t state[8], const unsigned char *block)
{
	if (h->use_extensions)
		compress_sha_ni(state, block);
	else
		compress_portable(state, block);
}

void sha256_init(struct sha256 *h)
{
	/* FIPS 180-4 §5.3.3. */
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(h->state, start, sizeof(start));
	h->n_bytes = 0;
	h->use_extensions = sha_extensions_are_there();
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t filled = h->n_bytes % 64;

	h->n_bytes += len;
	while (len) {
		size_t n = MIN(len, 64 - filled);

		if (n == 64) {
			compress(h, h->state, p);
		} else {
			memcpy(h->block + filled, p, n);
			filled += n;
			if (filled == 64)
				compress(h, h->state, h->block);
		}
		filled %= 64;
		p += n;
		len -= n;
	}
}

void sha256_final(struct sha256 *h, unsigned char out[SHA256_LEN])
{
	static const unsigned char padding[64] = { 0x80 };
	uint64_t n_bits = h->n_bytes * 8;
	size_t filled = h->n_bytes % 64;
	unsigned char length[8];

	store_be32(length, (uint32_t)(n_bits >> 32));
	store_be32(length + 4, (uint32_t)n_bits);
	sha256_update(h, padding, filled < 56 ? 56 - filled : 120 - filled);
	sha256_update(h, length, sizeof(length));
	for (size_t i = 0; i < 8; i++)
		store_be32(out + 4 * i, h->state[i]);
}

void sha256_of(struct span s, unsigned char out[SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, s.p, s.len);
	sha256_final(&h, out);
}

void sha256_to_hex(const unsigned char hash[SHA256_LEN], char out[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_LEN; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[SHA256_HEX_LEN] = 0;
}

void sha256_hex(struct span s, char out[SHA256_HEX_LEN + 1])
{
	unsigned char hash[SHA256_LEN];

	sha256_of(s, hash);
	sha256_to_hex(hash, out);
}
