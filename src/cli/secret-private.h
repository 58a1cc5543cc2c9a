/*
 * The sub-commands of `leash secret`, for its help and for completion.
 */
#pragma once

#include "cli/subcommand.h"

extern const struct subcommand_group secret_group;
