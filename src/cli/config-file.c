#include "cli/config-file.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "config/document.h"
#include "config/settings.h"
#include "config/toml-edit.h"

struct reading {
	const struct config_document *d;
	secret_specs *specs;	     /* NULL: they are not asked for, only checked */
	struct retention *retention; /* likewise */
	struct err *err;
};

static int wrong_type(const struct reading *r, const struct toml *v, const char *wanted)
{
	return config_wrong_type(r->d, v, wanted, r->err);
}

/* What another room said is wrong with it. */
static int fail_at(const struct reading *r, const struct toml *v, const struct err *why)
{
	return config_fail(r->d, v, r->err, "%s", why->text);
}

static int set_one(const struct reading *r, struct secret_spec *s, struct span key,
		   const struct toml *v)
{
	struct err why = { 0 };

	if (v->type != TOML_STRING && !(v->type == TOML_INTEGER && span_eq_str(key, "port")))
		return wrong_type(r, v, span_eq_str(key, "port") ? "a number" : "a string");
	if (memchr(v->text.p, 0, v->text.len) || secret_spec_set(s, key, v->text, &why) < 0)
		return fail_at(r, v, &why);
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

static int begin(const struct reading *r, struct secret_spec *s, const struct toml *table)
{
	const struct toml *from = toml_get(table, "from");
	struct err why = { 0 };

	if (!from)
		return config_fail_key(r->d, table, r->err,
				       "from is missing: env:VARIABLE, file:PATH or cmd:COMMAND");
	if (from->type != TOML_STRING || memchr(from->text.p, 0, from->text.len))
		return wrong_type(r, from, "a string");
	if (secret_spec_begin(s, table->key, from->text, &why) < 0)
		return fail_at(r, from, &why);
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
		if (!config_is_one_of(v->key, known))
			return config_unknown_key(r->d, v, known, r->err);
		if (!span_eq_str(v->key, "from"))
			code = set(r, s, v);
	}
	if (code == 0 && secret_spec_finish(s, &why) < 0)
		return config_fail_key(r->d, table, r->err, "%s", why.text);
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
	if (v->type != TOML_INTEGER)
		return wrong_type(r, v, "a number");
	if (v->integer < 0 || (uint64_t)v->integer > max)
		return config_fail(r->d, v, r->err, "expected a number from 0 to %llu",
				   (unsigned long long)max);
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
			code = config_unknown_key(r->d, v, known, r->err);
	}
	if (code == 0 && r->retention)
		*r->retention = keep;
	return code;
}

static int read_all(const struct reading *r)
{
	static const char *const known[] = { "secrets", "events",   "leash",
					     "volumes", "projects", NULL };
	int code = 0;

	for (const struct toml *v = r->d->root->first; v && code == 0; v = v->next) {
		if (span_eq_str(v->key, "secrets"))
			code = read_secrets(r, v);
		else if (span_eq_str(v->key, "events"))
			code = read_events(r, v);
		else if (!config_is_one_of(v->key, config_settings_tables))
			code = config_unknown_key(r->d, v, known, r->err);
	}
	return code;
}

void config_add_variables(const struct config_settings *s, struct environment *e)
{
	for (size_t i = 0; i < s->variables.len; i++) {
		const struct config_variable *v = &s->variables.items[i];

		if (!environment_get(e, v->name))
			environment_set(e, v->name, v->value);
	}
}

int config_check(struct config_document *d, const char *home, const char *directory,
		 struct err *err)
{
	struct reading reading = { .d = d, .err = err };
	struct config_settings settings;
	int r = read_all(&reading);

	if (r < 0)
		return r;
	r = config_settings_read(d, home, directory, &settings, err);
	config_settings_done(&settings);
	return r;
}

int config_take_secrets(const struct config_document *d, secret_specs *specs, struct err *err)
{
	return read_all(&(struct reading){ .d = d, .specs = specs, .err = err });
}

int config_take_retention(const struct config_document *d, struct retention *ret, struct err *err)
{
	return read_all(&(struct reading){ .d = d, .retention = ret, .err = err });
}

/* What was changed is checked as if it were read, and then written. */
int config_store_text(const struct config_place *p, struct span text, struct err *err)
{
	_cleanup_(config_done) struct config_document d = { 0 };
	int r = config_read_text(p->directory, text, &d, err);

	if (r >= 0)
		r = config_check(&d, p->home, p->cwd, err);
	return r < 0 ? r : file_replace_target(d.file, text, 0600, /* want_sync = */ true, err);
}

int config_store(const struct config_place *p, const struct config_document *d,
		 const struct span *keys, size_t n_keys, struct span value, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT(CONFIG_TEXT_MAX);
	struct toml_error error;
	int r = toml_set(buf_span(&d->text), keys, n_keys, value, &out, &error);

	if (r < 0)
		return err_say(err, r, "%s:%zu:%zu: %s", d->file, error.line, error.column,
			       error.message);
	return config_store_text(p, buf_span(&out), err);
}
