#include "cli/policy-cases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "config/toml.h"

struct reading {
	const char *file;
	const struct policy_cases_environment *env;
	policy_case_fn fn; /* NULL: only looks for mistakes */
	void *ctx;
	struct arena *arena;
	struct err *err;
};

static const struct {
	const char *key;
	enum policy_fact fact;
} facts[] = {
	{ "exe", POLICY_FACT_EXE },   { "comm", POLICY_FACT_COMM },
	{ "cwd", POLICY_FACT_CWD },   { "ancestors", POLICY_FACT_ANCESTORS },
	{ "argv", POLICY_FACT_ARGV },
};

_printf_(4, 5) static int fail(const struct reading *r, size_t line, size_t column, const char *fmt,
			       ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	va_end(args);
	return err_say(r->err, -EINVAL, "%s:%zu:%zu: %s", r->file, line, column,
		       message ? message : "");
}

static int fail_value(const struct reading *r, const struct toml *v, const char *wanted)
{
	return fail(r, v->line, v->column, "%.*s must be %s, not a %s", SPAN_ARG(v->key), wanted,
		    toml_type_name(v->type));
}

/* ---- Values ---------------------------------------------------------------------- */

/* A string, which can hold no NUL where it is to be a C string. */
static int string_of(const struct reading *r, const struct toml *v, const char **ret)
{
	if (v->type != TOML_STRING)
		return fail_value(r, v, "a string");
	if (memchr(v->text.p, 0, v->text.len))
		return fail(r, v->line, v->column, "%.*s holds a NUL character", SPAN_ARG(v->key));
	*ret = v->text.p; /* the reader puts a NUL behind */
	return 0;
}

/* A string, or an array of strings. */
static int strings_of(const struct reading *r, const struct toml *v, const char ***ret,
		      size_t *ret_n)
{
	size_t n = 0;

	if (v->type != TOML_STRING && v->type != TOML_ARRAY)
		return fail_value(r, v, "a string or an array of strings");
	*ret = arena_alloc_array(r->arena, v->n_items + 1, sizeof(**ret));
	if (!*ret)
		return err_say(r->err, -ENOMEM, "%s: too large", r->file);
	if (v->type == TOML_STRING) {
		*ret_n = 1;
		return string_of(r, v, *ret);
	}
	for (const struct toml *item = v->first; item; item = item->next) {
		struct toml named = *item;
		int code;

		named.key = v->key;
		code = string_of(r, &named, &(*ret)[n++]);
		if (code < 0)
			return code;
	}
	*ret_n = n;
	return 0;
}

/* ---- One case --------------------------------------------------------------------- */

static bool is_operation(struct span key)
{
	enum policy_action action;
	struct span rest = SPAN(OPERATION_VERBS);

	while (rest.len) {
		const char *end = memchr(rest.p, ' ', rest.len);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;

		if (span_eq(key, span_make(rest.p, len)))
			return true;
		rest = span_from(rest, len + 1);
	}
	return policy_action_from_name(key, &action) >= 0;
}

static bool is_known_key(struct span key)
{
	static const char *const others[] = { "name", "expect", "by", "host", "headers" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (span_eq_str(key, others[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (span_eq_str(key, facts[i].key))
			return true;
	return false;
}

static int unknown_key(const struct reading *r, const struct toml *v)
{
	static const char *const names[] = { "name",	 "expect", "by",     "host",	  "exe",
					     "headers",	 "comm",   "cwd",    "ancestors", "argv",
					     "read",	 "write",  "create", "delete",	  "link",
					     "chmod",	 "exec",   "listen", "connect",	  "resolve",
					     "datagram", "http",   "call" };
	struct nearest nearest = { .word = v->key };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		nearest_offer(&nearest, names[i]);
	if (nearest.best)
		return fail(r, v->key_line, v->key_column, "unknown key %.*s; did you mean %s?",
			    SPAN_ARG(v->key), nearest.best);
	return fail(r, v->key_line, v->key_column, "unknown key %.*s", SPAN_ARG(v->key));
}

/* The key that names the operation: there must be one. */
static int find_operation(const struct reading *r, const struct toml *table,
			  const struct toml **ret)
{
	*ret = NULL;
	for (const struct toml *v = table->first; v; v = v->next) {
		if (is_operation(v->key)) {
			if (*ret)
				return fail(r, v->key_line, v->key_column,
					    "a case has one operation: %.*s is a second one",
					    SPAN_ARG(v->key));
			*ret = v;
		} else if (!is_known_key(v->key)) {
			return unknown_key(r, v);
		}
	}
	return *ret ? 0
		    : fail(r, table->line, table->column, "the case has no operation: one of %s",
			   OPERATION_VERBS);
}

static int read_expectation(const struct reading *r, const struct toml *table,
			    struct policy_case *c)
{
	const struct toml *expect = toml_get(table, "expect");
	const struct toml *by = toml_get(table, "by");
	const struct toml *name = toml_get(table, "name");
	const char *text = NULL;
	const char **ids;
	int code = 0;

	if (!expect)
		return fail(r, table->line, table->column,
			    "the case has no expect = \"allow\" or \"deny\"");
	if (string_of(r, expect, &text) < 0)
		return -EINVAL;
	c->want_allow = strcmp(text, "allow") == 0;
	if (!c->want_allow && strcmp(text, "deny") != 0)
		return fail(r, expect->line, expect->column,
			    "expect is \"allow\" or \"deny\", not \"%s\"", text);
	if (name)
		code = string_of(r, name, &c->name);
	if (code >= 0 && by) {
		code = strings_of(r, by, &ids, &c->n_by);
		c->by = ids;
	}
	return code;
}

static int read_headers(const struct reading *r, const struct toml *v, struct operation *o)
{
	const char **values;
	struct err err = { 0 };
	size_t n;

	if (strings_of(r, v, &values, &n) < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (operation_add_header(o, values[i], &err) < 0)
			return fail(r, v->line, v->column, "%s", err.text);
	return 0;
}

static int read_facts(const struct reading *r, const struct toml *table, struct operation *o)
{
	const struct toml *host = toml_get(table, "host");
	const struct toml *headers = toml_get(table, "headers");
	const char *text = NULL;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct toml *v = toml_get(table, facts[i].key);
		bool is_list =
			facts[i].fact == POLICY_FACT_ANCESTORS || facts[i].fact == POLICY_FACT_ARGV;
		const char **values;
		size_t n;

		if (!v)
			continue;
		if (!is_list && v->type != TOML_STRING)
			return fail_value(r, v, "a string");
		if (strings_of(r, v, &values, &n) < 0)
			return -EINVAL;
		for (size_t j = 0; j < n; j++)
			operation_add_fact(o, facts[i].fact, values[j]);
	}
	if (headers && read_headers(r, headers, o) < 0)
		return -EINVAL;
	if (!host)
		return 0;
	if (string_of(r, host, &text) < 0)
		return -EINVAL;
	return operation_set_host(o, text, &err) < 0
		       ? fail(r, host->line, host->column, "%s", err.text)
		       : 0;
}

static int read_object(const struct reading *r, const struct toml *table,
		       const struct toml *operation, const char *object, struct policy_case *c)
{
	struct err err = { 0 };
	int code;

	c->object = object;
	code = operation_parse(&c->operation, c->verb, object, r->env->home, r->env->cwd, &err);
	if (code < 0)
		code = fail(r, operation->line, operation->column, "%s", err.text);
	else
		code = read_facts(r, table, &c->operation);
	if (code >= 0 && r->fn)
		r->fn(c, r->ctx);
	operation_done(&c->operation);
	return code;
}

static int read_case(const struct reading *r, const struct toml *table)
{
	struct policy_case c = { .line = table->line };
	const struct toml *operation = NULL;
	const char **objects = NULL;
	size_t n = 0;
	int code = find_operation(r, table, &operation);

	if (code >= 0)
		code = read_expectation(r, table, &c);
	if (code >= 0)
		code = strings_of(r, operation, &objects, &n);
	if (code < 0)
		return code;
	if (!n)
		return fail(r, operation->line, operation->column, "%.*s names nothing",
			    SPAN_ARG(operation->key));
	c.verb = operation->key.p;
	for (size_t i = 0; i < n && code >= 0; i++)
		code = read_object(r, table, operation, objects[i], &c);
	return code;
}

/* ---- The file --------------------------------------------------------------------- */

static int read_cases(const struct reading *r, const struct toml *root)
{
	const struct toml *list = toml_get(root, "case");

	for (const struct toml *v = root->first; v; v = v->next)
		if (v != list)
			return fail(r, v->key_line, v->key_column,
				    "unknown key %.*s; cases are written [[case]]",
				    SPAN_ARG(v->key));
	if (!list || list->type != TOML_ARRAY || !list->n_items)
		return fail(r, 1, 1, "there is no [[case]]");
	for (const struct toml *item = list->first; item; item = item->next) {
		int code = item->type == TOML_TABLE
				   ? read_case(r, item)
				   : fail(r, item->line, item->column, "a case must be a table");

		if (code < 0)
			return code;
	}
	return 0;
}

int policy_cases_each(const char *file, const struct policy_cases_environment *env,
		      policy_case_fn fn, void *ctx, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_TEXT);
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)256 * 1024 * 1024);
	struct reading r = { file, env, NULL, ctx, &arena, err };
	struct toml_error error;
	struct toml *root;
	int code = file_read_at(AT_FDCWD, file, &text);

	if (code < 0)
		return err_set(err, code, "read the cases %s", file);
	if (toml_parse(&arena, buf_span(&text), &root, &error) < 0)
		return fail(&r, error.line, error.column, "%s", error.message);
	code = read_cases(&r, root);
	if (code < 0)
		return code;
	r.fn = fn;
	return read_cases(&r, root);
}
