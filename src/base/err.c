#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_if_cut(struct err *e, int wanted)
{
	if (wanted >= (int)sizeof(e->text))
		memcpy(e->text + sizeof(e->text) - 4, "...", 4);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	char words[sizeof(e->text)];
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	e->code = code;
	mark_if_cut(e, snprintf(e->text, sizeof(e->text), "%s: %s", words, strerror(-code)));
	return code;
}

int err_say(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!e)
		return code;
	va_start(ap, fmt);
	n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->code = code;
	mark_if_cut(e, n);
	return code;
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
	char context[sizeof(e->text)];
	char inner[sizeof(e->text)];
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	(void)vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(inner, e->text, sizeof(inner));
	mark_if_cut(e, snprintf(e->text, sizeof(e->text), "%s: %s", context, inner));
	return e->code ? e->code : code;
}
