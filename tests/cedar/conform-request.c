#include "conform-request.h"

#include <stdio.h>

#include "cedar-json.h"
#include "cedar/cedar-conform.h"
#include "cedar/cedar-program.h"

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

/* The compiled policies must say what the tree says, ranges of errors included. */
static bool same_as_tree(const struct cedar_response *a, const struct cedar_response *b)
{
	if (a->allow != b->allow || a->n_reasons != b->n_reasons || a->n_errors != b->n_errors)
		return false;
	for (size_t i = 0; i < a->n_reasons; i++)
		if (a->reasons[i] != b->reasons[i])
			return false;
	for (size_t i = 0; i < a->n_errors; i++) {
		const struct cedar_policy_error *x = &a->errors[i];
		const struct cedar_policy_error *y = &b->errors[i];

		if (x->policy != y->policy || strcmp(x->error.code, y->error.code) != 0 ||
		    x->error.range.begin != y->error.range.begin ||
		    x->error.range.end != y->error.range.end)
			return false;
	}
	return true;
}

struct subject {
	struct cedar_policy_set *set;
	struct cedar_schema *schema;
	struct cedar_entities *entities;
	struct cedar_program *program;
	struct cedar_store *store;
	struct cedar_machine *machine;
};

static void cleanup_subject(struct subject *s)
{
	cedar_machine_free(s->machine);
	cedar_store_free(s->store);
	cedar_program_free(s->program);
	cedar_entities_free(s->entities);
	cedar_schema_free(s->schema);
	cedar_policy_set_free(s->set);
}

static bool check_program(const struct subject *s, const struct cedar_request *request,
			  const struct cedar_response *wanted)
{
	struct cedar_response response;
	bool allow;

	return cedar_program_authorize(s->store, request, NULL, s->machine, &response) == 0 &&
	       same_as_tree(&response, wanted) &&
	       cedar_program_decide(s->store, request, NULL, s->machine, &allow) == 0 &&
	       allow == wanted->allow &&
	       cedar_program_decide_by_scan(s->store, request, NULL, s->machine, &allow) == 0 &&
	       allow == wanted->allow;
}

static bool check(const struct subject *s, const json_t *j)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(0);
	struct cedar_entity_source source = cedar_entities_source(s->entities);
	struct cedar_request request = { 0 };
	struct cedar_response response;

	return cedar_json_request(j, s->schema, &arena, &request) &&
	       conforms(s->schema, &request, j) &&
	       cedar_authorize(s->set, &request, &source, &arena, &response) == 0 &&
	       same_response(&response, j) && check_program(s, &request, &response);
}

static bool prepare(struct subject *s, struct span policies, struct span schema_text,
		    const json_t *entities)
{
	struct cedar_diagnostics diags = { 0 };
	struct err err = { 0 };
	int r = cedar_policy_set_parse(policies, &diags, &s->set);

	cedar_diagnostics_done(&diags);
	s->schema = cedar_json_schema(schema_text);
	s->entities = s->schema ? cedar_json_entities(entities, s->schema) : NULL;
	s->machine = cedar_machine_new(0);
	return r == 0 && s->entities && cedar_program_compile(s->set, &s->program, &err) == 0 &&
	       cedar_store_new(s->program, s->entities, &s->store, &err) == 0;
}

size_t conform_requests(struct span policies, struct span schema_text, const json_t *entities,
			const json_t *requests, size_t *ret_n)
{
	_cleanup_(cleanup_subject) struct subject s = { 0 };
	size_t n_different = 0;

	*ret_n = json_array_size(requests);
	if (!prepare(&s, policies, schema_text, entities))
		return *ret_n;
	for (size_t i = 0; i < *ret_n; i++)
		if (!check(&s, json_array_get(requests, i)))
			n_different++;
	return n_different;
}
