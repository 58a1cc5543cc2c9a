#include "cli/cedar-load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "cedar/cedar-json.h"

/* ---- Texts and findings -------------------------------------------------------- */

void cedar_text_done(struct cedar_text *t)
{
	buf_done(&t->content);
}

bool cedar_text_read(const char *path, const char *what, struct cedar_text *ret)
{
	bool is_stdin = !path || strcmp(path, "-") == 0;
	int r;

	ret->name = is_stdin ? "<stdin>" : path;
	ret->content.max = LIMIT_CEDAR_JSON;
	r = is_stdin ? fd_read_all(STDIN_FILENO, &ret->content)
		     : file_read_at(AT_FDCWD, path, &ret->content);
	if (r >= 0)
		return true;
	log_error("read the %s from %s: %s", what, ret->name, strerror(-r));
	return false;
}

bool cedar_text_write(const char *path, struct span content)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct err err = { 0 };
	struct stat st;
	bool is_there = real && stat(real, &st) == 0;

	if (file_replace(real ? real : path, content, 0666, /* want_sync = */ false, &err) < 0) {
		log_error("%s", err.text);
		return false;
	}
	if (is_there && chmod(real, st.st_mode & 07777) < 0)
		log_warning("%s: keep its mode: %s", real, strerror(errno));
	return true;
}

static void report_plain(const struct cedar_diagnostic *d, const char *name,
			 struct cedar_positions *text, struct buf *out)
{
	_cleanup_buf_ struct buf whole = BUF_INIT(0);
	const char *end;

	(void)cedar_diagnostic_print_in(d, name, text, false, &whole);
	end = whole.data ? strchr(whole.data, '\n') : NULL;
	if (end)
		(void)buf_append(out, whole.data, (size_t)(end - whole.data) + 1);
}

static void report_json(const struct cedar_diagnostic *d, const char *name,
			struct cedar_positions *text, struct buf *out)
{
	struct json_writer w = { .out = out };
	size_t line, column;

	cedar_positions_find(text, d->range.begin, &line, &column);
	json_begin_object(&w);
	json_key_string(&w, "message", span_of(d->message));
	json_key_string(&w, "code", span_of(d->code));
	json_key_string(&w, "severity",
			d->severity == CEDAR_ERROR ? SPAN("error") : SPAN("warning"));
	json_key_string_opt(&w, "help", span_of(d->suggestion));
	json_key_string(&w, "filename", span_of(name));
	json_key_uint(&w, "line", line);
	json_key_uint(&w, "column", column);
	json_key(&w, "labels");
	json_begin_array(&w);
	json_begin_object(&w);
	json_key(&w, "span");
	json_begin_object(&w);
	json_key_uint(&w, "offset", d->range.begin);
	json_key_uint(&w, "length", d->range.end - d->range.begin);
	json_end_object(&w);
	json_end_object(&w);
	json_end_array(&w);
	json_end_object(&w);
	(void)buf_append_char(out, '\n');
}

void cedar_report_in(const struct cedar_options *o, const struct cedar_diagnostic *finding,
		     const char *name, struct cedar_positions *text)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	if (o->error_format == CEDAR_ERRORS_JSON)
		report_json(finding, name, text, &out);
	else if (o->error_format == CEDAR_ERRORS_PLAIN)
		report_plain(finding, name, text, &out);
	else
		(void)cedar_diagnostic_print_in(finding, name, text, log_want_color(STDERR_FILENO),
						&out);
	log_text(out.data, out.len);
}

void cedar_report_one(const struct cedar_options *o, const struct cedar_diagnostic *finding,
		      const struct cedar_text *text)
{
	struct cedar_positions positions = { .text = cedar_text_span(text) };

	cedar_report_in(o, finding, text->name, &positions);
	cedar_positions_done(&positions);
}

void cedar_report(const struct cedar_options *o, const struct cedar_diagnostics *found,
		  const struct cedar_text *text, size_t offset)
{
	struct cedar_positions positions = { .text = cedar_text_span(text) };

	for (size_t i = 0; i < found->len; i++) {
		struct cedar_diagnostic d = found->items[i];

		d.range.begin += offset;
		d.range.end += offset;
		cedar_report_in(o, &d, text->name, &positions);
	}
	cedar_positions_done(&positions);
}

void cedar_input_done(struct cedar_input *in)
{
	cedar_entities_free(in->entities);
	cedar_schema_free(in->schema);
	cedar_policy_set_free(in->policies);
	cedar_text_done(&in->policy_text);
	cedar_text_done(&in->schema_text);
	arena_done(&in->arena);
}

/* ---- Policies ------------------------------------------------------------------ */

static void report_duplicate(const struct cedar_input *in, const struct cedar_policy *p,
			     struct cedar_positions *text)
{
	char message[200];

	(void)snprintf(message, sizeof(message), "duplicate template or policy id `%.*s`",
		       (int)MIN(p->id.len, 100), p->id.p);
	cedar_report_in(in->options,
			&(struct cedar_diagnostic){
				.code = "duplicate_id", .range = p->range, .message = message },
			in->policy_text.name, text);
}

/* Ids from @id; two policies of one id are an error. */
static bool rename_policies(struct cedar_input *in)
{
	struct cedar_positions positions = { .text = cedar_text_span(&in->policy_text) };
	struct map seen = { 0 };
	size_t n_bad = 0;

	for (size_t i = 0; i < cedar_policy_set_len(in->policies); i++) {
		struct cedar_policy *p = cedar_policy_set_at(in->policies, i);

		for (size_t k = 0; k < p->n_annotations; k++)
			if (span_eq_str(p->annotations[k].key, "id"))
				p->id = p->annotations[k].value;
		if (map_put(&seen, p->id, p) && n_bad++ < LIMIT_CEDAR_DIAGNOSTICS)
			report_duplicate(in, p, &positions);
	}
	if (n_bad > LIMIT_CEDAR_DIAGNOSTICS)
		log_error("%zu more policies have the id of another",
			  n_bad - LIMIT_CEDAR_DIAGNOSTICS);
	map_done(&seen, NULL);
	cedar_positions_done(&positions);
	return n_bad == 0;
}

/* A policy or a set of policies: the members tell. */
static int parse_json_policies(struct span text, struct cedar_diagnostics *found,
			       struct cedar_policy_set **ret)
{
	static const char *const of_sets[] = { "staticPolicies", "templates", "templateLinks" };
	const struct json_options options = { .max_depth = 4096, .max_members = SIZE_MAX };
	_cleanup_arena_ struct arena arena = ARENA_INIT(LIMIT_CEDAR_ARENA);
	struct json *document = NULL;

	/* What is no JSON at all is the reader's to explain. */
	if (json_parse_with(&options, &arena, text, &document, NULL, NULL) < 0)
		return cedar_policy_set_parse_json(text, found, ret);
	for (size_t i = 0; i < ARRAY_SIZE(of_sets); i++)
		if (json_get(document, of_sets[i]))
			return cedar_policy_set_parse_json(text, found, ret);
	return cedar_policy_parse_json(text, found, ret);
}

bool cedar_load_policies(struct cedar_input *in)
{
	struct cedar_diagnostics found = { 0 };
	struct span text;
	int r;

	if (!cedar_text_read(in->options->policies, "policies", &in->policy_text))
		return false;
	text = cedar_text_span(&in->policy_text);
	r = in->options->is_policies_json ? parse_json_policies(text, &found, &in->policies)
					  : cedar_policy_set_parse(text, &found, &in->policies);
	cedar_report(in->options, &found, &in->policy_text, 0);
	cedar_diagnostics_done(&found);
	return r >= 0 && (in->options->is_policies_json || rename_policies(in));
}

/* ---- Schema -------------------------------------------------------------------- */

bool cedar_load_schema(struct cedar_input *in)
{
	struct cedar_diagnostics found = { 0 };
	struct span text;
	int r;

	if (!in->options->schema)
		return true;
	if (!cedar_text_read(in->options->schema, "schema", &in->schema_text))
		return false;
	text = cedar_text_span(&in->schema_text);
	r = in->options->is_schema_json ? cedar_schema_parse_json(text, &found, &in->schema)
					: cedar_schema_parse(text, &found, &in->schema);
	cedar_report(in->options, &found, &in->schema_text, 0);
	cedar_diagnostics_done(&found);
	return r >= 0;
}
