/*
 * The table of sub-commands: what `leash --help` lists, completion offers and
 * main() calls.
 */
#pragma once

#include "base/attributes.h"

struct command {
	const char *name;
	const char *arguments; /* "[SESSION] [FILTER...]", for the usage line */
	const char *summary;   /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is the sub-command's name; returns the exit code */
};

extern const struct command commands[];
extern const size_t n_commands;

int command_run(int argc, char **argv);
int command_ps(int argc, char **argv);
int command_attach(int argc, char **argv);
int command_logs(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_events(int argc, char **argv);
int command_sessions(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_ui(int argc, char **argv);
int command_token(int argc, char **argv);
int command_export(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_secret(int argc, char **argv);
int command_config(int argc, char **argv);
int command_cedar(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_completion(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help(int argc, char **argv);

/* Usage errors end with this code and a pointer to --help. */
#define EXIT_USAGE 2
