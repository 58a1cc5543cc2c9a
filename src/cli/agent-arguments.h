/*
 * Agents bring sandboxes of their own, which cannot be made inside of a container:
 * each is told on its command line that it needs none. Nothing of the user's files
 * is changed.
 */
#pragma once

#include "daemon/environment.h"

/*
 * A new array of the command's words, with what the agent needs to be told behind the first; the
 * words stay the caller's. NULL: nothing is to be told. environment as in agent-access.h.
 */
char **agent_arguments(const struct agent *a, char *const *argv, const char *home, const char *cwd,
		       const struct environment *environment) _must_check_;
