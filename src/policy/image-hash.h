/*
 * The hash of names in an image, by parts, so that all beginnings of a path
 * (or endings of a host's name) are hashed in one pass. The seed is the
 * image's: a builder that finds crowded slots takes another one.
 */
#pragma once

#include <stdint.h>
#include <string.h>

/* Text that is hashed may be read this far behind its end. */
#define IMAGE_TEXT_PADDING 64
/* Separators in a name that is looked up. */
#define IMAGE_MAX_DEPTH 128

static inline uint64_t image_hash_mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide m = (wide)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t image_hash_start(uint64_t seed, unsigned int subject)
{
	return image_hash_mix(seed ^ (subject + 1) * UINT64_C(0x9e3779b97f4a7c15),
			      UINT64_C(0xe7037ed1a0b428db));
}

/* One part of a name; p is readable beyond len, see above. */
static inline uint64_t image_hash_part(uint64_t h, const unsigned char *p, size_t len)
{
	uint64_t word;

	for (; len > 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		h = image_hash_mix(h ^ word, UINT64_C(0xa0761d6478bd642f));
	}
	if (len == 0)
		return h;
	memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	word &= ~UINT64_C(0) >> (64 - 8 * len);
#else
	word &= ~UINT64_C(0) << (64 - 8 * len);
#endif
	return image_hash_mix(h ^ word ^ len, UINT64_C(0xa0761d6478bd642f));
}
