/*
 * leash where there is no native runtime: the commands that need no session of this
 * machine.
 */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cli/command.h"
#include "cli/usage.h"

const struct command commands[] = {
	COMMAND_ROWS_OF_POLICIES,
	{ "version", "", "print the version", command_version },
};
const size_t n_commands = ARRAY_SIZE(commands);

int main(int argc, char **argv)
{
	if (fd_open_stdio() < 0)
		return 1;
	for (size_t i = 0; argc > 1 && i < n_commands; i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			return commands[i].run(argc - 1, argv + 1);
	for (size_t i = 0; i < n_commands; i++)
		(void)fprintf(stderr, "leash %s: %s\n", commands[i].name, commands[i].summary);
	return EXIT_USAGE;
}
