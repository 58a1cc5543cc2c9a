/*
 * What one sub-command says about itself, and how its words are read: flags
 * and operands in any order, --help answered here.
 */
#pragma once

#include "cli/options.h"

#define OPTION_HELP_ID 1000
#define OPTION_HELP_ROW                                                                            \
	{                                                                                          \
		"help", 'h', NULL, "show this help", OPTION_HELP_ID, 0                             \
	}

struct usage {
	const char *name;
	const char *arguments;	 /* for the usage line */
	const char *description; /* ends in a newline */
	const struct option_spec *options;
	size_t n_options;
	const char *examples; /* lines, or NULL */
};

int usage_help(const struct usage *u, struct buf *out);

/* For a command that has no flag but --help. */
int usage_no_option(int id, const char *value, void *ctx, struct err *err);

/*
 * Reads argv[1...] and moves the operands to its front. Returns -1 to go on,
 * or the exit code with which to end: 0 after --help, EXIT_USAGE after an
 * error, which it has shown.
 */
int usage_parse(const struct usage *u, int argc, char **argv, option_fn fn, void *ctx,
		int *ret_n_operands) _must_check_;
