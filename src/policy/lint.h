/*
 * Findings of leash's own reading of a policy, beside Cedar's syntax errors,
 * in the same form so that both print alike.
 */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "cedar/cedar.h"
#include "policy/policy.h"

struct lint {
	const struct policy_environment *env;
	enum policy_layer layer;
	bool is_permit;	     /* the policy being read */
	struct arena *arena; /* messages, and what rewriting allocates */
	VEC(struct cedar_diagnostic) found;
	size_t n_errors;
	struct map parents; /* directory as written to where it is, for those already resolved */
};

/* suggestion may be NULL; both texts are copied. */
void lint_add(struct lint *l, enum cedar_severity severity, const char *code,
	      struct cedar_range range, const char *suggestion, const char *fmt, ...)
	_printf_(6, 7);
/* Prints all findings in source order and forgets them. */
int lint_print(struct lint *l, const char *file, struct span text, bool color, struct buf *report);
void lint_done(struct lint *l);
/* A string in the lint's arena; never NULL. */
const char *lint_text(struct lint *l, const char *fmt, ...) _printf_(2, 3);
