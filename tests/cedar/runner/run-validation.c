/* What another validator says of the corpus' policies, strictly and permissively. */
#include <string.h>

#include "cedar/cedar-schema.h"
#include "cedar/cedar-validate.h"
#include "runner.h"

static void check_mode(struct runner *r, const struct cedar_policy_set *set,
		       const struct cedar_schema *schema, enum cedar_validation_mode mode,
		       bool wanted)
{
	static const char *const names[] = {
		[CEDAR_STRICT] = "strict", [CEDAR_PERMISSIVE] = "permissive"
	};
	const struct cedar_validate_options options = { .mode = mode };
	struct cedar_diagnostics diags = { 0 };
	bool ok = cedar_validate(set, schema, &options, &diags) == 0;

	(void)check(r, ok == wanted, "%s validation must %s%s%s", names[mode],
		    wanted ? "pass" : "fail", diags.len ? ": " : "",
		    diags.len ? diags.items[0].message : "");
	cedar_diagnostics_done(&diags);
}

/*
 * Its answer for a mode. The data is of a version in which "no action of the
 * schema applies to the scope" was an error; since 4.13 that is a warning.
 */
static bool passes(struct runner *r, struct json_view policy, const char *mode, const char *errors)
{
	struct json_walk w = json_walk(json_view_get(policy, errors));
	struct json_view message;
	bool passes = true;

	while (json_walk_next(&w, NULL, &message)) {
		struct span text = json_view_string(message, &r->arena);

		passes = passes &&
			 memmem(text.p, text.len, "unable to find an applicable action", 35);
	}
	return passes || json_view_is_true(json_view_get(policy, mode));
}

void run_go_validation(struct runner *r, struct json_view line)
{
	struct json_view test =
		corpus_line(r, json_view_string(json_view_get(line, "id"), &r->arena));
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
		strict = strict && passes(r, policy, "strict", "strictErrors");
		permissive = permissive && passes(r, policy, "permissive", "permissiveErrors");
	}
	if (cedar_policy_set_parse(json_view_string(json_view_get(test, "policies"), &r->arena),
				   &diags, &set) < 0 ||
	    cedar_schema_parse(json_view_string(json_view_get(test, "schema"), &r->arena), &diags,
			       &schema) < 0) {
		(void)check(r, false, "policies or schema refused: %s", diags.items[0].message);
	} else {
		check_mode(r, set, schema, CEDAR_STRICT, strict);
		check_mode(r, set, schema, CEDAR_PERMISSIVE, permissive);
	}
	cedar_schema_free(schema);
	cedar_policy_set_free(set);
	cedar_diagnostics_done(&diags);
}
