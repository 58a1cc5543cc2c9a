#include "cedar/diagnostics.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/limits.h"

void cedar_diagnostics_done(struct cedar_diagnostics *d)
{
	xfree(d->items);
	arena_done(&d->arena);
	*d = (struct cedar_diagnostics){ 0 };
}

static void push(struct cedar_diagnostics *d, const struct cedar_diagnostic *item)
{
	if (d->len == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 8;
		d->items = xrealloc_array(d->items, d->cap, sizeof(*d->items));
	}
	d->items[d->len++] = *item;
}

static const char *keep(struct cedar_diagnostics *d, const char *text)
{
	const char *copy = text ? arena_dup(&d->arena, span_of(text)) : NULL;

	return text && !copy ? "out of memory" : copy;
}

void diagnostic_add(struct cedar_diagnostics *d, enum cedar_severity severity, const char *code,
		    struct cedar_range range, const char *suggestion, const char *fmt, ...)
{
	struct cedar_diagnostic item = { .severity = severity, .code = code, .range = range };
	size_t max = d->max ? d->max : LIMIT_CEDAR_DIAGNOSTICS;
	char message[512];
	va_list ap;

	if (severity == CEDAR_ERROR)
		d->n_errors++;
	if (diagnostics_are_full(d))
		return;
	if (d->len == max) {
		item.code = "too_many_findings";
		item.message = "too many findings, the rest is not shown";
		push(d, &item);
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	item.message = keep(d, message);
	item.suggestion = keep(d, suggestion);
	push(d, &item);
}

/* Insertion sort: stable, few items, nearly sorted. */
void diagnostics_sort(struct cedar_diagnostics *d, size_t first)
{
	for (size_t i = first; i < d->len; i++) {
		struct cedar_diagnostic item = d->items[i];
		size_t j = i;

		for (; j > first && d->items[j - 1].range.begin > item.range.begin; j--)
			d->items[j] = d->items[j - 1];
		d->items[j] = item;
	}
}

struct span diagnostic_quote(struct span s)
{
	if (s.len <= DIAGNOSTIC_QUOTE_MAX)
		return s;
	s.len = DIAGNOSTIC_QUOTE_MAX;
	while (s.len && ((unsigned char)s.p[s.len] & 0xc0) == 0x80)
		s.len--;
	return s;
}

#define WORD_MAX 24

/* Levenshtein's distance; both words are at most WORD_MAX long. */
static size_t edit_distance(struct span a, struct span b)
{
	size_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t replaced = diagonal + (a.p[i - 1] != b.p[j - 1]);

			diagonal = row[j];
			row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.len];
}

size_t word_distance(struct span a, struct span b, size_t limit)
{
	size_t longer = MAX(a.len, b.len);

	if (longer > WORD_MAX || longer - MIN(a.len, b.len) >= limit)
		return SIZE_MAX;
	return edit_distance(a, b);
}

size_t word_distance_max(struct span word)
{
	return MIN(word.len / 2, (size_t)2);
}

const char *nearest_word(struct span word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t best_distance = word_distance_max(word) + 1;

	if (word.len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct span candidate = span_of(candidates[i]);
		size_t distance;

		if (candidate.len > WORD_MAX)
			continue;
		distance = edit_distance(word, candidate);
		if (distance < best_distance) {
			best = candidates[i];
			best_distance = distance;
		}
	}
	return best;
}
