#include "config/document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/path.h"

static int parse(struct config_document *d, struct err *err)
{
	struct toml_error error;
	int r = toml_parse(&d->arena, buf_span(&d->text), &d->root, &error);

	return r < 0 ? err_say(err, r, "%s:%zu:%zu: %s", d->file, error.line, error.column,
			       error.message)
		     : 0;
}

static void begin(const char *directory, struct config_document *d)
{
	*d = (struct config_document){ .arena = ARENA_INIT(16 * CONFIG_TEXT_MAX),
				       .file = path_join(directory, "config.toml"),
				       .text = BUF_INIT(CONFIG_TEXT_MAX) };
}

int config_read(const char *directory, struct config_document *ret, struct err *err)
{
	int r;

	begin(directory, ret);
	r = file_read_at(AT_FDCWD, ret->file, &ret->text);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return err_set(err, r, "read %s", ret->file);
	return parse(ret, err);
}

int config_read_text(const char *directory, struct span text, struct config_document *ret,
		     struct err *err)
{
	begin(directory, ret);
	if (buf_append_span(&ret->text, text) < 0)
		return err_say(err, -EMSGSIZE, "%s would have more than %zu bytes", ret->file,
			       CONFIG_TEXT_MAX);
	return parse(ret, err);
}

void config_done(struct config_document *d)
{
	arena_done(&d->arena);
	buf_done(&d->text);
	xfree(d->file);
	d->file = NULL;
	d->root = NULL;
}

_printf_(5, 0) static int fail_at(const struct config_document *d, size_t line, size_t column,
				  struct err *err, const char *fmt, va_list args)
{
	char text[sizeof(err->text)];

	(void)vsnprintf(text, sizeof(text), fmt, args);
	return err_say(err, -EINVAL, "%s:%zu:%zu: %s", d->file, line, column, text);
}

int config_fail(const struct config_document *d, const struct toml *v, struct err *err,
		const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = fail_at(d, v->line, v->column, err, fmt, args);
	va_end(args);
	return r;
}

int config_fail_key(const struct config_document *d, const struct toml *v, struct err *err,
		    const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = fail_at(d, v->key_line, v->key_column, err, fmt, args);
	va_end(args);
	return r;
}

bool config_is_one_of(struct span key, const char *const *known)
{
	for (; *known; known++)
		if (span_eq_str(key, *known))
			return true;
	return false;
}

int config_unknown_key(const struct config_document *d, const struct toml *v,
		       const char *const *known, struct err *err)
{
	struct nearest nearest = { .word = v->key };

	for (size_t i = 0; known[i]; i++)
		nearest_offer(&nearest, known[i]);
	if (nearest.best)
		return config_fail_key(d, v, err, "unknown key %.*s; did you mean %s?",
				       SPAN_ARG(v->key), nearest.best);
	return config_fail_key(d, v, err, "unknown key %.*s", SPAN_ARG(v->key));
}

int config_wrong_type(const struct config_document *d, const struct toml *v, const char *wanted,
		      struct err *err)
{
	return config_fail(d, v, err, "%s %s stands where %s is expected",
			   v->type == TOML_INTEGER || v->type == TOML_ARRAY ? "an" : "a",
			   toml_type_name(v->type), wanted);
}
