/* `leash cedar partially-authorize`: a decision when not everything is known. */
#include "base/log.h"
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec options[] = {
	CEDAR_ROWS_REQUEST,
	{ "principal-type", 0, "TYPE", "the principal's type, where it is not known itself",
	  CEDAR_OPTION_PRINCIPAL_TYPE, 0 },
	{ "principal-eid", 0, "ID", "with --principal-type: the principal's id",
	  CEDAR_OPTION_PRINCIPAL_EID, 0 },
	{ "resource-type", 0, "TYPE", "the resource's type, where it is not known itself",
	  CEDAR_OPTION_RESOURCE_TYPE, 0 },
	{ "resource-eid", 0, "ID", "with --resource-type: the resource's id",
	  CEDAR_OPTION_RESOURCE_EID, 0 },
	CEDAR_ROWS_POLICIES,
	CEDAR_ROWS_SCHEMA,
	CEDAR_ROWS_ENTITIES,
	CEDAR_ROW_TIMING,
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_partially_authorize_usage = {
	.name = "cedar partially-authorize",
	.arguments = "--action UID --schema FILE --policies FILE [FLAGS]",
	.description =
		"Decides a request of which not everything is known: ALLOW, DENY, or UNKNOWN with "
		"what is left\n"
		"of the policies. Ends with 0, 2, 4, and with 1 when something cannot be read.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash cedar partially-authorize --principal 'User::\"alice\"' --action "
		    "'Action::\"view\"' \\\n"
		    "      --resource-type Photo --schema schema.cedarschema --policies "
		    "policies.cedar\n",
};

int cedar_partially_authorize_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 1;
}
