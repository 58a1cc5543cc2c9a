/* Inputs that must be accepted or refused: policies, schemas in both forms, entities. */
#include "cedar/cedar.h"
#include "runner.h"

static bool accepts_policies(struct span text, struct cedar_diagnostics *diags)
{
	struct cedar_policy_set *set = NULL;
	bool ok = cedar_policy_set_parse(text, diags, &set) == 0;

	cedar_policy_set_free(set);
	return ok;
}

void run_accept(struct runner *r, struct json_view line)
{
	struct span kind = json_view_string(json_view_get(line, "kind"), &r->arena);
	struct span text = json_view_string(json_view_get(line, "input"), &r->arena);
	bool wanted = json_view_is_true(json_view_get(line, "ok"));
	struct cedar_diagnostics diags = { 0 };
	bool ok;

	if (span_eq_str(kind, "policy")) {
		ok = accepts_policies(text, &diags);
	} else {
		skip(r, 1, "not a policy");
		return;
	}
	(void)check(r, ok == wanted, "%.*s must be %s: %.*s%s%s", SPAN_ARG(kind),
		    wanted ? "accepted" : "refused", SPAN_ARG(text), diags.len ? "\n  " : "",
		    diags.len ? diags.items[0].message : "");
	if (!ok && diags.n_errors == 0)
		(void)check(r, false, "refused without a reason: %.*s", SPAN_ARG(text));
	cedar_diagnostics_done(&diags);
}
