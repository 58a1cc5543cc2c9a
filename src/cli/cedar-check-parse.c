/* `leash cedar check-parse`: can what is given be read? Says nothing when it can. */
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"

static const struct option_spec options[] = {
	CEDAR_ROWS_POLICIES,
	{ "expression", 0, "EXPRESSION", "an expression", CEDAR_OPTION_EXPRESSION, 0 },
	CEDAR_ROWS_SCHEMA,
	CEDAR_ROWS_ENTITIES,
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_check_parse_usage = {
	.name = "cedar check-parse",
	.arguments = "[FLAGS]",
	.description = "Checks that policies, an expression, a schema and entities can be read, "
		       "whichever are given;\n"
		       "without any, reads policies from standard input. Ends with 0 or 1.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples =
		"  leash cedar check-parse --policies policies.cedar\n"
		"  leash cedar check-parse --schema schema.cedarschema --entities entities.json\n",
};

static bool check_expression(struct cedar_input *in)
{
	_cleanup_cedar_text_ struct cedar_text text = { .name = "<expression>" };
	struct cedar_diagnostics found = { 0 };
	struct cedar_expr *e;
	int r;

	(void)buf_append_str(&text.content, in->options->expression);
	r = cedar_expr_parse(cedar_text_span(&text), &in->arena, &found, &e);
	cedar_report(in->options, &found, &text, 0);
	cedar_diagnostics_done(&found);
	return r >= 0;
}

int cedar_check_parse_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	bool is_good = true;
	int n_operands;
	int code = cedar_options_parse(&cedar_check_parse_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	if (o.policies || !(o.schema || o.entities || o.expression))
		is_good = cedar_load_policies(&in) && cedar_load_links(&in, false);
	if (o.expression)
		is_good = check_expression(&in) && is_good;
	if (!cedar_load_schema(&in))
		is_good = false;
	if (o.entities)
		is_good = cedar_load_entities(&in) && is_good;
	return is_good ? CEDAR_EXIT_SUCCESS : CEDAR_EXIT_FAILURE;
}
