/* The program that a command's first word means on this machine. */
#pragma once

#include "base/err.h"

/*
 * Itself, absolute, if it has a slash, else the first executable on PATH; newly allocated. 0,
 * EXIT_NOT_FOUND or EXIT_CANNOT_EXECUTE.
 */
int program_find(const char *cwd, const char *name, char **ret, struct err *err) _must_check_;
