/*
 * `leash policy`: what policies say, without running anything.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/option-tables.h"
#include "cli/policy-private.h"

const struct option_spec policy_options[] = {
	OPTION_HELP_ROW,
};
const size_t n_policy_options = ARRAY_SIZE(policy_options);

static const struct subcommand items[] = {
	{ "check", &policy_check_usage,
	  "read the policies of a session here and report every mistake", policy_check_main },
	{ "explain", &policy_explain_usage, "say what is decided about one operation, and why",
	  policy_explain_main },
	{ "show", &policy_show_usage, "print the policies in force here, or a built-in profile",
	  policy_show_main },
	{ "fmt", &policy_fmt_usage, "lay policy files out", policy_fmt_main },
	{ "test", &policy_test_usage, "run the cases of a TOML file beside a policy",
	  policy_test_main },
	{ "diff", &policy_diff_usage, "say what two policies decide differently",
	  policy_diff_main },
	{ "trust", &policy_trust_usage, "let the permits of this project's policy count",
	  policy_trust_main },
};

static int print_help(void);

const struct subcommand_group policy_group = { "policy", items, ARRAY_SIZE(items), print_help };

static int print_help(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(
		&out, "Usage: leash policy SUB-COMMAND ...\n\n"
		      "Works with the policies that a session in this directory would use.\n\n"
		      "Sub-commands (`leash policy SUB-COMMAND --help` tells more):\n");
	subcommand_list(&policy_group, 10, &out);
	(void)buf_append_str(&out, "\nFlags:\n");
	(void)options_help(policy_options, n_policy_options, &out);
	(void)buf_append_str(&out, "\nExamples:\n"
				   "  leash policy check\n"
				   "  leash policy explain read ~/.ssh/id_ed25519\n"
				   "  leash policy explain connect api.github.com:443\n"
				   "  leash policy show guarded\n");
	return print_out(&out);
}

int command_policy(int argc, char **argv)
{
	return subcommand_run(&policy_group, argc, argv);
}
