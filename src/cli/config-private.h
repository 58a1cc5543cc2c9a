/*
 * The sub-commands of `leash config`, for its help and for completion.
 */
#pragma once

#include "cli/subcommand.h"

extern const struct subcommand_group config_group;
