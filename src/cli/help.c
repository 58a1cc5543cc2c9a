/*
 * `leash help [COMMAND]`: the overview, or what one sub-command says itself.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/nearest.h"
#include "cli/option-tables.h"

static int help_of(const char *name)
{
	struct nearest nearest = { .word = span_of(name) };

	for (size_t i = 0; i < n_commands; i++) {
		char flag[] = "--help";
		_cleanup_free_ char *copy = NULL;

		nearest_offer(&nearest, commands[i].name);
		if (strcmp(commands[i].name, name) != 0 || commands[i].run == command_help)
			continue;
		copy = xmemdup0(name, strlen(name));
		return commands[i].run(2, (char *[]){ copy, flag, NULL });
	}
	if (strcmp(name, "help") == 0)
		return command_help(1, NULL);
	log_error("help: leash has no command called %s%s%s", name,
		  nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "");
	return EXIT_USAGE;
}

static int overview(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(
		&out,
		"Usage: leash [FLAGS] [--] COMMAND [ARG...]\n"
		"       leash SUB-COMMAND ...\n\n"
		"Runs a command in a container, records what it does, and lets it do what the\n"
		"policy permits. The first word that is not a flag starts the command.\n\n"
		"Flags:\n");
	(void)options_help(run_options, n_run_options, &out);
	(void)buf_append_str(&out, "\nSub-commands:\n");
	for (size_t i = 0; i < n_commands; i++)
		(void)buf_printf(&out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	(void)buf_append_str(
		&out, "\nExamples:\n"
		      "  leash claude                          an agent under the built-in policy\n"
		      "  leash --mode shadow -- npm test       record what would be denied\n"
		      "  leash events --decision deny          what was denied\n\n"
		      "`leash help SUB-COMMAND` says more.\n");
	return out.failed || fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}

int command_help(int argc, char **argv)
{
	return argc > 1 && argv[1][0] != '-' ? help_of(argv[1]) : overview();
}
