/*
 * `leash cedar`: Cedar's own command, whose sub-commands, flags, answers and
 * exit codes these are. What Cedar's prints as errors on standard output goes
 * to standard error here.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/cedar-private.h"
#include "cli/command.h"
#include "cli/option-tables.h"

const struct option_spec cedar_options[] = {
	OPTION_HELP_ROW,
};
const size_t n_cedar_options = ARRAY_SIZE(cedar_options);

static const struct subcommand items[] = {
	{ "authorize", &cedar_authorize_usage, "decide a request", cedar_authorize_main },
	{ "evaluate", &cedar_evaluate_usage, "evaluate an expression", cedar_evaluate_main },
	{ "validate", &cedar_validate_usage, "check policies against a schema",
	  cedar_validate_main },
	{ "check-parse", &cedar_check_parse_usage,
	  "check that policies, a schema or entities can be read", cedar_check_parse_main },
	{ "link", &cedar_link_usage, "make a policy of a template", cedar_link_main },
	{ "format", &cedar_format_usage, "lay policies out", cedar_format_main },
	{ "translate-policy", &cedar_translate_policy_usage,
	  "policies from Cedar's syntax to JSON, or back", cedar_translate_policy_main },
	{ "translate-schema", &cedar_translate_schema_usage,
	  "a schema from Cedar's syntax to JSON, or back", cedar_translate_schema_main },
	{ "partially-authorize", &cedar_partially_authorize_usage,
	  "decide a request of which not all is known", cedar_partially_authorize_main },
};

static int print_help(void);

const struct subcommand_group cedar_group = { "cedar", items, ARRAY_SIZE(items), print_help };

static int print_help(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(
		&out,
		"Usage: leash cedar SUB-COMMAND ...\n\n"
		"Works with policies of the Cedar language (4.5), like Cedar's own command.\n\n"
		"Sub-commands (`leash cedar SUB-COMMAND --help` tells more):\n");
	subcommand_list(&cedar_group, 20, &out);
	(void)buf_append_str(&out, "  language-version     print the version of the language\n"
				   "\nFlags:\n");
	(void)options_help(cedar_options, n_cedar_options, &out);
	(void)buf_append_str(
		&out,
		"\nExamples:\n"
		"  leash cedar authorize -l 'User::\"alice\"' -a 'Action::\"view\"' -r "
		"'Photo::\"a.jpg\"' \\\n"
		"      --policies policies.cedar --entities entities.json\n"
		"  leash cedar validate --schema schema.cedarschema --policies policies.cedar\n"
		"  leash cedar format --write --policies policies.cedar\n");
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}

/* `leash help cedar SUB-COMMAND` is no form of ours, `leash cedar help SUB-COMMAND` is Cedar's. */
static int help(int argc, char **argv)
{
	char *words[] = { argc > 1 ? argv[1] : NULL, (char[]){ "--help" }, NULL };
	const struct subcommand *found = argc > 1 ? subcommand_find(&cedar_group, argv[1]) : NULL;

	return found ? found->run(2, words) : print_help();
}

int command_cedar(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "help") == 0)
		return help(argc - 1, argv + 1);
	if (strcmp(name, "language-version") == 0)
		return printf("Cedar language version: %s\n", "4.5") < 0;
	return subcommand_run(&cedar_group, argc, argv);
}
