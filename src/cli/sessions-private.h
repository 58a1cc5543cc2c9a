/*
 * The sub-commands of `leash sessions`, which lists sessions without one.
 */
#pragma once

#include "cli/subcommand.h"

extern const struct subcommand_group sessions_group;
