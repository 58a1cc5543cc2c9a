/* `leash cedar evaluate`: the value of one expression. */
#include <stdio.h>

#include "base/log.h"
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec options[] = {
	CEDAR_ROWS_REQUEST, CEDAR_ROW_REQUEST_VALIDATION, CEDAR_ROWS_SCHEMA, CEDAR_ROWS_ENTITIES,
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_evaluate_usage = {
	.name = "cedar evaluate",
	.arguments = "[FLAGS] EXPRESSION",
	.description =
		"Prints the value of the expression for a request. Ends with 1 when it has none.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash cedar evaluate --principal 'User::\"alice\"' --action "
		    "'Action::\"view\"' \\\n"
		    "      --resource 'Photo::\"a.jpg\"' --entities entities.json 'resource.owner "
		    "== principal'\n"
		    "  leash cedar evaluate --request-json request.json '[1, 2].contains(1)'\n",
};

/* Is it a constructor of an extension type with its text, such as decimal("1.50")? */
static bool is_constructor(const struct cedar_expr *e)
{
	return e->kind == CEDAR_EXPR_CALL && !e->is_method && e->n_items == 1 &&
	       e->items[0]->kind == CEDAR_EXPR_STRING;
}

static int evaluate(struct cedar_input *in, const struct cedar_expr *e,
		    const struct cedar_text *text)
{
	struct cedar_entity_source source = cedar_entities_source(in->entities);
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v;

	if (cedar_eval(e, &in->request, &source, &in->arena, &v, &error) < 0) {
		cedar_report_one(in->options,
				 &(struct cedar_diagnostic){ .code = error.code,
							     .range = error.range,
							     .message = error.message,
							     .suggestion = NULL },
				 text);
		return CEDAR_EXIT_FAILURE;
	}
	/* Cedar's own command shows such a value as it was written, any other in one form. */
	if ((is_constructor(e) ? cedar_expr_print(e, &out) : cedar_value_print(v, &out)) < 0)
		return CEDAR_EXIT_FAILURE;
	(void)printf("%.*s\n", (int)out.len, out.data);
	return CEDAR_EXIT_SUCCESS;
}

int cedar_evaluate_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	_cleanup_cedar_text_ struct cedar_text text = { .name = "<expression>" };
	struct cedar_diagnostics found = { 0 };
	struct cedar_expr *e = NULL;
	int n_operands;
	int code = cedar_options_parse(&cedar_evaluate_usage, argc, argv, 1, &o, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands != 1) {
		log_error("cedar evaluate: give one expression");
		return EXIT_USAGE;
	}
	(void)printf("\n");
	(void)buf_append_str(&text.content, argv[0]);
	code = cedar_expr_parse(cedar_text_span(&text), &in.arena, &found, &e) < 0;
	cedar_report(&o, &found, &text, 0);
	cedar_diagnostics_done(&found);
	if (!cedar_load_schema(&in) || !cedar_load_entities(&in) || !cedar_load_request(&in) ||
	    code)
		return CEDAR_EXIT_FAILURE;
	return evaluate(&in, e, &text);
}
