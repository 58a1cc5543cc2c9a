/*
 * Expressions from JSON, for the readers of policies and single expressions.
 */
#pragma once

#include "cedar/json-read.h"

/* NULL after a finding. */
struct cedar_expr *json_read_expr(struct json_reader *r, const struct json *j, bool allow_slots);
