/*
 * Commands that are a group of others: `leash policy check`. Each group has a
 * table, which its help, its dispatch and the completion read.
 */
#pragma once

#include "cli/usage.h"

struct subcommand {
	const char *name;
	const struct usage *usage; /* its name has the group's before it */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the sub-command's name */
};

struct subcommand_group {
	const char *name; /* "policy" */
	const struct subcommand *items;
	size_t n;
	int (*print_help)(void);
};

/* NULL where there is none of that name. */
const struct subcommand *subcommand_find(const struct subcommand_group *g, const char *name);
/* Appends a line for each, the names padded to width. */
void subcommand_list(const struct subcommand_group *g, int width, struct buf *out);
/* Runs the one that argv[1] names, or shows help. Returns the exit code. */
int subcommand_run(const struct subcommand_group *g, int argc, char **argv);
