#include "policy/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_printf_(2, 0) static const char *format_text(struct lint *l, const char *fmt, va_list args)
{
	_cleanup_free_ char *text = NULL;
	const char *copy;

	if (vasprintf(&text, fmt, args) < 0)
		abort();
	copy = arena_dup(l->arena, span_of(text));
	return copy ? copy : "out of memory";
}

const char *lint_text(struct lint *l, const char *fmt, ...)
{
	const char *text;
	va_list args;

	va_start(args, fmt);
	text = format_text(l, fmt, args);
	va_end(args);
	return text;
}

void lint_add(struct lint *l, enum cedar_severity severity, const char *code,
	      struct cedar_range range, const char *suggestion, const char *fmt, ...)
{
	struct cedar_diagnostic d = { .severity = severity, .code = code, .range = range };
	va_list args;

	va_start(args, fmt);
	d.message = format_text(l, fmt, args);
	va_end(args);
	if (suggestion)
		d.suggestion = lint_text(l, "%s", suggestion);
	if (severity == CEDAR_ERROR)
		l->n_errors++;
	vec_push(&l->found, d);
}

static int by_position(const void *a, const void *b)
{
	const struct cedar_diagnostic *x = a, *y = b;

	return (x->range.begin > y->range.begin) - (x->range.begin < y->range.begin);
}

int lint_print(struct lint *l, const char *file, struct span text, bool color, struct buf *report)
{
	int r = 0;

	if (l->found.len)
		qsort(l->found.items, l->found.len, sizeof(*l->found.items), by_position);
	for (size_t i = 0; r >= 0 && i < l->found.len; i++)
		r = cedar_diagnostic_print(&l->found.items[i], file, text, color, report);
	l->found.len = 0;
	return r;
}

void lint_done(struct lint *l)
{
	vec_done(&l->found);
	map_done(&l->parents, xfree);
}
