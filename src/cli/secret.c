/*
 * `leash secret`: which secrets a session would have, and whether their sources
 * can be read. No value is ever shown.
 */
#include <stdio.h>
#include <string.h>

#include "base/json-writer.h"
#include "base/log.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/config-file.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/policy-private.h"
#include "cli/secret-private.h"
#include "daemon/known-keys.h"

enum { OPTION_JSON = 1 };

const struct option_spec secret_options[] = {
	OPTION_HELP_ROW,
};
const size_t n_secret_options = ARRAY_SIZE(secret_options);

static const struct option_spec list_options[] = {
	{ "json", 0, NULL, "answer as JSON", OPTION_JSON, 0 },
	OPTION_HELP_ROW,
};

static const struct usage list_usage = {
	.name = "secret list",
	.arguments = "[FLAGS]",
	.description =
		"Lists the secrets of config.toml and the keys of known agents that you have set: "
		"name, source,\n"
		"variable inside, and where each may go. Values are neither read nor shown.\n",
	.options = list_options,
	.n_options = ARRAY_SIZE(list_options),
};

static const struct usage test_usage = {
	.name = "secret test",
	.arguments = "NAME[=SOURCE]",
	.description = "Says whether the source of a secret can be read and used. The value is not "
		       "shown.\n",
	.options = secret_options,
	.n_options = ARRAY_SIZE(secret_options),
	.examples = "  leash secret test GH_TOKEN\n"
		    "  leash secret test 'GH_TOKEN=cmd:gh auth token'\n",
};

/* ---- What there is --------------------------------------------------------------- */

static int load(secret_specs *specs, struct err *err)
{
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *config = NULL;
	/* As the agent that speaks to every provider would have it. */
	const struct known_keys known = { .agent = "opencode" };
	_cleanup_(config_done) struct config_document d = { 0 };
	int r;

	if (!home)
		return -1;
	config = config_directory(home);
	r = config_read(config, &d, err);
	if (r >= 0)
		r = config_take_secrets(&d, specs, err);
	if (r < 0)
		return r;
	known_keys_add(specs, &known);
	for (size_t i = 0; i < specs->len; i++)
		secret_spec_expand(&specs->items[i], home);
	return 0;
}

/* ---- Listing --------------------------------------------------------------------- */

static void list_json(const secret_specs *specs, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_begin_array(&w);
	for (size_t i = 0; i < specs->len; i++) {
		const struct secret_spec *s = &specs->items[i];
		_cleanup_buf_ struct buf source = BUF_INIT(0);
		struct secret_rule rule;

		secret_spec_rule(s, &rule);
		secret_spec_describe_source(s, &source);
		json_begin_object(&w);
		json_key_string(&w, "name", span_of(s->name));
		json_key_string(&w, "from", buf_span(&source));
		json_key_string_opt(&w, "env", span_of(s->variable));
		json_key_string_opt(&w, "agent", span_of(s->note));
		json_key(&w, "places");
		json_begin_array(&w);
		for (size_t k = 0; k < rule.n_places; k++) {
			json_begin_object(&w);
			json_key_string(&w, "scheme",
					rule.places[k].is_clear ? SPAN("http") : SPAN("https"));
			json_key_string(&w, "host", rule.places[k].host);
			json_key_uint(&w, "port", rule.places[k].port);
			json_end_object(&w);
		}
		json_end_array(&w);
		json_key_string_opt(&w, "path", rule.path);
		json_key_string_opt(&w, "header", rule.header);
		json_end_object(&w);
	}
	json_end_array(&w);
	(void)buf_append_char(out, '\n');
}

static void list_one(const struct secret_spec *s, struct buf *out)
{
	_cleanup_buf_ struct buf source = BUF_INIT(0);
	struct secret_rule rule;

	secret_spec_rule(s, &rule);
	secret_spec_describe_source(s, &source);
	(void)buf_printf(out, "%-20s ", s->name);
	append_visible(out, buf_span(&source));
	(void)buf_printf(out, "  %s", s->variable ? s->variable : "-");
	for (size_t k = 0; k < rule.n_places; k++)
		(void)buf_printf(out, " %s://%.*s:%u", rule.places[k].is_clear ? "http" : "https",
				 SPAN_ARG(rule.places[k].host), rule.places[k].port);
	if (rule.path.len)
		(void)buf_printf(out, " path=%.*s", SPAN_ARG(rule.path));
	if (rule.header.len)
		(void)buf_printf(out, " header=%.*s", SPAN_ARG(rule.header));
	if (s->note)
		(void)buf_printf(out, " (for %s and opencode)", s->note);
	(void)buf_append_char(out, '\n');
}

static int on_list_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)id;
	(void)value;
	(void)err;
	*(bool *)ctx = true;
	return 0;
}

static int list_main(int argc, char **argv)
{
	_cleanup_(secret_specs_done) secret_specs specs = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct err err = { 0 };
	bool want_json = false;
	int n_operands;
	int code = usage_parse(&list_usage, argc, argv, on_list_option, &want_json, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands) {
		log_error("secret list takes no words");
		return EXIT_USAGE;
	}
	if (load(&specs, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	if (want_json)
		list_json(&specs, &out);
	for (size_t i = 0; i < specs.len && !want_json; i++)
		list_one(&specs.items[i], &out);
	return print_out(&out);
}

/* ---- Testing --------------------------------------------------------------------- */

/* The exact length is nobody's business. */
static const char *length_class(size_t len)
{
	return len < 32	   ? "20 to 31"
	       : len < 64  ? "32 to 63"
	       : len < 128 ? "64 to 127"
			   : "128 or more";
}

static int test(struct secret_spec *s)
{
	struct err err = { 0 };

	if (secret_spec_read(s, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	(void)printf("%s: can be read, %s bytes\n", s->name, length_class(s->value.len));
	return 0;
}

static int test_named(const char *name)
{
	_cleanup_(secret_specs_done) secret_specs specs = { 0 };
	struct nearest nearest = { .word = span_of(name) };
	struct secret_spec *s;
	struct err err = { 0 };

	if (load(&specs, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	s = secret_specs_find(&specs, span_of(name));
	if (s)
		return test(s);
	for (size_t i = 0; i < specs.len; i++)
		nearest_offer(&nearest, specs.items[i].name);
	log_error(nearest.best
			  ? "there is no secret %s; did you mean %s?"
			  : "there is no secret %s%s; `leash secret list` shows those there are",
		  name, nearest.best ? nearest.best : "");
	return 1;
}

static int test_main(int argc, char **argv)
{
	_cleanup_(secret_spec_done) struct secret_spec s = { 0 };
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(&test_usage, argc, argv, usage_no_option, NULL, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands != 1) {
		log_error("secret test: expected NAME or NAME=SOURCE");
		return EXIT_USAGE;
	}
	if (!strchr(argv[0], '='))
		return test_named(argv[0]);
	if (secret_spec_parse(span_of(argv[0]), &s, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	return test(&s);
}

/* ---- The sub-command ------------------------------------------------------------- */

static const struct subcommand items[] = {
	{ "list", &list_usage, "list the secrets that a session would have", list_main },
	{ "test", &test_usage, "say whether a secret's source can be read", test_main },
};

static int print_help(void);

const struct subcommand_group secret_group = { "secret", items, ARRAY_SIZE(items), print_help };

static int print_help(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(&out,
			     "Usage: leash secret SUB-COMMAND ...\n\n"
			     "Secrets that an agent may use and never see: --secret of `leash run` "
			     "and [secrets.NAME] of config.toml.\n\n"
			     "Sub-commands (`leash secret SUB-COMMAND --help` tells more):\n");
	subcommand_list(&secret_group, 10, &out);
	(void)buf_append_str(&out, "\nFlags:\n");
	(void)options_help(secret_options, n_secret_options, &out);
	(void)buf_append_str(
		&out,
		"\nExamples:\n"
		"  leash secret list\n"
		"  leash secret test GH_TOKEN\n"
		"  leash --secret 'GH_TOKEN=cmd:gh auth token,host=api.github.com' -- claude\n");
	return print_out(&out);
}

int command_secret(int argc, char **argv)
{
	return subcommand_run(&secret_group, argc, argv);
}
