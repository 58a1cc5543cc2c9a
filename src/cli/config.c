/*
 * `leash config`: where config.toml is, what it says here, and one value of it
 * set or taken away. What would not be read is never written.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/config-file.h"
#include "cli/config-private.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/policy-private.h"
#include "config/settings.h"
#include "config/toml-edit.h"

enum { OPTION_JSON = 1, OPTION_ORIGIN };

const struct option_spec config_options[] = {
	OPTION_HELP_ROW,
};
const size_t n_config_options = ARRAY_SIZE(config_options);

static const struct option_spec show_options[] = {
	{ "origin", 0, NULL, "say where each value comes from", OPTION_ORIGIN, 0 },
	{ "json", 0, NULL, "answer as JSON", OPTION_JSON, 0 },
	OPTION_HELP_ROW,
};

static const struct usage show_usage = {
	.name = "config show",
	.arguments = "[FLAGS]",
	.description = "Prints what is configured for commands that are run in this directory, "
		       "defaults and what the environment says\nincluded.\n",
	.options = show_options,
	.n_options = ARRAY_SIZE(show_options),
};

static const struct usage set_usage = {
	.name = "config set",
	.arguments = "KEY VALUE",
	.description =
		"Sets one value of config.toml and leaves all else as it is, comments too. KEY is "
		"written as in the\n"
		"file, with dots: events.keep_days, projects.\"/home/me/app\".envvars.DEBUG. VALUE "
		"is "
		"a value of TOML;\n"
		"what is none is taken as text. A file that leash could not read is not written.\n",
	.options = config_options,
	.n_options = ARRAY_SIZE(config_options),
	.examples = "  leash config set events.keep_days 7\n"
		    "  leash config set leash.envvars.EDITOR vim\n"
		    "  leash config set 'volumes.\"~/data\"' /data:ro\n",
};

static const struct usage unset_usage = {
	.name = "config unset",
	.arguments = "KEY",
	.description =
		"Takes one value of config.toml away, with its line. Ends with 1 where there "
		"is none.\n",
	.options = config_options,
	.n_options = ARRAY_SIZE(config_options),
};

static const struct usage path_usage = {
	.name = "config path",
	.arguments = "",
	.description = "Prints the path of config.toml, whether or not there is one.\n",
	.options = config_options,
	.n_options = ARRAY_SIZE(config_options),
};

static const struct usage check_usage = {
	.name = "config check",
	.arguments = "",
	.description = "Reads all of config.toml. Ends with 0, or with 1 and the first mistake, by "
		       "line and column.\n",
	.options = config_options,
	.n_options = ARRAY_SIZE(config_options),
};

/* ---- Where -------------------------------------------------------------------------- */

struct place {
	char *home, *directory, *file, *cwd;
};

static void place_done(struct place *p)
{
	xfree(p->home);
	xfree(p->directory);
	xfree(p->file);
	xfree(p->cwd);
}

static int find_place(struct place *p, struct err *err)
{
	*p = (struct place){ .home = home_directory(err) };
	if (!p->home)
		return -ENOENT;
	p->directory = config_directory(p->home);
	p->file = path_join(p->directory, "config.toml");
	p->cwd = getcwd(NULL, 0);
	return p->cwd ? 0 : err_set(err, -errno, "find the current directory");
}

static int fail(const struct err *err)
{
	log_error("%s", err->text);
	return 1;
}

/* Of a sub-command without flags. Its exit code, or -1 to go on. */
static int begin(const struct usage *usage, int argc, char **argv, int n_wanted, struct place *p)
{
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(usage, argc, argv, usage_no_option, NULL, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands != n_wanted) {
		log_error("%s: expected %s", usage->name, n_wanted ? usage->arguments : "no words");
		return EXIT_USAGE;
	}
	return find_place(p, &err) < 0 ? fail(&err) : -1;
}

static int path_main(int argc, char **argv)
{
	_cleanup_(place_done) struct place p = { 0 };
	int code = begin(&path_usage, argc, argv, 0, &p);

	if (code >= 0)
		return code;
	return puts(p.file) < 0 ? 1 : 0;
}

static int check_main(int argc, char **argv)
{
	_cleanup_(place_done) struct place p = { 0 };
	_cleanup_(config_done) struct config_document d = { 0 };
	struct err err = { 0 };
	int code = begin(&check_usage, argc, argv, 0, &p);

	if (code >= 0)
		return code;
	if (config_read(p.directory, &d, &err) < 0 || config_check(&d, p.home, p.cwd, &err) < 0)
		return fail(&err);
	if (access(p.file, F_OK) < 0)
		(void)printf("%s: there is none; everything is as by default\n", p.file);
	else
		(void)printf("%s: no mistakes\n", p.file);
	return 0;
}

/* ---- Showing ------------------------------------------------------------------------ */

struct showing {
	const struct config_document *d;
	struct buf out;
	struct json_writer json;
	bool want_json, want_origin;
};

/* value: as TOML. at: where it is set, NULL for a default. */
static void show(struct showing *s, const char *key, struct span value, const struct toml *at)
{
	if (s->want_json) {
		json_begin_object(&s->json);
		json_key_string(&s->json, "key", span_of(key));
		json_key_string(&s->json, "value", value);
		json_key_string(&s->json, "origin", at ? SPAN("file") : SPAN("default"));
		if (at) {
			json_key_string(&s->json, "file", span_of(s->d->file));
			json_key_uint(&s->json, "line", at->key_line);
		}
		json_end_object(&s->json);
		return;
	}
	(void)buf_printf(&s->out, "%s = %.*s", key, SPAN_ARG(value));
	if (s->want_origin && at)
		(void)buf_printf(&s->out, "  # %s:%zu", s->d->file, at->key_line);
	else if (s->want_origin)
		(void)buf_append_str(&s->out, "  # default");
	(void)buf_append_char(&s->out, '\n');
}

static void show_text_value(struct showing *s, const char *table, const char *name,
			    const char *text, const char *suffix, const struct toml *at)
{
	_cleanup_buf_ struct buf key = BUF_INIT(0), value = BUF_INIT(0), whole = BUF_INIT(0);

	(void)buf_append_str(&key, table);
	if (name) {
		(void)buf_append_char(&key, '.');
		(void)toml_append_key(&key, span_of(name));
	}
	(void)buf_printf(&whole, "%s%s", text, suffix);
	(void)toml_append_string(&value, buf_span(&whole));
	show(s, key.data, buf_span(&value), at);
}

/* What the caller's environment says instead of a flag, and what it says before the file. */
static const struct variable {
	const char *name, *key;
} variables[] = {
	{ "LEASH_POLICY_FILE", "--policy" },
	{ "LEASH_LISTEN", "--listen" },
	{ "OPEN", "--open" },
	{ "LEASH_BOOTSTRAP_TIMEOUT", "bootstrap_timeout" },
	{ "LEASH_DOCKER", "container engine" },
};

static void show_variable(struct showing *s, const char *key, const char *name)
{
	_cleanup_buf_ struct buf value = BUF_INIT(0);

	(void)toml_append_string(&value, span_of(secure_getenv(name)));
	if (!s->want_json) {
		(void)buf_printf(&s->out, "%s = %.*s", key, SPAN_ARG(buf_span(&value)));
		if (s->want_origin)
			(void)buf_printf(&s->out, "  # $%s", name);
		(void)buf_append_char(&s->out, '\n');
		return;
	}
	json_begin_object(&s->json);
	json_key_string(&s->json, "key", span_of(key));
	json_key_string(&s->json, "value", buf_span(&value));
	json_key_string(&s->json, "origin", SPAN("environment"));
	json_key_string(&s->json, "variable", span_of(name));
	json_end_object(&s->json);
}

static const char *image_variable(void)
{
	static const char *const names[] = { "LEASH_TARGET_IMAGE", "TARGET_IMAGE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = secure_getenv(names[i]);

		if (value && *value)
			return names[i];
	}
	return NULL;
}

static void show_variables(struct showing *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (secure_getenv(variables[i].name))
			show_variable(s, variables[i].key, variables[i].name);
}

static void show_number(struct showing *s, const char *name, uint64_t n)
{
	_cleanup_free_ char *key = xasprintf("events.%s", name);
	_cleanup_free_ char *value = xasprintf("%llu", (unsigned long long)n);

	show(s, key, span_of(value), toml_get(toml_get(s->d->root, "events"), name));
}

static void show_secrets(struct showing *s)
{
	const struct toml *secrets = toml_get(s->d->root, "secrets");

	for (const struct toml *table = secrets ? secrets->first : NULL; table; table = table->next)
		for (const struct toml *v = table->first; v; v = v->next) {
			_cleanup_buf_ struct buf key = BUF_INIT(0), value = BUF_INIT(0);

			(void)buf_append_str(&key, "secrets.");
			(void)toml_append_key(&key, table->key);
			(void)buf_append_char(&key, '.');
			(void)toml_append_key(&key, v->key);
			(void)toml_append_value(&value, v);
			show(s, key.data, buf_span(&value), v);
		}
}

static void show_settings(struct showing *s, const struct config_settings *settings)
{
	for (size_t i = 0; i < settings->variables.len; i++)
		show_text_value(s, "leash.envvars", settings->variables.items[i].name,
				settings->variables.items[i].value, "",
				settings->variables.items[i].at);
	for (size_t i = 0; i < settings->volumes.len; i++)
		show_text_value(s, "volumes", settings->volumes.items[i].source,
				settings->volumes.items[i].target,
				settings->volumes.items[i].is_read_only ? ":ro" : "",
				settings->volumes.items[i].at);
	for (size_t i = 0; i < AGENT_MAX; i++) {
		_cleanup_free_ char *key = xasprintf("volumes.%s", agent_names[i]);

		if (settings->agents[i].at)
			show(s, key, settings->agents[i].is_allowed ? SPAN("true") : SPAN("false"),
			     settings->agents[i].at);
	}
	if (image_variable())
		show_variable(s, "leash.target_image", image_variable());
	else if (settings->target_image)
		show_text_value(s, "leash.target_image", NULL, settings->target_image, "",
				settings->target_image_at);
}

static int show_all(struct showing *s, struct config_document *d, const struct place *p,
		    struct err *err)
{
	struct retention keep = RETENTION_DEFAULT;
	struct config_settings settings = { 0 };
	int r = config_read(p->directory, d, err);

	if (r >= 0)
		r = config_check(d, p->home, p->cwd, err);
	if (r >= 0)
		r = config_take_retention(d, &keep, err);
	if (r >= 0)
		r = config_settings_read(d, p->home, p->cwd, &settings, err);
	if (r >= 0) {
		show_number(s, "keep_days", keep.days);
		show_number(s, "keep_mb", keep.mb);
		show_settings(s, &settings);
		show_secrets(s);
		show_variables(s);
	}
	config_settings_done(&settings);
	return r;
}

static int on_show_option(int id, const char *value, void *ctx, struct err *err)
{
	struct showing *s = ctx;

	(void)value;
	(void)err;
	*(id == OPTION_JSON ? &s->want_json : &s->want_origin) = true;
	return 0;
}

static int show_main(int argc, char **argv)
{
	_cleanup_(place_done) struct place p = { 0 };
	_cleanup_(config_done) struct config_document d = { 0 };
	struct showing s = { .d = &d, .out = BUF_INIT(0) };
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(&show_usage, argc, argv, on_show_option, &s, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands) {
		log_error("config show takes no words");
		return EXIT_USAGE;
	}
	s.json.out = &s.out;
	if (s.want_json)
		json_begin_array(&s.json);
	code = find_place(&p, &err) < 0 || show_all(&s, &d, &p, &err) < 0 ? fail(&err) : 0;
	if (s.want_json) {
		json_end_array(&s.json);
		(void)buf_append_char(&s.out, '\n');
	}
	if (code == 0)
		code = print_out(&s.out);
	buf_done(&s.out);
	return code;
}

/* ---- Changing ------------------------------------------------------------------------ */

struct change {
	struct span keys[TOML_MAX_DEPTH];
	size_t n_keys;
	struct arena arena;
};

static int read_key(struct change *c, const char *key, struct err *err)
{
	struct toml_error error;

	if (toml_read_path(&c->arena, span_of(key), c->keys, &c->n_keys, &error) < 0)
		return err_say(err, -EINVAL, "%s: %s, at its character %zu", key, error.message,
			       error.column);
	return 0;
}

static int set_one(const struct place *p, const struct config_document *d, const struct change *c,
		   struct span value, struct err *err)
{
	const struct config_place at = { p->directory, p->home, p->cwd };

	return config_store(&at, d, c->keys, c->n_keys, value, err);
}

/* What is no value of TOML, or stands for none that is expected there, is meant as text. */
static int set(const struct place *p, const struct config_document *d, const struct change *c,
	       struct span value, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct err as_text = { 0 };
	int r = set_one(p, d, c, value, err);

	if (r >= 0)
		return r;
	(void)toml_append_string(&text, value);
	if (set_one(p, d, c, buf_span(&text), &as_text) >= 0) {
		*err = (struct err){ 0 };
		return 0;
	}
	/* Of a word the second says more: that it is no TOML is known. */
	if (r == -EBADMSG)
		*err = as_text;
	return r;
}

static int unset(const struct place *p, const struct config_document *d, const struct change *c,
		 const char *key, struct err *err)
{
	_cleanup_buf_ struct buf out = BUF_INIT(CONFIG_TEXT_MAX);
	struct toml_error error;
	int r = toml_unset(buf_span(&d->text), c->keys, c->n_keys, &out, &error);

	if (r == -ENOENT)
		return err_say(err, r, "%s is not set in %s", key, p->file);
	if (r < 0)
		return err_say(err, r, "%s:%zu:%zu: %s", p->file, error.line, error.column,
			       error.message);
	return config_store_text(&(struct config_place){ p->directory, p->home, p->cwd },
				 buf_span(&out), err);
}

/* value NULL: take it away. */
static int change(const struct place *p, const char *key, const char *value, struct err *err)
{
	_cleanup_(config_done) struct config_document d = { 0 };
	struct change c = { .arena = ARENA_INIT(CONFIG_TEXT_MAX) };
	int r = read_key(&c, key, err);

	if (r >= 0)
		r = config_read(p->directory, &d, err);
	if (r >= 0)
		r = value ? set(p, &d, &c, span_of(value), err) : unset(p, &d, &c, key, err);
	arena_done(&c.arena);
	return r;
}

static int set_main(int argc, char **argv)
{
	_cleanup_(place_done) struct place p = { 0 };
	struct err err = { 0 };
	int code = begin(&set_usage, argc, argv, 2, &p);

	if (code >= 0)
		return code;
	return change(&p, argv[0], argv[1], &err) < 0 ? fail(&err) : 0;
}

static int unset_main(int argc, char **argv)
{
	_cleanup_(place_done) struct place p = { 0 };
	struct err err = { 0 };
	int code = begin(&unset_usage, argc, argv, 1, &p);

	if (code >= 0)
		return code;
	return change(&p, argv[0], NULL, &err) < 0 ? fail(&err) : 0;
}

/* ---- The sub-command ------------------------------------------------------------------- */

static const struct subcommand items[] = {
	{ "show", &show_usage, "print what is configured here, and where", show_main },
	{ "set", &set_usage, "set one value", set_main },
	{ "unset", &unset_usage, "take one value away", unset_main },
	{ "path", &path_usage, "print where the file is", path_main },
	{ "check", &check_usage, "read all of it and name the first mistake", check_main },
};

static int print_help(void);

const struct subcommand_group config_group = { "config", items, ARRAY_SIZE(items), print_help };

static int print_help(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(
		&out, "Usage: leash config SUB-COMMAND ...\n\n"
		      "What is so for every command: variables, volumes, projects, secrets, how "
		      "long sessions are kept.\n\n"
		      "Sub-commands (`leash config SUB-COMMAND --help` tells more):\n");
	subcommand_list(&config_group, 10, &out);
	(void)buf_append_str(&out, "\nFlags:\n");
	(void)options_help(config_options, n_config_options, &out);
	(void)buf_append_str(&out, "\nExamples:\n"
				   "  leash config show --origin\n"
				   "  leash config set events.keep_days 7\n"
				   "  leash config set 'projects.\"~/src/app\".envvars.DEBUG' 1\n");
	return print_out(&out);
}

int command_config(int argc, char **argv)
{
	return subcommand_run(&config_group, argc, argv);
}
