/* Which scripts use a character, and whether identifiers may have it (UTS #24, UTS #39; Unicode 17). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A set of scripts, one bit each; all bits for characters that any script uses. */
struct script_set {
	uint64_t bits[3];
};

/*
 * Ranges of characters that are alike, by their first: scalar << 10, the number
 * of their set << 1, and 1 where identifiers may have them. Sorted.
 */
extern const struct script_set script_sets[];
extern const uint32_t script_ranges[];
extern const size_t n_script_ranges;
