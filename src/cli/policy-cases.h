/*
 * The cases of `leash policy test`: a TOML file of [[case]] tables, each an
 * operation with one or several objects and what is expected of it.
 */
#pragma once

#include "api/operation.h"

struct policy_case {
	const char *name; /* or NULL */
	size_t line;
	const char *verb, *object; /* as written */
	struct operation operation;
	bool want_allow;
	const char *const *by; /* ids of policies that must be among those that decided */
	size_t n_by;
};

struct policy_cases_environment {
	const char *home, *cwd;
};

typedef void (*policy_case_fn)(struct policy_case *c, void *ctx);

/*
 * Calls fn for each case, one per object. A file with a mistake calls it for
 * none: the error names file, line and column.
 */
int policy_cases_each(const char *file, const struct policy_cases_environment *env,
		      policy_case_fn fn, void *ctx, struct err *err) _must_check_;
