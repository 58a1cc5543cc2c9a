/*
 * The shapes of leash's earlier API: its "file" is the layer that the user
 * edits, its "runtime" the session's own layer, its permit-all the record mode.
 */
#pragma once

#include "api/private.h"

/* The members of the earlier answer to every change. */
void earlier_json(struct api *a, struct json_writer *w);
/* policies_answer_fn: that answer. */
void earlier_answer(struct api_call *c, uint64_t generation, double ms);
/* Appends the policy that {effect, action} asks for. False: answered. */
bool earlier_from_action(struct api_call *c, const struct json *effect, const struct json *action,
			 struct buf *out) _must_check_;
