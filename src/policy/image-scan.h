/*
 * Bytes of a text, 64 at a time: where a byte occurs, as a bit mask. The text
 * is readable up to the end of its last block.
 */
#pragma once

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

static inline uint64_t scan_mask(const unsigned char *p, __m128i wanted)
{
	uint64_t mask = 0;

	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));

		mask |= (uint64_t)(unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(v, wanted)) << 16 * i;
	}
	return mask;
}

static inline uint64_t scan_equal(const unsigned char *p, char c)
{
	return scan_mask(p, _mm_set1_epi8(c));
}

/* Where bytes beyond ASCII are. */
static inline uint64_t scan_high(const unsigned char *p)
{
	uint64_t mask = 0;

	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));

		mask |= (uint64_t)(unsigned int)_mm_movemask_epi8(v) << 16 * i;
	}
	return mask;
}

#else

static inline uint64_t scan_equal(const unsigned char *p, char c)
{
	uint64_t mask = 0;

	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)(p[i] == (unsigned char)c) << i;
	return mask;
}

static inline uint64_t scan_high(const unsigned char *p)
{
	uint64_t mask = 0;

	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)(p[i] >> 7) << i;
	return mask;
}

#endif
