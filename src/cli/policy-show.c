/* `leash policy show`: the policies in force here, or a built-in profile. */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "cedar/cedar-format.h"
#include "cli/command.h"
#include "cli/policy-private.h"
#include "policy/json.h"

enum { OPTION_EXPANDED = POLICY_OPTION_OWN, OPTION_SCHEMA };

static const struct option_spec options[] = {
	POLICY_ROWS_LAYERS,
	{ "expanded", 0, NULL,
	  "as leash reads them: paths filled in and resolved, names in their normal form",
	  OPTION_EXPANDED, 0 },
	{ "schema", 0, NULL, "print leash's schema instead", OPTION_SCHEMA, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_show_usage = {
	.name = "policy show",
	.arguments = "[FLAGS] [PROFILE]",
	.description = "Prints every policy that a session here would use, in the order of the "
		       "layers, each under its id and the\n"
		       "place it stands at; or the text of a built-in profile: guarded, "
		       "permissive, locked.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy show\n"
		    "  leash policy show --expanded\n"
		    "  leash policy show guarded > my.cedar\n",
};

struct showing {
	struct policy_context context;
	bool want_expanded, want_schema;
};

static void showing_done(struct showing *s)
{
	policy_context_done(&s->context);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct showing *s = ctx;

	(void)value;
	(void)err;
	*(id == OPTION_EXPANDED ? &s->want_expanded : &s->want_schema) = true;
	return 0;
}

/* The policy under its full id, so that those of several layers can stand in one file. */
static int append_with_id(struct buf *out, const struct policy_item *item)
{
	struct cedar_diagnostics found = { 0 };
	struct cedar_policy_set *set = NULL;
	struct cedar_annotation id = { .key = SPAN("id"),
				       .value = span_of(item->id),
				       .has_value = true };
	int r = cedar_policy_set_parse(item->expanded, &found, &set);

	cedar_diagnostics_done(&found);
	if (r >= 0 && cedar_policy_set_len(set) == 1) {
		struct cedar_policy *p = cedar_policy_set_at(set, 0);
		struct cedar_annotation *all =
			xnew_array(struct cedar_annotation, p->n_annotations + 1);
		size_t n = 0;

		all[n++] = id;
		for (size_t i = 0; i < p->n_annotations; i++)
			if (!span_eq(p->annotations[i].key, id.key))
				all[n++] = p->annotations[i];
		p->annotations = all;
		p->n_annotations = n;
		r = cedar_policy_print(p, out);
		xfree(all);
	}
	cedar_policy_set_free(set);
	return r;
}

/* Laid out; as it is where that cannot be done. */
static void append_expanded(struct buf *out, const struct policy_item *item)
{
	const struct cedar_format_options layout = CEDAR_FORMAT_DEFAULT;
	struct cedar_diagnostics found = { 0 };
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_buf_ struct buf formatted = BUF_INIT(0);

	if (append_with_id(&text, item) < 0 ||
	    cedar_format(buf_span(&text), &layout, &found, &formatted) < 0)
		(void)buf_append_span(out, item->expanded);
	else
		(void)buf_append_span(out, buf_span(&formatted));
	cedar_diagnostics_done(&found);
	while (out->len && out->data[out->len - 1] == '\n')
		out->len--;
}

static void append_text(struct buf *out, const struct policy_item *item, bool want_expanded)
{
	(void)buf_printf(out, "// %s: ", policy_layer_name(item->layer));
	append_visible(out, span_of(item->id));
	(void)buf_append_str(out, " (");
	append_visible(out, span_of(item->file));
	(void)buf_printf(out, ":%zu)\n", item->line);
	if (want_expanded)
		append_expanded(out, item);
	else
		(void)buf_append_span(out, item->text);
	(void)buf_append_str(out, "\n\n");
}

static void json_item(struct json_writer *w, const struct policy_item *item, bool want_expanded)
{
	_cleanup_buf_ struct buf expanded = BUF_INIT(0);

	json_begin_object(w);
	policy_json_item(w, item);
	if (want_expanded) {
		append_expanded(&expanded, item);
		json_key_string(w, "expanded", buf_span(&expanded));
	}
	json_end_object(w);
}

static void print_all(const struct showing *s, const struct policy_source *source)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };
	size_t n = policy_source_len(source);

	if (s->context.want_json)
		json_begin_array(&w);
	for (size_t i = 0; i < n; i++) {
		const struct policy_item item = policy_source_at(source, i);

		if (s->context.want_json)
			json_item(&w, &item, s->want_expanded);
		else
			append_text(&out, &item, s->want_expanded);
	}
	if (s->context.want_json)
		json_end_array(&w);
	if (!s->context.want_json && out.len)
		out.len--; /* no empty line at the end */
	else
		(void)buf_append_char(&out, '\n');
	(void)print_out(&out);
}

static int show_profile(const char *name)
{
	struct span text = policy_profile_text(name);

	if (!text.len) {
		log_error("no profile `%s`; the built-in ones are guarded, permissive and locked",
			  name);
		return EXIT_USAGE;
	}
	return fd_write_all(STDOUT_FILENO, text.p, text.len) < 0;
}

static int show_all(struct showing *s)
{
	_cleanup_buf_ struct buf report = BUF_INIT(0);
	struct policy_source *source = NULL;
	struct err err = { 0 };

	if (policy_context_load(&s->context, &report, NULL, &source, &err) < 0) {
		if (report.len)
			log_text(report.data, report.len);
		log_error("%s", err.text);
		return 1;
	}
	print_all(s, source);
	policy_source_free(source);
	return 0;
}

int policy_show_main(int argc, char **argv)
{
	_cleanup_(showing_done) struct showing s = { .context.on_option = on_option };
	struct span schema = policy_schema();
	int n_operands, code;

	s.context.ctx = &s;
	code = policy_context_parse(&s.context, &policy_show_usage, argc, argv, 1, &n_operands);
	if (code >= 0)
		return code;
	if (s.want_schema)
		return fd_write_all(STDOUT_FILENO, schema.p, schema.len) < 0;
	return n_operands ? show_profile(argv[0]) : show_all(&s);
}
