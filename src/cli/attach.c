/*
 * `leash attach`: a terminal for a detached session. How it gets there: attach-linux.c
 * and attach-posix.c, one of which is built.
 */
#include "cli/attach.h"

#include <errno.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/option-tables.h"
#include "cli/usage.h"
#include "daemon/session.h"

const struct option_spec attach_options[] = {
	OPTION_HELP_ROW,
};
const size_t n_attach_options = ARRAY_SIZE(attach_options);

static const struct usage usage = {
	.name = "attach",
	.arguments = "[SESSION]",
	.description =
		"Connects this terminal with a session that was started with --detach: what it "
		"shows "
		"is\nshown, what is typed goes to it. ctrl-p ctrl-q leaves it running. Without "
		"SESSION, the\nnewest that runs. The exit code is the session's.\n",
	.options = attach_options,
	.n_options = ARRAY_SIZE(attach_options),
};

static int attach(const char *name, struct err *err)
{
	_cleanup_(running_done) struct running r = { 0 };
	int code = running_find(name, &r, err);

	if (code >= 0 && !r.is_detached)
		code = err_say(err, -ENOTTY,
			       "the session %s has a terminal already: it was not started with "
			       "--detach",
			       r.id);
	if (code >= 0)
		code = attach_to(&r, err);
	return code < 0 ? EXIT_LEASH_FAILED : code;
}

int command_attach(int argc, char **argv)
{
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(&usage, argc, argv, usage_no_option, NULL, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands > 1) {
		log_error("attach: too many words: %s", argv[1]);
		return EXIT_USAGE;
	}
	code = attach(n_operands ? argv[0] : NULL, &err);
	if (err.code)
		log_error("%s", err.text);
	return code;
}
