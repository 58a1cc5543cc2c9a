/*
 * leash's reading of a parsed policy: checks names and literals against the
 * schema and rewrites the tree so that plain Cedar evaluation of it over the
 * entity graph means what was written (03-policy: "Operations are Cedar
 * requests"). Everything found goes to the lint; a policy with errors is left
 * half rewritten and must not be used.
 */
#pragma once

#include "policy/lint.h"

void policy_rewrite(struct lint *l, struct cedar_policy *p);
