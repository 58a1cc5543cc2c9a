/*
 * Entities as a program sees them: numbered uids (the program's own first), the
 * attributes that some policy names, ancestors as numbers.
 */
#pragma once

#include "cedar/program-private.h"

struct store_entity {
	uint32_t n_ancestors, n_attributes;
	const uint32_t *ancestors; /* sorted */
	const uint32_t *names;	   /* of the attributes, sorted */
	const struct vm_value *attributes;
	const struct cedar_value *tags; /* a record, or NULL */
};

struct cedar_store {
	struct arena arena;
	const struct cedar_program *program;
	struct symbols uids;
	const struct store_entity **entities; /* by uid; NULL where there is none */
};

/* Among sorted numbers. */
static inline bool refs_contain(const uint32_t *refs, uint32_t n, uint32_t ref)
{
	uint32_t low = 0;

	/* Narrow without branches that cannot be predicted. */
	while (n > 1) {
		uint32_t half = n / 2;

		low += refs[low + half - 1] < ref ? half : 0;
		n -= half;
	}
	return n && refs[low] == ref;
}
