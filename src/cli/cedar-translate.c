/* `leash cedar translate-policy` and `translate-schema`: from one form to the other. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cedar/cedar-json.h"
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec policy_options[] = {
	{ "direction", 0, "cedar-to-json|json-to-cedar", "from which form to which",
	  CEDAR_OPTION_DIRECTION, 0 },
	{ "policies", 'p', "FILE", "the policies; standard input where this is not given or -",
	  CEDAR_OPTION_POLICIES, 0 },
	CEDAR_ROWS_COMMON,
};

static const struct option_spec schema_options[] = {
	{ "direction", 0, "cedar-to-json|json-to-cedar", "from which form to which",
	  CEDAR_OPTION_DIRECTION, 0 },
	{ "schema", 's', "FILE", "the schema; standard input where this is not given or -",
	  CEDAR_OPTION_SCHEMA, 0 },
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_translate_policy_usage = {
	.name = "cedar translate-policy",
	.arguments = "--direction cedar-to-json|json-to-cedar [FLAGS]",
	.description = "Prints policies in Cedar's JSON form, or JSON policies in Cedar's syntax. "
		       "Comments are lost.\n",
	.options = policy_options,
	.n_options = ARRAY_SIZE(policy_options),
	.examples = "  leash cedar translate-policy --direction cedar-to-json --policies "
		    "policies.cedar\n"
		    "  leash cedar translate-policy --direction json-to-cedar < policies.json\n",
};

const struct usage cedar_translate_schema_usage = {
	.name = "cedar translate-schema",
	.arguments = "--direction cedar-to-json|json-to-cedar [FLAGS]",
	.description = "Prints a schema in Cedar's JSON form, or a JSON schema in Cedar's syntax. "
		       "Comments are lost.\n",
	.options = schema_options,
	.n_options = ARRAY_SIZE(schema_options),
	.examples = "  leash cedar translate-schema --direction cedar-to-json --schema "
		    "schema.cedarschema\n"
		    "  leash cedar translate-schema --direction json-to-cedar < schema.json\n",
};

/* 0 to JSON, 1 from JSON, negative after an error, which it has shown. */
static int direction_of(const struct cedar_options *o, const char *name)
{
	if (o->direction && strcmp(o->direction, "cedar-to-json") == 0)
		return 0;
	if (o->direction && strcmp(o->direction, "json-to-cedar") == 0)
		return 1;
	log_error("%s: give --direction cedar-to-json or json-to-cedar", name);
	return -1;
}

static int print(struct buf *out, int r)
{
	if (r >= 0)
		r = buf_append_char(out, '\n');
	if (r >= 0)
		return fd_write_all(STDOUT_FILENO, out->data, out->len) < 0;
	log_error("the translation is too long");
	return CEDAR_EXIT_FAILURE;
}

static int print_policies(const struct cedar_policy_set *set, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < cedar_policy_set_len(set); i++) {
		const struct cedar_policy *p = cedar_policy_set_at(set, i);

		if (p->linked_from) {
			log_error("policies linked to templates have no form in Cedar's syntax: "
				  "`%.*s`",
				  SPAN_ARG(p->id));
			return -EINVAL;
		}
		if (i)
			(void)buf_append_str(out, "\n\n");
		r = cedar_policy_print(p, out);
	}
	return r;
}

int cedar_translate_policy_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	int n_operands, direction;
	int code =
		cedar_options_parse(&cedar_translate_policy_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	direction = direction_of(&o, "cedar translate-policy");
	if (direction < 0)
		return EXIT_USAGE;
	o.is_policies_json = direction == 1;
	if (!cedar_load_policies(&in))
		return CEDAR_EXIT_FAILURE;
	if (direction == 0)
		return print(&out, cedar_policy_set_print_json(in.policies, &out));
	return print_policies(in.policies, &out) < 0 ? CEDAR_EXIT_FAILURE : print(&out, 0);
}

static int translate_schema(const struct cedar_options *o, bool from_json)
{
	_cleanup_cedar_text_ struct cedar_text text = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_diagnostics found = { 0 };
	struct cedar_schema_tree *tree = NULL;
	bool is_printable;
	struct span span;
	int r;

	if (!cedar_text_read(o->schema, "schema", &text))
		return CEDAR_EXIT_FAILURE;
	span = cedar_text_span(&text);
	r = from_json ? cedar_schema_tree_parse_json(span, &found, &tree)
		      : cedar_schema_tree_parse(span, &found, &tree);
	/* Not all that JSON can say has words in Cedar's syntax. */
	if (r == 0 && from_json)
		r = cedar_schema_tree_check_print(tree, &found);
	cedar_report(o, &found, &text, 0);
	cedar_diagnostics_done(&found);
	is_printable = r == 0;
	if (is_printable)
		r = from_json ? cedar_schema_tree_print(tree, &out)
			      : cedar_schema_tree_print_json(tree, &out);
	cedar_schema_tree_free(tree);
	return is_printable ? print(&out, r) : CEDAR_EXIT_FAILURE;
}

int cedar_translate_schema_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	int n_operands, direction;
	int code =
		cedar_options_parse(&cedar_translate_schema_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	direction = direction_of(&o, "cedar translate-schema");
	return direction < 0 ? EXIT_USAGE : translate_schema(&o, direction == 1);
}
