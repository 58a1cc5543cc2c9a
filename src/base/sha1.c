#include "base/sha1.h"

#include "base/big-endian.h"

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

static void compress(uint32_t state[5], const unsigned char *block)
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

void sha1_init(struct sha1 *h)
{
	*h = (struct sha1){ .state = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
				       0xc3d2e1f0 } };
}

void sha1_update(struct sha1 *h, const void *p, size_t len)
{
	const unsigned char *from = p;
	size_t filled = h->n_bytes % sizeof(h->block);

	h->n_bytes += len;
	while (len) {
		size_t n = MIN(len, sizeof(h->block) - filled);

		memcpy(h->block + filled, from, n);
		from += n;
		len -= n;
		filled += n;
		if (filled == sizeof(h->block)) {
			compress(h->state, h->block);
			filled = 0;
		}
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
