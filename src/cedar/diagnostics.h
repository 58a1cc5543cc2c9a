/*
 * Collecting what a parse finds. Bounded: past the list's max (by default
 * LIMIT_CEDAR_DIAGNOSTICS) a last entry says so and the rest is dropped
 * (n_errors still counts).
 */
#pragma once

#include "base/limits.h"
#include "cedar/cedar.h"

/* Longest piece of source text that a message quotes, in bytes. */
#define DIAGNOSTIC_QUOTE_MAX 60

/* suggestion may be NULL; it is copied. */
void diagnostic_add(struct cedar_diagnostics *d, enum cedar_severity severity, const char *code,
		    struct cedar_range range, const char *suggestion, const char *fmt, ...)
	_printf_(6, 7);
/* Nothing more is kept: looking for mistakes has no use any more. */
static inline bool diagnostics_are_full(const struct cedar_diagnostics *d)
{
	return d->len > (d->max ? d->max : LIMIT_CEDAR_DIAGNOSTICS);
}

/* Puts the findings from the first-th on into source order. */
void diagnostics_sort(struct cedar_diagnostics *d, size_t first);
/* s cut at a character boundary so that it can be quoted in a message. */
struct span diagnostic_quote(struct span s);
/* The candidate that word was probably meant to be (at most 2 edits, fewer in short words), or
 * NULL. */
const char *nearest_word(struct span word, const char *const *candidates, size_t n);
/* Edits between two words, or any larger number where that is not below limit or a word is long. */
size_t word_distance(struct span a, struct span b, size_t limit);
/* How many edits a word may be away to be taken for a mistake: 2, fewer in short words. */
size_t word_distance_max(struct span word);
