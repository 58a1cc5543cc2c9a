/* What another validator says of the corpus' policies, strictly and permissively. */
#include "cedar/cedar-schema.h"
#include "cedar/cedar-validate.h"
#include "runner.h"

static void check_mode(struct runner *r, const struct cedar_policy_set *set, const struct cedar_schema *schema,
		       enum cedar_validation_mode mode, bool wanted)
{
	static const char *const names[] = { [CEDAR_STRICT] = "strict", [CEDAR_PERMISSIVE] = "permissive" };
	const struct cedar_validate_options options = { .mode = mode };
	struct cedar_diagnostics diags = { 0 };
	bool ok = cedar_validate(set, schema, &options, &diags) == 0;

	(void)check(r, ok == wanted, "%s validation must %s%s%s", names[mode], wanted ? "pass" : "fail",
		    diags.len ? ": " : "", diags.len ? diags.items[0].message : "");
	cedar_diagnostics_done(&diags);
}

void run_go_validation(struct runner *r, struct json_view line)
{
	struct json_view test = corpus_line(r, json_view_string(json_view_get(line, "id"), &r->arena));
	struct json_walk w = json_walk(json_view_get(line, "perPolicy"));
	struct cedar_diagnostics diags = { 0 };
	struct cedar_policy_set *set = NULL;
	struct cedar_schema *schema = NULL;
	bool strict = true, permissive = true;
	struct json_view policy;

	if (!test.raw.len) {
		skip(r, 2, "the corpus is not beside this pack");
		return;
	}
	while (json_walk_next(&w, NULL, &policy)) {
		strict = strict && json_view_is_true(json_view_get(policy, "strict"));
		permissive = permissive && json_view_is_true(json_view_get(policy, "permissive"));
	}
	if (cedar_policy_set_parse(json_view_string(json_view_get(test, "policies"), &r->arena), &diags, &set) < 0 ||
	    cedar_schema_parse(json_view_string(json_view_get(test, "schema"), &r->arena), &diags, &schema) < 0) {
		(void)check(r, false, "policies or schema refused: %s", diags.items[0].message);
	} else {
		check_mode(r, set, schema, CEDAR_STRICT, strict);
		check_mode(r, set, schema, CEDAR_PERMISSIVE, permissive);
	}
	cedar_schema_free(schema);
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
}
