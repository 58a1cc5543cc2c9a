/*
 * Texts put into the program when it is built: the built-in profiles
 * (profiles/) and leash's schema.
 */
#pragma once

#include "base/span.h"

struct profile {
	const char *name;
	struct span text;
};

extern const struct profile profiles[];
extern const size_t n_profiles;

/* leash.cedarschema. */
extern const struct span policy_schema_text;
