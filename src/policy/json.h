/*
 * What there is to say of policies, as JSON: the same in what `leash policy` prints
 * with --json and in what the API answers. Each writes its keys into an object that
 * is open.
 */
#pragma once

#include "base/json-writer.h"
#include "policy/policy.h"

/* All but its offsets, which only a reader who has the text can use. */
void policy_json_finding(struct json_writer *w, const struct policy_finding *f);
/* id, layer, effect, file, line, text. */
void policy_json_item(struct json_writer *w, const struct policy_item *item);
/* decision and policies. */
void policy_json_decision(struct json_writer *w, const struct policy_decision *d);
/* The same and how it came to be, as far as there is memory to find that out. */
void policy_json_explanation(struct json_writer *w, const struct policy *p,
			     const struct policy_request *r, const struct policy_decision *d);
