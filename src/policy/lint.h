/*
 * Findings of leash's own reading of a policy, beside Cedar's syntax errors
 * and the validator's, in the same form so that all print alike.
 */
#pragma once

#include "base/limits.h"
#include "base/map.h"
#include "base/vec.h"
#include "cedar/cedar.h"
#include "policy/policy.h"

/* A directory that a path names. */
struct known_dir {
	char *path;	/* where it is */
	bool is_absent; /* it does not exist, so nothing below it does */
};

struct lint {
	const struct policy_environment *env;
	enum policy_layer layer;
	const struct cedar_policy *policy; /* the one being read; its id is the one people see */
	bool is_permit;			   /* of the policy being read */
	bool is_negated;     /* what is being read must not hold for the policy to apply */
	struct arena *arena; /* messages, and what rewriting allocates */
	VEC(struct cedar_diagnostic) found; /* at most LIMIT_CEDAR_DIAGNOSTICS of each severity */
	size_t n_errors, n_warnings;
	struct map dirs; /* directory as written to struct known_dir, for those already resolved */
};

/* suggestion may be NULL; both texts are copied. */
void lint_add(struct lint *l, enum cedar_severity severity, const char *code,
	      struct cedar_range range, const char *suggestion, const char *fmt, ...)
	_printf_(6, 7);
/* Forgets the warnings about a place of the policy being read: an error there says more. */
void lint_drop_warnings(struct lint *l, struct cedar_range range);
/* There are more errors than are shown. */
static inline bool lint_is_full(const struct lint *l)
{
	return l->n_errors > LIMIT_CEDAR_DIAGNOSTICS;
}

/* Was that found about the policy being read? */
bool lint_has(const struct lint *l, const char *code);
void lint_done(struct lint *l);
/* A string in the lint's arena; never NULL. */
const char *lint_text(struct lint *l, const char *fmt, ...) _printf_(2, 3);

/* Where findings go. */
struct lint_sink {
	const char *file;
	struct cedar_positions *text; /* of the file */
	bool color;
	struct buf *report;	      /* for people */
	struct policy_findings *list; /* for programs; or NULL */
};

/* Hands all findings on in source order and forgets them. */
int lint_print(struct lint *l, const struct lint_sink *sink);
/* One finding into the sink's list, which there must be. */
void lint_list_one(const struct cedar_diagnostic *d, const struct lint_sink *sink);
/* One finding, with code and policy id. */
int lint_print_one(const struct cedar_diagnostic *d, const struct lint_sink *sink);
