/*
 * FNV-1a, 64 bits: finds damage to our own bytes; no protection against an
 * author. Every step is a bijection, so one changed byte always changes it.
 */
#pragma once

#include "base/span.h"

static inline uint64_t checksum(struct span s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}
