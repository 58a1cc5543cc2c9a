/*
 * `leash cedar link`: makes a policy of a template, and adds it to the file of
 * links that the other sub-commands read with --template-linked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "cedar/cedar-template.h"
#include "cli/cedar-links.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec options[] = {
	CEDAR_ROWS_POLICIES,
	{ "template-id", 0, "ID", "the template", CEDAR_OPTION_TEMPLATE_ID, 0 },
	{ "new-id", 'n', "ID", "the id of the new policy", CEDAR_OPTION_NEW_ID, 0 },
	{ "arguments", 'a', "JSON",
	  "what stands in the slots: {\"?principal\": UID, \"?resource\": UID}",
	  CEDAR_OPTION_ARGUMENTS, 0 },
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_link_usage = {
	.name = "cedar link",
	.arguments = "--template-id ID --new-id ID --arguments JSON --policies FILE [FLAGS]",
	.description = "Links a template: prints the new policy, and adds it to the file of "
		       "--template-linked.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash cedar link --policies policies.cedar --template-linked linked "
		    "--template-id AccessVacation \\\n"
		    "      --new-id AliceAccess --arguments '{\"?principal\": "
		    "\"User::\\\"alice\\\"\"}'\n",
};

static int link_one(struct cedar_input *in)
{
	const struct cedar_options *o = in->options;
	_cleanup_cedar_text_ struct cedar_text text = { .name = "<--arguments>" };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct cedar_link link = { .template_id = span_of(o->template_id),
				   .new_id = span_of(o->new_id) };
	struct cedar_policy *linked = NULL;
	struct err err = { 0 };

	(void)buf_append_str(&text.content, o->arguments);
	if (!cedar_links_parse_arguments(in, &text, &link))
		return CEDAR_EXIT_FAILURE;
	if (cedar_policy_set_link(in->policies, &link, &linked, &err) < 0) {
		log_error("%s", err.text);
		return CEDAR_EXIT_FAILURE;
	}
	(void)cedar_policy_print(linked, &out);
	(void)printf("Template-linked policy added: %.*s\n", (int)out.len, out.data);
	if (o->links && !cedar_links_add(o->links, &link))
		return CEDAR_EXIT_FAILURE;
	return CEDAR_EXIT_SUCCESS;
}

int cedar_link_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	int n_operands;
	int code = cedar_options_parse(&cedar_link_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	if (!o.template_id || !o.new_id || !o.arguments) {
		log_error("cedar link: --template-id, --new-id and --arguments are needed");
		return EXIT_USAGE;
	}
	if (!cedar_load_policies(&in) || !cedar_load_links(&in, /* may_lack = */ true))
		return CEDAR_EXIT_FAILURE;
	return link_one(&in);
}
