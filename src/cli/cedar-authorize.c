/*
 * `leash cedar authorize`: one decision. Prints ALLOW or DENY, then the errors
 * of policies that were skipped.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/cedar-load.h"
#include "cli/cedar-private.h"
#include "cli/command.h"

static const struct option_spec options[] = {
	CEDAR_ROWS_REQUEST,
	CEDAR_ROW_REQUEST_VALIDATION,
	CEDAR_ROWS_POLICIES,
	CEDAR_ROWS_SCHEMA,
	CEDAR_ROWS_ENTITIES,
	{ "verbose", 'v', NULL, "name the policies that decided, and show where policies erred",
	  CEDAR_OPTION_VERBOSE, 0 },
	CEDAR_ROW_TIMING,
	CEDAR_ROWS_COMMON,
};

const struct usage cedar_authorize_usage = {
	.name = "cedar authorize",
	.arguments = "--principal UID --action UID --resource UID --policies FILE --entities FILE "
		     "[FLAGS]",
	.description = "Decides a request and prints ALLOW or DENY. Ends with 0 for allow, 2 for "
		       "deny, and 1 when\n"
		       "something cannot be read.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash cedar authorize --principal 'User::\"alice\"' --action "
		    "'Action::\"view\"' \\\n"
		    "      --resource 'Photo::\"a.jpg\"' --policies policies.cedar --entities "
		    "entities.json\n"
		    "  leash cedar authorize --request-json request.json --policies - --entities "
		    "entities.json -v\n",
};

static void print_errors(const struct cedar_input *in, const struct cedar_response *response)
{
	struct cedar_positions positions = { .text = cedar_text_span(&in->policy_text) };

	for (size_t i = 0; i < response->n_errors; i++) {
		const struct cedar_policy_error *e = &response->errors[i];

		(void)printf("%serror while evaluating policy `%.*s`: %s\n", i ? "" : "\n",
			     SPAN_ARG(e->policy->id), e->error.message);
		if (in->options->is_verbose && !in->options->is_policies_json)
			cedar_report_in(in->options,
					&(struct cedar_diagnostic){ .severity = CEDAR_WARNING,
								    .code = e->error.code,
								    .range = e->error.range,
								    .message = e->error.message },
					in->policy_text.name, &positions);
	}
	cedar_positions_done(&positions);
}

static void print_reasons(const struct cedar_response *response)
{
	if (response->n_reasons == 0) {
		(void)printf("\nnote: no policies applied to this request\n");
		return;
	}
	(void)printf("\nnote: this decision was due to the following policies:\n");
	for (size_t i = 0; i < response->n_reasons; i++)
		(void)printf("  %.*s\n", SPAN_ARG(response->reasons[i]->id));
	(void)printf("\n");
}

static int decide(struct cedar_input *in)
{
	struct cedar_entity_source source = cedar_entities_source(in->entities);
	struct cedar_response response = { 0 };
	uint64_t began = clock_monotonic_ns();
	int r = cedar_authorize(in->policies, &in->request, &source, &in->arena, &response);
	uint64_t took = clock_monotonic_ns() - began;

	if (r < 0) {
		log_error("the decision needs too much memory or nests too deeply");
		return CEDAR_EXIT_FAILURE;
	}
	if (in->options->want_timing)
		(void)printf("Authorization Time (micro seconds) : %llu\n",
			     (unsigned long long)(took / 1000));
	(void)printf("%s\n", response.allow ? "ALLOW" : "DENY");
	print_errors(in, &response);
	if (in->options->is_verbose)
		print_reasons(&response);
	return response.allow ? CEDAR_EXIT_SUCCESS : CEDAR_EXIT_DENY;
}

int cedar_authorize_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	bool is_good;
	int n_operands;
	int code = cedar_options_parse(&cedar_authorize_usage, argc, argv, 0, &o, &n_operands);

	if (code >= 0)
		return code;
	if (!o.entities) {
		log_error("cedar authorize: --entities FILE is missing; a file with [] has none");
		return EXIT_USAGE;
	}
	(void)printf("\n");
	/* All that is wrong, not just the first. */
	is_good = cedar_load_policies(&in) && cedar_load_links(&in, false);
	is_good = cedar_load_schema(&in) && cedar_load_entities(&in) && cedar_load_request(&in) &&
		  is_good;
	return is_good ? decide(&in) : CEDAR_EXIT_FAILURE;
}
