/*
 * The built-in profiles: Cedar texts of profiles/, put into the program when
 * it is built.
 */
#pragma once

#include "base/span.h"

struct profile {
	const char *name;
	struct span text;
};

extern const struct profile profiles[];
extern const size_t n_profiles;
