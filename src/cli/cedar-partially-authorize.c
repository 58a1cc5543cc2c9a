/*
 * `leash cedar partially-authorize`: a decision when not everything is known.
 * Principal and resource may be given by their type alone, the context not at
 * all; entities that are not in the file are unknown, not missing.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cedar/cedar-partial.h"
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

/* A type whose name can be left out: the only one that the action has. */
static bool only_type(const struct cedar_entity_type *const *types, size_t n, const char *what,
		      struct span *ret)
{
	if (n != 1) {
		log_error("the %s is not known, and the action has %zu types for it; "
			  "give --%s or --%s-type",
			  what, n, what, what);
		return false;
	}
	*ret = types[0]->name;
	return true;
}

struct subject {
	const char *what; /* "principal" */
	const char *flag;
	const char *uid, *type, *id;
	const struct cedar_entity_type *const *types; /* that the action has for it */
	size_t n_types;
};

/* From "Type::\"id\"", or from type and id, or from the action alone. */
static bool load_subject(struct cedar_input *in, const struct cedar_given *given,
			 const struct subject *s, struct cedar_partial_uid *ret)
{
	struct cedar_entity_uid known;

	if (s->uid && s->type) {
		log_error("give --%s or --%s-type, not both", s->what, s->what);
		return false;
	}
	if (s->uid) {
		if (!cedar_given_uid(in, given, s->uid, s->flag, &known))
			return false;
		*ret = (struct cedar_partial_uid){ known.type, true, known.id };
		return true;
	}
	*ret = (struct cedar_partial_uid){ span_of(s->type), s->id != NULL, span_of(s->id) };
	return s->type || only_type(s->types, s->n_types, s->what, &ret->type);
}

static bool load_given(struct cedar_input *in, const struct cedar_given *given,
		       struct cedar_partial_request *ret)
{
	static const struct cedar_action_type unknown;
	const struct cedar_action_type *action;

	if (!given->action) {
		log_error("the action must be known: give --action UID");
		return false;
	}
	if (!cedar_given_uid(in, given, given->action, "<--action>", &in->request.action))
		return false;
	if (given->has_context && !cedar_given_context(in, given, /* has_action = */ true))
		return false;
	action = cedar_schema_action(in->schema, in->request.action);
	if (!action)
		action = &unknown; /* the evaluation says so */
	ret->action = in->request.action;
	ret->context = in->request.context;
	return load_subject(in, given,
			    &(struct subject){ "principal", "<--principal>", given->principal,
					       given->principal_type, given->principal_eid,
					       action->principals, action->n_principals },
			    &ret->principal) &&
	       load_subject(in, given,
			    &(struct subject){ "resource", "<--resource>", given->resource,
					       given->resource_type, given->resource_eid,
					       action->resources, action->n_resources },
			    &ret->resource);
}

/* Policies that are decided whatever the rest is are not shown. */
static void print_residuals(const struct cedar_partial_response *response)
{
	(void)printf("UNKNOWN\nAll policy residuals:\n");
	for (size_t i = 0; i < response->n_residuals; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		if (response->residuals[i].kind != CEDAR_RESIDUAL_OPEN)
			continue;
		(void)cedar_policy_print(response->residuals[i].policy, &text);
		(void)printf("%.*s\n", (int)text.len, text.data);
	}
}

static int decide(struct cedar_input *in, const struct cedar_partial_request *request)
{
	struct cedar_partial_source source = cedar_partial_entities(in->entities);
	struct cedar_partial_response response = { 0 };
	uint64_t began = clock_monotonic_ns();
	struct err err = { 0 };
	int r = cedar_partial_authorize(in->policies, in->schema, request, &source, &in->arena,
					&response, &err);

	if (r < 0) {
		log_error("%s", err.text);
		return CEDAR_EXIT_FAILURE;
	}
	if (in->options->want_timing)
		(void)printf("Authorization Time (micro seconds) : %llu\n",
			     (unsigned long long)((clock_monotonic_ns() - began) / 1000));
	if (response.decision == CEDAR_PARTIAL_UNKNOWN) {
		print_residuals(&response);
		return CEDAR_EXIT_UNKNOWN;
	}
	(void)printf("%s\n", response.decision == CEDAR_PARTIAL_ALLOW ? "ALLOW" : "DENY");
	return response.decision == CEDAR_PARTIAL_ALLOW ? CEDAR_EXIT_SUCCESS : CEDAR_EXIT_DENY;
}

int cedar_partially_authorize_main(int argc, char **argv)
{
	struct cedar_options o = CEDAR_OPTIONS_INIT;
	_cleanup_cedar_input_ struct cedar_input in = { .options = &o };
	_cleanup_cedar_given_ struct cedar_given given = { 0 };
	struct cedar_partial_request request = { 0 };
	bool is_good;
	int n_operands;
	int code = cedar_options_parse(&cedar_partially_authorize_usage, argc, argv, 0, &o,
				       &n_operands);

	if (code >= 0)
		return code;
	if (!o.schema) {
		log_error("cedar partially-authorize: --schema FILE is missing");
		return EXIT_USAGE;
	}
	(void)printf("\n");
	is_good = cedar_load_policies(&in) && cedar_load_links(&in, false);
	is_good = cedar_load_schema(&in) && cedar_load_entities(&in) && is_good;
	if (!is_good)
		return CEDAR_EXIT_FAILURE;
	if (!cedar_given_read(&in, &given) || !load_given(&in, &given, &request))
		return CEDAR_EXIT_FAILURE;
	return decide(&in, &request);
}
