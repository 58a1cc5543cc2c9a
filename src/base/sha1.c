#include "base/sha1.h"

#include "base/big-endian.h"
#include "base/sha-extensions.h"

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* FIPS 180-4 §6.1.3: the schedule in a window of 16 words. */
static inline uint32_t schedule(uint32_t w[16], unsigned t)
{
	if (t >= 16)
		w[t & 15] =
			rotate(w[(t - 3) & 15] ^ w[(t - 8) & 15] ^ w[(t - 14) & 15] ^ w[t & 15], 1);
	return w[t & 15];
}

/* FIPS 180-4 §6.1.2, one step; the caller renames instead of moving the five values. */
#define STEP(a, b, c, d, e, f, constant, t)                                                        \
	do {                                                                                       \
		(e) += rotate((a), 5) + f((b), (c), (d)) + (constant) + schedule(w, (t));          \
		(b) = rotate((b), 30);                                                             \
	} while (0)

/* One of the four runs of 20 steps. */
#define STEPS(first, f, constant)                                                                  \
	for (unsigned t = (first); t < (first) + 20; t += 5) {                                     \
		STEP(a, b, c, d, e, f, constant, t);                                               \
		STEP(e, a, b, c, d, f, constant, t + 1);                                           \
		STEP(d, e, a, b, c, f, constant, t + 2);                                           \
		STEP(c, d, e, a, b, f, constant, t + 3);                                           \
		STEP(b, c, d, e, a, f, constant, t + 4);                                           \
	}

#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define PARITY(x, y, z) ((x) ^ (y) ^ (z))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))

static void compress_portable(uint32_t state[5], const unsigned char *block)
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
	uint32_t w[16];

	for (size_t t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	STEPS(0, CHOOSE, 0x5a827999);
	STEPS(20, PARITY, 0x6ed9eba1);
	STEPS(40, MAJORITY, 0x8f1bbcdc);
	STEPS(60, PARITY, 0xca62c1d6);
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
}

#ifdef __x86_64__
#include <immintrin.h>

/* Four steps; run, which chooses function and constant, must be a constant itself. */
#define FOUR_STEPS(i, run)                                                                         \
	do {                                                                                       \
		__m128i *now = &w[(i)&3];                                                          \
                                                                                                   \
		if ((i) >= 4)                                                                      \
			*now = _mm_sha1msg2_epu32(                                                 \
				_mm_xor_si128(_mm_sha1msg1_epu32(*now, w[((i)-3) & 3]),            \
					      w[((i)-2) & 3]),                                     \
				w[((i)-1) & 3]);                                                   \
		e = (i) ? _mm_sha1nexte_epu32(e, *now) : _mm_add_epi32(e, *now);                   \
		before = abcd;                                                                     \
		abcd = _mm_sha1rnds4_epu32(abcd, e, (run));                                        \
		e = before;                                                                        \
	} while (0)

/*
 * The same with the SHA extensions (SHA1RNDS4, SHA1NEXTE, SHA1MSG1, SHA1MSG2): a store
 * of all the system's certificates is hashed before a session starts.
 */
__attribute__((target("sha,sse4.1"))) static void compress_sha_ni(uint32_t state[5],
								  const unsigned char *block)
{
	const __m128i big_endian =
		_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	__m128i abcd = _mm_set_epi32((int)state[0], (int)state[1], (int)state[2], (int)state[3]);
	__m128i e = _mm_set_epi32((int)state[4], 0, 0, 0);
	__m128i abcd_start = abcd, e_start = e, before;
	__m128i w[4];

	for (size_t i = 0; i < 4; i++)
		w[i] = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i)),
			big_endian);
	for (size_t i = 0; i < 5; i++)
		FOUR_STEPS(i, 0);
	for (size_t i = 5; i < 10; i++)
		FOUR_STEPS(i, 1);
	for (size_t i = 10; i < 15; i++)
		FOUR_STEPS(i, 2);
	for (size_t i = 15; i < 20; i++)
		FOUR_STEPS(i, 3);
	e = _mm_sha1nexte_epu32(e, e_start);
	abcd = _mm_add_epi32(abcd, abcd_start);
	state[0] = (uint32_t)_mm_extract_epi32(abcd, 3);
	state[1] = (uint32_t)_mm_extract_epi32(abcd, 2);
	state[2] = (uint32_t)_mm_extract_epi32(abcd, 1);
	state[3] = (uint32_t)_mm_extract_epi32(abcd, 0);
	state[4] = (uint32_t)_mm_extract_epi32(e, 3);
}
#else
static void compress_sha_ni(uint32_t state[5], const unsigned char *block)
{
	compress_portable(state, block);
}
#endif

static void compress(struct sha1 *h, const unsigned char *block)
{
	if (h->use_extensions)
		compress_sha_ni(h->state, block);
	else
		compress_portable(h->state, block);
}

void sha1_init(struct sha1 *h)
{
	*h = (struct sha1){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 },
			    .use_extensions = sha_extensions_are_there() };
}

void sha1_update(struct sha1 *h, const void *p, size_t len)
{
	const unsigned char *from = p;
	size_t filled = h->n_bytes % sizeof(h->block);

	h->n_bytes += len;
	while (len) {
		size_t n = MIN(len, sizeof(h->block) - filled);

		if (n == sizeof(h->block)) {
			compress(h, from);
		} else {
			memcpy(h->block + filled, from, n);
			filled += n;
			if (filled == sizeof(h->block))
				compress(h, h->block);
		}
		filled %= sizeof(h->block);
		from += n;
		len -= n;
	}
}

void sha1_final(struct sha1 *h, unsigned char out[SHA1_LEN])
{
	uint64_t n_bits = h->n_bytes * 8;
	unsigned char length[8];

	store_be32(length, (uint32_t)(n_bits >> 32));
	store_be32(length + 4, (uint32_t)n_bits);
	sha1_update(h, "\x80", 1);
	while (h->n_bytes % sizeof(h->block) != sizeof(h->block) - sizeof(length))
		sha1_update(h, "", 1);
	sha1_update(h, length, sizeof(length));
	for (size_t i = 0; i < 5; i++)
		store_be32(out + 4 * i, h->state[i]);
}
