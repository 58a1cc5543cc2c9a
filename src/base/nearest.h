/*
 * "Did you mean ...?": the known word nearest to one that is not known.
 */
#pragma once

#include "base/span.h"

struct nearest {
	struct span word;
	const char *best; /* NULL while nothing is near enough */
	size_t distance;
};

/* Letters added, left out, changed or swapped with their neighbour. SIZE_MAX for words over 64
 * bytes. */
size_t nearest_distance(struct span a, struct span b);
/* Offers a known word. One that differs in a third of its letters or more is not near. */
void nearest_offer(struct nearest *n, const char *known);
