/*
 * Validation of policies, as leash reads them, against leash's schema in
 * Cedar's strict mode.
 */
#pragma once

#include "policy/lint.h"

struct policy_validator;

struct policy_validator *policy_validator_new(void);
void policy_validator_free(struct policy_validator *v);
/* What is wrong with the rewritten policy goes to the lint. */
void policy_validate(struct policy_validator *v, struct lint *l, const struct cedar_policy *p);
