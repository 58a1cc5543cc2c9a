/* `leash policy fmt`: policy files in Cedar's own layout. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json-writer.h"
#include "base/log.h"
#include "cedar/cedar-format.h"
#include "cli/cedar-load.h"
#include "cli/command.h"
#include "cli/policy-private.h"

enum { OPTION_WRITE = POLICY_OPTION_OWN, OPTION_CHECK };

static const struct option_spec options[] = {
	{ "write", 'w', NULL, "write the files instead of standard output", OPTION_WRITE, 0 },
	{ "check", 'c', NULL, "write nothing; end with 1 when a file is not laid out so",
	  OPTION_CHECK, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_fmt_usage = {
	.name = "policy fmt",
	.arguments = "[FLAGS] [FILE...]",
	.description = "Lays policy files out as Cedar's own formatter does; comments stay. "
		       "Without FILE, or for -, standard\n"
		       "input. Ends with 0, or 1 when --check finds a file that is not laid out "
		       "so, or 2 when one cannot be read.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy fmt my.cedar\n"
		    "  leash policy fmt -w ~/.config/leash/policy.cedar\n"
		    "  leash policy fmt --check *.cedar\n",
};

struct formatting {
	struct policy_context context;
	bool want_write, want_check;
	bool is_different, is_failed; /* some file */
	struct buf out;		      /* text, or JSON */
	struct json_writer json;
};

static void formatting_done(struct formatting *f)
{
	policy_context_done(&f->context);
	buf_done(&f->out);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct formatting *f = ctx;

	(void)value;
	(void)err;
	*(id == OPTION_WRITE ? &f->want_write : &f->want_check) = true;
	return 0;
}

static bool is_stdin(const char *path)
{
	return !path || strcmp(path, "-") == 0;
}

static void say(struct formatting *f, const struct cedar_text *text, struct span formatted)
{
	bool is_same = span_eq(formatted, cedar_text_span(text));

	f->is_different |= !is_same;
	if (f->context.want_json) {
		json_begin_object(&f->json);
		json_key_string(&f->json, "file", span_of(text->name));
		json_key_bool(&f->json, "formatted", is_same);
		if (!f->want_write && !f->want_check)
			json_key_string(&f->json, "text", formatted);
		json_end_object(&f->json);
	} else if (f->want_check || f->want_write) {
		if (!is_same)
			(void)buf_printf(&f->out, "%s\n", text->name);
	} else {
		(void)buf_append_span(&f->out, formatted);
	}
}

static void format_one(struct formatting *f, const char *path)
{
	const struct cedar_format_options layout = CEDAR_FORMAT_DEFAULT;
	const struct cedar_options errors = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics found = { 0 };
	int r;

	if (!cedar_text_read(path, "policies", &text)) {
		f->is_failed = true;
		return;
	}
	r = cedar_format(cedar_text_span(&text), &layout, &found, &out);
	cedar_report(&errors, &found, &text, 0);
	if (r < 0 && found.n_errors == 0)
		log_error("cannot format %s: %s", text.name, strerror(-r));
	cedar_diagnostics_done(&found);
	if (r >= 0 && f->want_write && !span_eq(buf_span(&out), cedar_text_span(&text)) &&
	    !cedar_text_write(path, buf_span(&out)))
		r = -1;
	if (r < 0)
		f->is_failed = true;
	else
		say(f, &text, buf_span(&out));
}

int policy_fmt_main(int argc, char **argv)
{
	_cleanup_(formatting_done) struct formatting f = { .context.on_option = on_option };
	int n_operands, code;

	f.context.ctx = &f;
	f.json.out = &f.out;
	code = policy_context_parse(&f.context, &policy_fmt_usage, argc, argv, SIZE_MAX,
				    &n_operands);
	if (code >= 0)
		return code;
	if (f.want_write && f.want_check) {
		log_error("policy fmt: --write and --check exclude each other");
		return EXIT_USAGE;
	}
	if (f.want_write && is_stdin(argv[0])) {
		log_error("policy fmt: --write needs a FILE");
		return EXIT_USAGE;
	}
	if (f.context.want_json)
		json_begin_array(&f.json);
	for (int i = 0; i < n_operands || i == 0; i++)
		format_one(&f, argv[i]);
	if (f.context.want_json) {
		json_end_array(&f.json);
		(void)buf_append_char(&f.out, '\n');
	}
	if (print_out(&f.out) || f.is_failed)
		return EXIT_USAGE;
	return f.want_check && f.is_different ? 1 : 0;
}
