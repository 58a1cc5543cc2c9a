/*
 * Makes the decision image of a policy.
 */
#pragma once

#include "policy/image-clauses.h"

/*
 * Appends the image to out, which must be empty. outcomes, if not NULL, has
 * room for one per rule. -EBADMSG where the policies cannot be read; -E2BIG where no image can be
 * made: everything is then left to the evaluator.
 */
int image_build(const struct policy *p, struct clause_outcome *outcomes, struct buf *out) _must_check_;
/* The checksum that an image of these bytes, at least a header, must carry. */
uint64_t image_checksum(struct span bytes);
