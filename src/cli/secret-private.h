/*
 * The sub-commands of `leash secret`, for its help and for completion.
 */
#pragma once

#include "cli/usage.h"

struct secret_command {
	const char *name;
	const struct usage *usage; /* its name has "secret " before it */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the sub-command's name */
};

extern const struct secret_command secret_commands[];
extern const size_t n_secret_commands;
