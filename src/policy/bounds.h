/*
 * Where a policy can hold, as far as literals tell: a condition bounds it by
 * places outside of which the condition is false. What is not understood
 * bounds nothing.
 */
#pragma once

#include "base/vec.h"
#include "cedar/cedar.h"

struct bound {
	struct span text; /* no final slash unless "/"; points into the policy's tree */
	bool is_file;	  /* the place is this name alone, else the directory and all below */
};

struct bounds {
	VEC(struct bound) places;
	bool is_bounded;
};

enum bounds_reading {
	/* Outside of the places the policy is not satisfied. */
	BOUNDS_OF_TRUTH,
	/* Outside of the places the policy is not satisfied and does not err. */
	BOUNDS_OF_EVALUATION,
};

/* For requests about files; a policy about other resources is bounded by no place at all. */
struct bounds policy_bounds(const struct cedar_policy *p, enum bounds_reading reading);
void bounds_done(struct bounds *b);
