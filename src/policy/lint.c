#include "policy/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

/* What is said of long names is cut, between characters. */
static struct span cut(struct span text)
{
	size_t len = MIN(text.len, LIMIT_POLICY_MESSAGE);

	while (len && len < text.len && ((unsigned char)text.p[len] & 0xc0) == 0x80)
		len--;
	return span_make(text.p, len);
}

_printf_(2, 0) static const char *format_text(struct lint *l, const char *fmt, va_list args)
{
	char text[LIMIT_POLICY_MESSAGE + 8];
	const char *copy;

	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		abort();
	copy = arena_dup(l->arena, cut(span_of(text)));
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
	struct cedar_diagnostic d = {
		.severity = severity, .code = code, .range = range, .policy = l->policy
	};
	size_t *count = severity == CEDAR_ERROR ? &l->n_errors : &l->n_warnings;
	va_list args;

	if ((*count)++ >= LIMIT_CEDAR_DIAGNOSTICS)
		return;
	va_start(args, fmt);
	d.message = format_text(l, fmt, args);
	va_end(args);
	if (suggestion)
		d.suggestion = lint_text(l, "%s", suggestion);
	vec_push(&l->found, d);
}

void lint_drop_warnings(struct lint *l, struct cedar_range range)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->found.len; i++) {
		const struct cedar_diagnostic *d = &l->found.items[i];

		if (d->severity == CEDAR_WARNING && d->policy == l->policy &&
		    d->range.begin == range.begin && d->range.end == range.end)
			l->n_warnings--;
		else
			l->found.items[kept++] = *d;
	}
	l->found.len = kept;
}

bool lint_has(const struct lint *l, const char *code)
{
	for (size_t i = l->found.len; i > 0 && l->found.items[i - 1].policy == l->policy; i--)
		if (strcmp(l->found.items[i - 1].code, code) == 0)
			return true;
	return false;
}

static int by_position(const void *a, const void *b)
{
	const struct cedar_diagnostic *x = a, *y = b;

	return (x->range.begin > y->range.begin) - (x->range.begin < y->range.begin);
}

/* The line, or of a very long one what is around the place. */
static char *copy_line(struct span text, size_t at)
{
	size_t begin = MIN(at, text.len), end = begin;
	size_t first = begin > LIMIT_POLICY_MESSAGE / 2 ? begin - LIMIT_POLICY_MESSAGE / 2 : 0;

	while (begin > first && text.p[begin - 1] != '\n')
		begin--;
	while (begin < end && ((unsigned char)text.p[begin] & 0xc0) == 0x80)
		begin++;
	while (end < text.len && text.p[end] != '\n' && end - begin < LIMIT_POLICY_MESSAGE)
		end++;
	while (end > begin && end < text.len && ((unsigned char)text.p[end] & 0xc0) == 0x80)
		end--;
	return xmemdup0(text.p ? text.p + begin : "", end - begin);
}

void lint_list_one(const struct cedar_diagnostic *d, const struct lint_sink *sink)
{
	struct policy_finding f = {
		.is_error = d->severity == CEDAR_ERROR,
		.code = d->code,
		.policy = d->policy ? xmemdup0(d->policy->id.p, cut(d->policy->id).len) : NULL,
		.file = xstrdup(sink->file),
		.message = xstrdup(d->message),
		.suggestion = d->suggestion ? xstrdup(d->suggestion) : NULL,
		.source = copy_line(sink->text->text, d->range.begin),
		.begin = d->range.begin,
		.end = d->range.end,
	};

	cedar_positions_find(sink->text, d->range.begin, &f.line, &f.column);
	cedar_positions_find(sink->text, d->range.end, &f.end_line, &f.end_column);
	vec_push(sink->list, f);
}

int lint_print_one(const struct cedar_diagnostic *d, const struct lint_sink *sink)
{
	struct cedar_diagnostic shown = *d;
	_cleanup_free_ char *message = d->policy ? xasprintf("%s [%s, %.*s]", d->message, d->code,
							     SPAN_ARG(cut(d->policy->id)))
						 : xasprintf("%s [%s]", d->message, d->code);

	if (sink->list)
		lint_list_one(d, sink);
	shown.message = message;
	return cedar_diagnostic_print_in(&shown, sink->file, sink->text, sink->color, sink->report);
}

static size_t beyond_limit(size_t n)
{
	return n > LIMIT_CEDAR_DIAGNOSTICS ? n - LIMIT_CEDAR_DIAGNOSTICS : 0;
}

int lint_print(struct lint *l, const struct lint_sink *sink)
{
	size_t n_more = beyond_limit(l->n_errors) + beyond_limit(l->n_warnings);
	int r = 0;

	if (l->found.len)
		qsort(l->found.items, l->found.len, sizeof(*l->found.items), by_position);
	for (size_t i = 0; r >= 0 && i < l->found.len; i++)
		r = lint_print_one(&l->found.items[i], sink);
	if (r >= 0 && lint_is_full(l))
		r = buf_printf(sink->report, "%s: more than %zu errors: the rest was not read\n",
			       sink->file, LIMIT_CEDAR_DIAGNOSTICS);
	else if (r >= 0 && n_more)
		r = buf_printf(sink->report, "%s: %zu more findings are not shown\n", sink->file,
			       n_more);
	l->found.len = 0;
	return r;
}

static void known_dir_free(void *value)
{
	struct known_dir *dir = value;

	xfree(dir->path);
	xfree(dir);
}

void lint_done(struct lint *l)
{
	vec_done(&l->found);
	map_done(&l->dirs, known_dir_free);
}

void policy_findings_done(struct policy_findings *f)
{
	for (size_t i = 0; i < f->len; i++) {
		xfree(f->items[i].policy);
		xfree(f->items[i].file);
		xfree(f->items[i].message);
		xfree(f->items[i].suggestion);
		xfree(f->items[i].source);
	}
	vec_done(f);
}
