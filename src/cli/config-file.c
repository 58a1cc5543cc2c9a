#include "cli/config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cli/nearest.h"
#include "config/toml.h"

#define CONFIG_MAX ((size_t)1024 * 1024)

struct reading {
	const char *file;
	secret_specs *specs;	     /* NULL: they are not asked for, only checked */
	struct retention *retention; /* likewise */
	struct err *err;
};

static int fail_at(const struct reading *r, size_t line, size_t column, const struct err *why)
{
	return err_say(r->err, -EINVAL, "%s:%zu:%zu: %s", r->file, line, column, why->text);
}

static int unknown_key(const struct reading *r, const struct toml *v, const char *const *known)
{
	struct nearest nearest = { .word = v->key };
	struct err why = { 0 };

	for (size_t i = 0; known[i]; i++)
		nearest_offer(&nearest, known[i]);
	if (nearest.best)
		(void)err_say(&why, -EINVAL, "unknown key %.*s; did you mean %s?", SPAN_ARG(v->key),
			      nearest.best);
	else
		(void)err_say(&why, -EINVAL, "unknown key %.*s", SPAN_ARG(v->key));
	return fail_at(r, v->key_line, v->key_column, &why);
}

static int wrong_type(const struct reading *r, const struct toml *v, const char *wanted)
{
	struct err why = { 0 };

	(void)err_say(&why, -EINVAL, "a %s stands where %s is expected", toml_type_name(v->type),
		      wanted);
	return fail_at(r, v->line, v->column, &why);
}

static int set_one(const struct reading *r, struct secret_spec *s, struct span key,
		   const struct toml *v)
{
	struct err why = { 0 };

	if (v->type != TOML_STRING && !(v->type == TOML_INTEGER && span_eq_str(key, "port")))
		return wrong_type(r, v, span_eq_str(key, "port") ? "a number" : "a string");
	if (memchr(v->text.p, 0, v->text.len) || secret_spec_set(s, key, v->text, &why) < 0)
		return fail_at(r, v->line, v->column, &why);
	return 0;
}

/* host and port may be lists. */
static int set(const struct reading *r, struct secret_spec *s, const struct toml *v)
{
	bool may_be_list = span_eq_str(v->key, "host") || span_eq_str(v->key, "port");
	int code = 0;

	if (v->type != TOML_ARRAY || !may_be_list)
		return set_one(r, s, v->key, v);
	for (const struct toml *item = v->first; item && code == 0; item = item->next)
		code = set_one(r, s, v->key, item);
	return code;
}

static bool is_known(struct span key, const char *const *known)
{
	for (size_t i = 0; known[i]; i++)
		if (span_eq_str(key, known[i]))
			return true;
	return false;
}

static int begin(const struct reading *r, struct secret_spec *s, const struct toml *table)
{
	const struct toml *from = toml_get(table, "from");
	struct err why = { 0 };

	if (!from) {
		(void)err_say(&why, -EINVAL,
			      "from is missing: env:VARIABLE, file:PATH or cmd:COMMAND");
		return fail_at(r, table->key_line, table->key_column, &why);
	}
	if (from->type != TOML_STRING || memchr(from->text.p, 0, from->text.len))
		return wrong_type(r, from, "a string");
	if (secret_spec_begin(s, table->key, from->text, &why) < 0)
		return fail_at(r, from->line, from->column, &why);
	return 0;
}

static int read_secret(const struct reading *r, const struct toml *table, struct secret_spec *s)
{
	static const char *const known[] = {
		"from", "host", "port", "header", "path", "env", NULL
	};
	struct err why = { 0 };
	int code;

	if (table->type != TOML_TABLE)
		return wrong_type(r, table, "a table");
	code = begin(r, s, table);
	for (const struct toml *v = table->first; v && code == 0; v = v->next) {
		if (!is_known(v->key, known))
			return unknown_key(r, v, known);
		if (!span_eq_str(v->key, "from"))
			code = set(r, s, v);
	}
	if (code == 0 && secret_spec_finish(s, &why) < 0)
		return fail_at(r, table->key_line, table->key_column, &why);
	return code;
}

static int read_secrets(const struct reading *r, const struct toml *table)
{
	int code = 0;

	if (table->type != TOML_TABLE)
		return wrong_type(r, table, "a table");
	for (const struct toml *v = table->first; v && code == 0; v = v->next) {
		struct secret_spec s = { 0 };

		code = read_secret(r, v, &s);
		if (code == 0 && r->specs && !secret_specs_find(r->specs, v->key)) {
			vec_push(r->specs, s);
			continue;
		}
		secret_spec_done(&s);
	}
	return code;
}

static int read_number(const struct reading *r, const struct toml *v, uint64_t max, uint64_t *ret)
{
	struct err why = { 0 };

	if (v->type != TOML_INTEGER)
		return wrong_type(r, v, "a number");
	if (v->integer < 0 || (uint64_t)v->integer > max) {
		(void)err_say(&why, -EINVAL, "expected a number from 0 to %llu",
			      (unsigned long long)max);
		return fail_at(r, v->line, v->column, &why);
	}
	*ret = (uint64_t)v->integer;
	return 0;
}

static int read_events(const struct reading *r, const struct toml *table)
{
	static const char *const known[] = { "keep_days", "keep_mb", NULL };
	struct retention keep = r->retention ? *r->retention : (struct retention){ 0 };
	int code = 0;

	if (table->type != TOML_TABLE)
		return wrong_type(r, table, "a table");
	for (const struct toml *v = table->first; v && code == 0; v = v->next) {
		if (span_eq_str(v->key, "keep_days"))
			code = read_number(r, v, RETENTION_MAX_DAYS, &keep.days);
		else if (span_eq_str(v->key, "keep_mb"))
			code = read_number(r, v, RETENTION_MAX_MB, &keep.mb);
		else
			code = unknown_key(r, v, known);
	}
	if (code == 0 && r->retention)
		*r->retention = keep;
	return code;
}

static int read_all(const struct reading *r, const struct toml *root)
{
	static const char *const known[] = { "secrets", "events", NULL };
	int code = 0;

	for (const struct toml *v = root->first; v && code == 0; v = v->next) {
		if (span_eq_str(v->key, "secrets"))
			code = read_secrets(r, v);
		else if (span_eq_str(v->key, "events"))
			code = read_events(r, v);
		else
			code = unknown_key(r, v, known);
	}
	return code;
}

static int read_config(const char *directory, struct reading *reading)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(16 * CONFIG_MAX);
	_cleanup_free_ char *file = path_join(directory, "config.toml");
	_cleanup_buf_ struct buf text = BUF_INIT(CONFIG_MAX);
	struct err *err = reading->err;
	struct toml_error error;
	struct toml *root;
	int r = file_read_at(AT_FDCWD, file, &text);

	reading->file = file;
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_set(err, r, "read %s", file);
	r = toml_parse(&arena, buf_span(&text), &root, &error);
	if (r < 0)
		return err_say(err, r, "%s:%zu:%zu: %s", file, error.line, error.column,
			       error.message);
	return read_all(reading, root);
}

int config_read_secrets(const char *directory, secret_specs *specs, struct err *err)
{
	struct reading reading = { .specs = specs, .err = err };

	return read_config(directory, &reading);
}

int config_read_retention(const char *directory, struct retention *ret, struct err *err)
{
	struct reading reading = { .retention = ret, .err = err };

	return read_config(directory, &reading);
}
