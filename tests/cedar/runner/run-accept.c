/* Inputs that must be accepted or refused: policies, schemas in both forms, entities. */
#include "cedar/cedar-json.h"
#include "cedar/cedar-schema.h"
#include "runner.h"

static bool accepts_policies(struct span text, struct cedar_diagnostics *diags)
{
	struct cedar_policy_set *set = NULL;
	bool ok = cedar_policy_set_parse(text, diags, &set) == 0;

	cedar_policy_set_free(set);
	return ok;
}

static bool accepts_schema(struct span text, bool is_json, struct cedar_diagnostics *diags)
{
	struct cedar_schema *schema = NULL;
	bool ok = (is_json ? cedar_schema_parse_json(text, diags, &schema)
			   : cedar_schema_parse(text, diags, &schema)) == 0;

	cedar_schema_free(schema);
	return ok;
}

/* With a schema where the line has one. */
static bool accepts_entities(struct span text, struct span schema_text,
			     struct cedar_diagnostics *diags)
{
	struct cedar_entities *entities = NULL;
	struct cedar_schema *schema = NULL;
	bool ok = !schema_text.len || cedar_schema_parse(schema_text, diags, &schema) == 0;

	ok = ok && cedar_entities_parse_json(text, schema, diags, &entities) == 0;
	cedar_entities_free(entities);
	cedar_schema_free(schema);
	return ok;
}

void run_accept(struct runner *r, struct json_view line)
{
	struct span kind = json_view_string(json_view_get(line, "kind"), &r->arena);
	struct span text = json_view_string(json_view_get(line, "input"), &r->arena);
	struct span schema = json_view_string(json_view_get(line, "schema"), &r->arena);
	bool wanted = json_view_is_true(json_view_get(line, "ok"));
	struct cedar_diagnostics diags = { 0 };
	bool ok;

	if (span_eq_str(kind, "policy"))
		ok = accepts_policies(text, &diags);
	else if (span_eq_str(kind, "schema") || span_eq_str(kind, "schemaJson"))
		ok = accepts_schema(text, span_eq_str(kind, "schemaJson"), &diags);
	else
		ok = accepts_entities(text, schema, &diags);
	(void)check(r, ok == wanted && (ok || diags.n_errors), "%.*s must be %s%s: %.*s%s%s",
		    SPAN_ARG(kind), wanted ? "accepted" : "refused",
		    ok || diags.n_errors ? "" : " with a reason", SPAN_ARG(text),
		    diags.len ? "\n  " : "", diags.len ? diags.items[0].message : "");
	cedar_diagnostics_done(&diags);
}
