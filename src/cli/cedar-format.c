/* `leash cedar format`: policies in the layout of Cedar's own formatter. */
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cedar/cedar-format.h"
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec options[] = {
	{ "policies", 'p', "FILE", "the policies; standard input where this is not given or -",
	  CEDAR_OPTION_POLICIES, 0 },
	{ "line-width", 'l', "COLUMNS", "how wide lines may be (default: 80)",
	  CEDAR_OPTION_LINE_WIDTH, 0 },
	{ "indent-width", 'i', "BLANKS", "how far to indent (default: 2)",
	  CEDAR_OPTION_INDENT_WIDTH, 0 },
	{ "write", 'w', NULL, "write the file instead of standard output", CEDAR_OPTION_WRITE, 0 },
	{ "check", 'c', NULL, "end with 1 when the policies are not formatted", CEDAR_OPTION_CHECK,
	  0 },
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_format_usage = {
	.name = "cedar format",
	.arguments = "[FLAGS]",
	.description =
		"Lays policies out, byte for byte as Cedar's own formatter does; comments stay.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash cedar format --policies policies.cedar\n"
		    "  leash cedar format --write -l 100 --policies policies.cedar\n"
		    "  leash cedar format --check < policies.cedar\n",
};

static int put(const struct cedar_options *o, struct span text)
{
	if (o->want_write)
		return cedar_text_write(o->policies, text) ? CEDAR_EXIT_SUCCESS
							   : CEDAR_EXIT_FAILURE;
	return fd_write_all(STDOUT_FILENO, text.p, text.len) < 0 ? CEDAR_EXIT_FAILURE
								 : CEDAR_EXIT_SUCCESS;
}

static int format(const struct cedar_options *o)
{
	const struct cedar_format_options layout = { .width = o->line_width,
						     .indent = o->indent_width };
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics found = { 0 };
	bool is_same;
	int r;

	if (!cedar_text_read(o->policies, "policies", &text))
		return CEDAR_EXIT_FAILURE;
	r = cedar_format(cedar_text_span(&text), &layout, &found, &out);
	cedar_report(o, &found, &text, 0);
	if (r < 0 && found.n_errors == 0)
		log_error("cannot format %s: %s", text.name, strerror(-r));
	cedar_diagnostics_done(&found);
	if (r < 0)
		return CEDAR_EXIT_FAILURE;
	is_same = span_eq(buf_span(&out), cedar_text_span(&text));
	if (put(o, buf_span(&out)) != CEDAR_EXIT_SUCCESS)
		return CEDAR_EXIT_FAILURE;
	return o->want_check && !is_same ? CEDAR_EXIT_FAILURE : CEDAR_EXIT_SUCCESS;
}

int cedar_format_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	int n_operands;
	int code = cedar_options_parse(&cedar_format_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	if (o.want_write && (!o.policies || strcmp(o.policies, "-") == 0)) {
		log_error("cedar format: --write needs --policies FILE");
		return EXIT_USAGE;
	}
	if (o.want_write && o.want_check) {
		log_error("cedar format: --write and --check exclude each other");
		return EXIT_USAGE;
	}
	return format(&o);
}
