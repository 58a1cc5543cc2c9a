/* `leash cedar validate`: do the policies fit the schema? */
#include <stdio.h>

#include "base/log.h"
#include "cedar/cedar-validate.h"
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec options[] = {
	CEDAR_ROWS_SCHEMA,
	CEDAR_ROWS_POLICIES,
	{ "deny-warnings", 0, NULL, "warnings are errors", CEDAR_OPTION_DENY_WARNINGS, 0 },
	{ "validation-mode", 0, "strict|permissive",
	  "how strictly types must agree (default: strict)", CEDAR_OPTION_VALIDATION_MODE, 0 },
	{ "level", 0, "N", "how many times a policy may step from entity to entity",
	  CEDAR_OPTION_LEVEL, 0 },
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_validate_usage = {
	.name = "cedar validate",
	.arguments = "--schema FILE --policies FILE [FLAGS]",
	.description = "Checks policies and templates against a schema. Ends with 0 when they are "
		       "valid, 3 when they\n"
		       "are not, and 1 when something cannot be read.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash cedar validate --schema schema.cedarschema --policies policies.cedar\n"
		    "  leash cedar validate --schema schema.json --schema-format json --policies "
		    "policies.cedar --level 1\n",
};

static int validate(struct cedar_input *in)
{
	const struct cedar_options *o = in->options;
	const struct cedar_validate_options how = {
		.mode = o->is_permissive ? CEDAR_PERMISSIVE : CEDAR_STRICT,
		.has_max_level = o->has_level,
		.max_level = o->level,
	};
	struct cedar_diagnostics found = { 0 };
	int r = cedar_validate(in->policies, in->schema, &how, &found);
	bool is_good = r >= 0 && (found.len == 0 || !o->deny_warnings);

	(void)printf("policy set validation %s\n", is_good ? "passed" : "failed");
	if (is_good && found.len == 0)
		(void)printf("no errors or warnings\n");
	(void)fflush(stdout);
	cedar_report(o, &found, &in->policy_text, 0);
	cedar_diagnostics_done(&found);
	return is_good ? CEDAR_EXIT_SUCCESS : CEDAR_EXIT_INVALID;
}

int cedar_validate_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	bool is_good;
	int n_operands;
	int code = cedar_options_parse(&cedar_validate_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	if (!o.schema) {
		log_error("cedar validate: --schema FILE is missing");
		return EXIT_USAGE;
	}
	is_good = cedar_load_policies(&in) && cedar_load_links(&in, false);
	is_good = cedar_load_schema(&in) && is_good;
	return is_good ? validate(&in) : CEDAR_EXIT_FAILURE;
}
