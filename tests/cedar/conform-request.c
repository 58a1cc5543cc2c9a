#include "conform-request.h"

#include <stdio.h>

#include "cedar-json.h"
#include "cedar/cedar-conform.h"

static bool has_id(const json_t *ids, struct span id)
{
	for (size_t i = 0; i < json_array_size(ids); i++)
		if (span_eq(corpus_string(json_array_get(ids, i)), id))
			return true;
	return false;
}

static bool same_response(const struct cedar_response *r, const json_t *wanted)
{
	const json_t *reasons = json_object_get(wanted, "reason");
	const json_t *errors = json_object_get(wanted, "errors");
	struct span decision = corpus_string(json_object_get(wanted, "decision"));

	if (r->allow != span_eq(decision, SPAN("allow")) ||
	    r->n_reasons != json_array_size(reasons) || r->n_errors != json_array_size(errors))
		return false;
	for (size_t i = 0; i < r->n_reasons; i++)
		if (!has_id(reasons, r->reasons[i]->id))
			return false;
	for (size_t i = 0; i < r->n_errors; i++)
		if (!has_id(errors, r->errors[i].policy->id))
			return false;
	return true;
}

static bool conforms(const struct cedar_schema *schema, const struct cedar_request *request,
		     const json_t *j)
{
	struct err err = { 0 };

	if (!json_is_true(json_object_get(j, "validateRequest")) ||
	    cedar_request_conform(schema, request, &err) == 0)
		return true;
	(void)printf("%s\n", err.text);
	return false;
}

static bool check(const struct cedar_policy_set *set, const struct cedar_schema *schema,
		  struct cedar_entities *entities, const json_t *j)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_entity_source source = cedar_entities_source(entities);
	struct cedar_request request = { 0 };
	struct cedar_response response;

	return cedar_json_request(j, schema, &arena, &request) && conforms(schema, &request, j) &&
	       cedar_authorize(set, &request, &source, &arena, &response) == 0 &&
	       same_response(&response, j);
}

size_t conform_requests(struct span policies, struct span schema_text, const json_t *entities,
			const json_t *requests, size_t *ret_n)
{
	_cleanup_(cleanup_schema) struct cedar_schema *schema = cedar_json_schema(schema_text);
	_cleanup_(cleanup_entities) struct cedar_entities *store =
		schema ? cedar_json_entities(entities, schema) : NULL;
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	size_t n_different = 0;
	int r = cedar_policy_set_parse(policies, &diags, &set);

	*ret_n = json_array_size(requests);
	cedar_diagnostics_done(&diags);
	if (r < 0 || !store) {
		cedar_policy_set_free(set);
		return *ret_n;
	}
	for (size_t i = 0; i < *ret_n; i++)
		if (!check(set, schema, store, json_array_get(requests, i)))
			n_different++;
	cedar_policy_set_free(set);
	return n_different;
}
