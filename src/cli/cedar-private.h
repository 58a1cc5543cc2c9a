/*
 * The sub-commands of `leash cedar`, one file each; cedar.c has their table.
 */
#pragma once

#include "cli/subcommand.h"

extern const struct subcommand_group cedar_group;

extern const struct usage cedar_authorize_usage, cedar_check_parse_usage, cedar_evaluate_usage,
	cedar_format_usage, cedar_link_usage, cedar_partially_authorize_usage,
	cedar_translate_policy_usage, cedar_translate_schema_usage, cedar_validate_usage;

int cedar_authorize_main(int argc, char **argv);
int cedar_check_parse_main(int argc, char **argv);
int cedar_evaluate_main(int argc, char **argv);
int cedar_format_main(int argc, char **argv);
int cedar_link_main(int argc, char **argv);
int cedar_partially_authorize_main(int argc, char **argv);
int cedar_translate_policy_main(int argc, char **argv);
int cedar_translate_schema_main(int argc, char **argv);
int cedar_validate_main(int argc, char **argv);
