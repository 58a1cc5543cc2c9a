/*
 * Validation: will these policies, under this schema, never err for want of an
 * attribute or for a wrong type, and can each of them ever apply?
 *
 * Source: Cedar's validator as of 4.13 (RFC 19 strict mode, RFC 53 enumerated
 * entities, RFC 76 levels, RFC 82 tags).
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar.h"

#pragma GCC visibility push(default)

enum cedar_validation_mode {
	CEDAR_STRICT,	  /* operands of ==, contains, sets and branches agree in type */
	CEDAR_PERMISSIVE, /* whatever cannot err */
};

struct cedar_validate_options {
	enum cedar_validation_mode mode;
	/* How many times a policy may step from entity to entity (RFC 76). */
	bool has_max_level;
	size_t max_level;
};

/*
 * Validates each policy and template. Findings are appended to diags in the
 * order of the policies, each with its policy. Returns 0 when there is no error
 * (warnings may be there), -EINVAL when there is one, -EMSGSIZE or -ENOMEM when
 * a limit was passed (also a diagnostic): then nothing is known of the rest.
 * options may be NULL: strict, without a level.
 */
int cedar_validate(const struct cedar_policy_set *set, const struct cedar_schema *schema,
		   const struct cedar_validate_options *options,
		   struct cedar_diagnostics *diags) _must_check_;

/* The same one by one, for those who load policies as they come. */
struct cedar_validator;

/* The schema must outlive the validator. NULL: no memory. */
struct cedar_validator *cedar_validator_new(const struct cedar_schema *schema,
					    const struct cedar_validate_options *options);
void cedar_validator_free(struct cedar_validator *v);
int cedar_validator_check(struct cedar_validator *v, const struct cedar_policy *p,
			  struct cedar_diagnostics *diags) _must_check_;

/* What is known of a request before it is made. */
struct cedar_request_env {
	const struct cedar_entity_type *principal;
	const struct cedar_action_type *action;
	const struct cedar_entity_type *resource;
};

/* The types of a policy's expressions under one request environment. */
struct cedar_typing;

/*
 * Types the conditions of a policy whatever its scope says. Returns 0 with
 * *ret, or -EINVAL when it does not typecheck, or -EMSGSIZE or -ENOMEM. Not
 * typed: the parts that the types show to be never evaluated. The types live as
 * long as the typing.
 */
int cedar_typecheck(const struct cedar_schema *schema, enum cedar_validation_mode mode,
		    const struct cedar_policy *p, const struct cedar_request_env *env,
		    struct cedar_typing **ret) _must_check_;
void cedar_typing_free(struct cedar_typing *t);
/* The type of an expression of that policy; NULL where it has none. */
const struct cedar_type *cedar_typing_of(const struct cedar_typing *t, const struct cedar_expr *e);

#pragma GCC visibility pop
