/* `leash policy trust`: the permits of a project's policy count, as long as it stays as it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/policy-private.h"
#include "daemon/trust.h"

enum { OPTION_LIST = POLICY_OPTION_OWN, OPTION_REVOKE };

static const struct option_spec options[] = {
	{ "list", 0, NULL, "list what is trusted", OPTION_LIST, 0 },
	{ "revoke", 0, NULL, "trust it no longer", OPTION_REVOKE, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_trust_usage = {
	.name = "policy trust",
	.arguments = "[FLAGS] [DIRECTORY|FILE]",
	.description = "A project's policy, .leash/policy.cedar, comes with its repository, which "
		       "nobody vouches for: it may\n"
		       "forbid, and its permits are ignored. This command shows them and vouches "
		       "for the file as it is now; when\n"
		       "it changes, it has to be said again. Sessions that run take it up when "
		       "they next read their policies.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy trust\n"
		    "  leash policy trust --list\n"
		    "  leash policy trust --revoke ~/src/project\n",
};

struct trusting {
	struct policy_context context;
	bool want_list, want_revoke;
};

static void trusting_done(struct trusting *t)
{
	policy_context_done(&t->context);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct trusting *t = ctx;

	(void)value;
	(void)err;
	*(id == OPTION_LIST ? &t->want_list : &t->want_revoke) = true;
	return 0;
}

/* The project's policy that the operand means. */
static char *project_file(const struct trusting *t, const char *operand)
{
	struct stat st;

	if (!operand)
		return xstrdup(t->context.layers.project_file);
	if (stat(operand, &st) == 0 && S_ISDIR(st.st_mode))
		return path_join(operand, ".leash/policy.cedar");
	return xstrdup(operand);
}

/* ---- Listing --------------------------------------------------------------------- */

/* Is the file still what was trusted? */
static bool is_unchanged(const struct trusting *t, const struct trust_record *r)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	return policy_file_read(r->file, &text, NULL) >= 0 &&
	       trust_holds(t->context.layers.trusted, r->file, buf_span(&text));
}

static void list_json(const struct trusting *t, const trust_records *records, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_begin_array(&w);
	for (size_t i = 0; i < records->len; i++) {
		const struct trust_record *r = &records->items[i];

		json_begin_object(&w);
		json_key_string(&w, "file", span_of(r->file));
		json_key_string(&w, "sha256", span_of(r->sha256));
		json_key_uint(&w, "time_ns", r->time_ns);
		json_key_bool(&w, "trusted", is_unchanged(t, r));
		json_end_object(&w);
	}
	json_end_array(&w);
	(void)buf_append_char(out, '\n');
}

static void list_text(const struct trusting *t, const trust_records *records, struct buf *out)
{
	for (size_t i = 0; i < records->len; i++) {
		const struct trust_record *r = &records->items[i];
		time_t seconds = (time_t)(r->time_ns / NS_PER_SEC);
		char date[32] = "";
		struct tm tm;

		if (localtime_r(&seconds, &tm))
			(void)!strftime(date, sizeof(date), "%Y-%m-%d %H:%M", &tm);
		(void)buf_printf(out, "%s  %.12s  %-9s  ", date, r->sha256,
				 is_unchanged(t, r) ? "trusted" : "changed");
		append_visible(out, span_of(r->file));
		(void)buf_append_char(out, '\n');
	}
}

static int list(const struct trusting *t)
{
	_cleanup_(trust_records_done) trust_records records = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct err err = { 0 };

	if (trust_list(t->context.layers.trusted, &records, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	if (t->context.want_json)
		list_json(t, &records, &out);
	else
		list_text(t, &records, &out);
	return print_out(&out);
}

/* ---- Trusting -------------------------------------------------------------------- */

static void say(const struct trusting *t, const char *file, const char *what,
		const struct policy_source *source)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };

	if (t->context.want_json) {
		json_begin_object(&w);
		json_key_string(&w, "file", span_of(file));
		json_key_bool(&w, "trusted", source);
		json_end_object(&w);
		(void)buf_append_char(&out, '\n');
		(void)print_out(&out);
		return;
	}
	for (size_t i = 0; source && i < policy_source_len(source); i++) {
		const struct policy_item item = policy_source_at(source, i);

		if (item.is_forbid)
			continue;
		(void)buf_append_span(&out, item.text);
		(void)buf_append_char(&out, '\n');
	}
	(void)buf_printf(&out, "%s: ", what);
	append_visible(&out, span_of(file));
	(void)buf_append_char(&out, '\n');
	(void)print_out(&out);
}

/* What cannot be used is not trusted either: nobody can have meant it. */
static int read_trusted(struct trusting *t, const char *file, struct span text,
			struct policy_source **ret)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *source = policy_source_new(&t->context.layers.environment);
	struct err err = { 0 };

	policy_source_trust_project(source);
	if (policy_source_add_file_text(source, POLICY_LAYER_PROJECT, file, text,
					log_want_color(STDERR_FILENO), &report, &err) >= 0) {
		*ret = source;
		return 0;
	}
	policy_source_free(source);
	if (report.len)
		log_text(report.data, report.len);
	log_error("%s", err.text);
	return -1;
}

static int trust(struct trusting *t, const char *file)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct policy_source *source = NULL;
	struct err err = { 0 };
	int r = policy_file_read(file, &text, &err);

	if (r < 0) {
		log_error("%s", err.text);
		return 1;
	}
	if (read_trusted(t, file, buf_span(&text), &source) < 0)
		return 1;
	r = trust_add(t->context.layers.trusted, file, buf_span(&text), &err);
	if (r < 0)
		log_error("%s", err.text);
	else
		say(t, file, "trusted", source);
	policy_source_free(source);
	return r < 0;
}

static int forget(const struct trusting *t, const char *file)
{
	struct err err = { 0 };

	if (trust_revoke(t->context.layers.trusted, file, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	say(t, file, "not trusted any more", NULL);
	return 0;
}

int policy_trust_main(int argc, char **argv)
{
	_cleanup_(trusting_done) struct trusting t = { .context.on_option = on_option };
	_cleanup_free_ char *named = NULL;
	_cleanup_free_ char *file = NULL;
	int n_operands, code;

	t.context.ctx = &t;
	code = policy_context_parse(&t.context, &policy_trust_usage, argc, argv, 1, &n_operands);
	if (code >= 0)
		return code;
	if (t.want_list)
		return list(&t);
	named = project_file(&t, argv[0]);
	/* A file that is gone is revoked by the name it had. */
	file = realpath(named, NULL);
	if (!file && t.want_revoke)
		file = path_resolve(named);
	if (!file) {
		log_error("%s: %s", named, strerror(errno));
		return 1;
	}
	return t.want_revoke ? forget(&t, file) : trust(&t, file);
}
