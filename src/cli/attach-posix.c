/*
 * `leash attach` where sessions run in a virtual machine: their terminals are sockets
 * there, which this machine does not reach.
 */
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
	.description = "Connects this terminal with a detached session; on this system it can't, "
		       "as sessions\nrun in a virtual machine. `leash logs --follow` shows what "
		       "one shows.\n",
	.options = attach_options,
	.n_options = ARRAY_SIZE(attach_options),
};

int command_attach(int argc, char **argv)
{
	int n_operands;
	int code = usage_parse(&usage, argc, argv, usage_no_option, NULL, &n_operands);

	if (code >= 0)
		return code;
	log_error("attach: a detached session's terminal is in the engine's virtual machine, out "
		  "of reach here; `leash logs --follow` shows it, `leash stop` ends it");
	return EXIT_LEASH_FAILED;
}
