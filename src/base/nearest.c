#include "base/nearest.h"

#define MAX_WORD 64

size_t nearest_distance(struct span a, struct span b)
{
	/* Optimal string alignment; rows i - 2, i - 1 and i of the table, in turn. */
	size_t rows[3][MAX_WORD + 1];

	if (a.len > MAX_WORD || b.len > MAX_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *two_above = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);

			best = MIN(best, MIN(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				best = MIN(best, two_above[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[a.len % 3][b.len];
}

void nearest_offer(struct nearest *n, const char *known)
{
	struct span word = span_of(known);
	size_t distance = nearest_distance(n->word, word);

	if (distance == SIZE_MAX || distance * 3 > MAX(word.len, n->word.len))
		return;
	if (n->best && distance >= n->distance)
		return;
	n->best = known;
	n->distance = distance;
}
