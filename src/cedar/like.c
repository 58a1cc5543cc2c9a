#include "cedar/like.h"

/*
 * Between wildcards the leftmost match of each literal is as good as any
 * other, so one pass without backtracking is exact.
 */
bool like_matches(struct span text, const struct cedar_pattern_piece *pieces, size_t n)
{
	bool is_floating = false;

	for (size_t i = 0; i < n; i++) {
		struct span literal = pieces[i].literal;
		const char *found;

		if (pieces[i].is_wildcard) {
			is_floating = true;
			continue;
		}
		if (!is_floating) {
			if (!span_starts_with(text, literal))
				return false;
			text = span_from(text, literal.len);
		} else if (i + 1 == n) {
			return span_ends_with(text, literal);
		} else {
			found = literal.len > text.len
					? NULL
					: memmem(text.p, text.len, literal.p, literal.len);
			if (!found)
				return false;
			text = span_from(text, (size_t)(found - text.p) + literal.len);
		}
		is_floating = false;
	}
	return is_floating || text.len == 0;
}
