/*
 * What a policy speaks of, wherever it stands: also in code that is never
 * evaluated. Types and actions that the schema lacks, ids that an enumerated
 * type does not have, deceiving text; and which variables the conditions use.
 */
#pragma once

#include "cedar/findings.h"

struct survey {
	bool uses[CEDAR_CONTEXT + 1]; /* by variable, in conditions */
	bool is_limited;
};

void survey_policy(const struct cedar_schema *s, const struct cedar_policy *p, struct findings *f,
		   struct survey *ret);

/* Action, or a namespace's Action. */
static inline bool survey_is_action_type(struct span type)
{
	return span_eq(type, SPAN("Action")) || span_ends_with(type, SPAN("::Action"));
}
