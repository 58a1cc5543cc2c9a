/*
 * The entry: a session's own processes start here too (roles.h).
 * A first word that is no sub-command is a command to run.
 */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/own-program.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/roles.h"

const struct command commands[] = {
	{ "run", "[FLAGS] [--] COMMAND [ARG...]",
	  "run a command in a container (the word `run` may be left out)", command_run },
	{ "ps", "[FLAGS]", "list the sessions that run", command_ps },
	{ "attach", "[SESSION]", "connect this terminal with a detached session", command_attach },
	{ "logs", "[SESSION] [FLAGS]", "print what a detached session has shown", command_logs },
	{ "stop", "SESSION...", "end sessions that run", command_stop },
	{ "events", "[SESSION] [FLAGS]", "show what a session did and what was denied",
	  command_events },
	{ "sessions", "[FLAGS]", "list sessions, or remove them", command_sessions },
	{ "verify", "[SESSION]", "check that a session's log was not changed", command_verify },
	{ "ui", "[SESSION]", "open a running session's control page", command_ui },
	{ "token", "[SESSION]", "print the token of a running session's API", command_token },
	{ "export", "[SESSION] [FLAGS]", "write a session's events for other programs",
	  command_export },
	{ "replay", "[SESSION] [FLAGS]", "decide a recorded session again, under another policy",
	  command_replay },
	{ "policy", "SUB-COMMAND ...",
	  "check, explain, show, format, test, compare and trust policies", command_policy },
	{ "secret", "SUB-COMMAND ...", "list and test the secrets that agents use and never see",
	  command_secret },
	{ "config", "SUB-COMMAND ...", "show and change config.toml", command_config },
	{ "cedar", "SUB-COMMAND ...", "work with Cedar policies: authorize, validate, format, ...",
	  command_cedar },
	{ "doctor", "[FLAGS]", "say what this machine offers and what is missing", command_doctor },
	{ "completion", "bash|zsh|fish", "print shell completion", command_completion },
	{ "version", "", "print the version", command_version },
	{ "help", "[COMMAND]", "show help", command_help },
};
const size_t n_commands = ARRAY_SIZE(commands);

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int code;

	if (fd_open_stdio() < 0)
		return EXIT_LEASH_FAILED;
	own_program_note(argv[0]);
	if (argc < 2) {
		(void)command_help(1, argv);
		return EXIT_USAGE;
	}
	code = role_main(argc, argv);
	if (code >= 0)
		return code;
	command = find_command(argv[1]);
	/* An explicit sub-command sees its own name as argv[0]; an implied `run` sees ours. */
	return command ? command->run(argc - 1, argv + 1) : command_run(argc, argv);
}
