/*
 * `leash help`, `leash --help`: what there is, from the tables that also read
 * the command line.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/option-tables.h"

static void append_overview(struct buf *out)
{
	(void)buf_append_str(out, "leash runs an agent, or any command, in a container under a policy.\n\n"
				  "Usage: leash [FLAGS] [--] COMMAND [ARG...]\n"
				  "       leash SUB-COMMAND ...\n\nFlags:\n");
	(void)options_help(run_options, n_run_options, out);
	(void)buf_append_str(out, "\nSub-commands (`leash SUB-COMMAND --help` tells more):\n");
	for (size_t i = 0; i < n_commands; i++)
		(void)buf_printf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	(void)buf_append_str(out, "\nExamples:\n"
				  "  leash -- bash                      a shell in which your keys are out of reach\n"
				  "  leash --policy my.cedar claude     an agent under a policy of yours\n"
				  "  leash events --follow              what it does, as it does it\n"
				  "  leash policy explain read ~/.ssh/id_ed25519\n");
}

int command_help(int argc, char **argv)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	for (size_t i = 0; argc > 1 && i < n_commands; i++) {
		char *words[] = { argv[1], (char[]){ "--help" }, NULL };

		if (strcmp(commands[i].name, argv[1]) == 0 && commands[i].run != command_help)
			return commands[i].run(2, words);
	}
	append_overview(&out);
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}
