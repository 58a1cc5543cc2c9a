/*
 * Bytes of a text, 64 at a time: where a byte occurs, as a bit mask. The text
 * is readable up to the end of its last block.
 */
#pragma once

#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

static inline __m128i scan_load(const unsigned char *p, int i)
{
	return _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
}

static inline uint64_t scan_bits(__m128i v, int i)
{
	return (uint64_t)(unsigned int)_mm_movemask_epi8(v) << 16 * i;
}

static inline uint64_t scan_equal(const unsigned char *p, char c)
{
	const __m128i wanted = _mm_set1_epi8(c);

	return scan_bits(_mm_cmpeq_epi8(scan_load(p, 0), wanted), 0) |
	       scan_bits(_mm_cmpeq_epi8(scan_load(p, 1), wanted), 1) |
	       scan_bits(_mm_cmpeq_epi8(scan_load(p, 2), wanted), 2) |
	       scan_bits(_mm_cmpeq_epi8(scan_load(p, 3), wanted), 3);
}

/* Where bytes beyond ASCII are. */
static inline uint64_t scan_high(const unsigned char *p)
{
	return scan_bits(scan_load(p, 0), 0) | scan_bits(scan_load(p, 1), 1) |
	       scan_bits(scan_load(p, 2), 2) | scan_bits(scan_load(p, 3), 3);
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
