/*
 * `leash version`.
 */
#include <unistd.h>

#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/option-tables.h"
#include "cli/usage.h"

enum {
	OPTION_JSON = 1,
};

const struct option_spec version_options[] = {
	{ "json", 0, NULL, "answer as JSON", OPTION_JSON, 0 },
	OPTION_HELP_ROW,
};
const size_t n_version_options = ARRAY_SIZE(version_options);

static const struct usage usage = {
	.name = "version",
	.arguments = "[FLAGS]",
	.description = "Prints leash's version.\n",
	.options = version_options,
	.n_options = ARRAY_SIZE(version_options),
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)ctx = id == OPTION_JSON;
	return 0;
}

int command_version(int argc, char **argv)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };
	bool want_json = false;
	int n_operands;
	int code = usage_parse(&usage, argc, argv, on_option, &want_json, &n_operands);

	if (code >= 0)
		return code;
	if (want_json) {
		json_begin_object(&w);
		json_key_string(&w, "version", SPAN(LEASH_VERSION));
		json_end_object(&w);
		(void)buf_append_char(&out, '\n');
	} else {
		(void)buf_append_str(&out, "leash " LEASH_VERSION "\n");
	}
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
