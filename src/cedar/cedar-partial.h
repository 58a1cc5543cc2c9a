/*
 * Partial evaluation: what can be said of a request while parts of it are not
 * known, and what is left of each policy to decide the rest.
 *
 * The action is always known. Of principal and resource at least the types are;
 * the context is known or not as a whole; so is each of an entity's attributes,
 * ancestors and tags. An entity that the source does not know is unknown, not
 * missing. Types guide the evaluation, so there is a schema, and the policies
 * must be valid under it (strict mode).
 *
 * Source: RFC 95 (type-aware partial evaluation), Cedar 4.13.
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar.h"

#pragma GCC visibility push(default)

struct cedar_partial_uid {
	struct span type;
	bool has_id; /* else only the type is known */
	struct span id;
};

struct cedar_partial_request {
	struct cedar_partial_uid principal, resource;
	struct cedar_entity_uid action;
	const struct cedar_value *context; /* a record; NULL: unknown */
};

/*
 * Where entities are asked about. Each function returns false where that is not
 * known. All must answer alike during one evaluation. Actions need not be
 * there: their hierarchy is the schema's.
 */
struct cedar_partial_source {
	void *ctx;
	/* Is child a proper descendant of parent? */
	bool (*is_in)(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent,
		      bool *ret);
	/* A record. */
	bool (*attributes)(void *ctx, struct cedar_entity_uid uid, const struct cedar_value **ret);
	/* A record, NULL for none. */
	bool (*tags)(void *ctx, struct cedar_entity_uid uid, const struct cedar_value **ret);
};

/*
 * Attributes and ancestors of the entities in the store are known, tags where the entity was given any
 * (be it none of them); nothing is known of other entities.
 */
struct cedar_partial_source cedar_partial_entities(struct cedar_entities *e);

enum cedar_residual_kind {
	CEDAR_RESIDUAL_FALSE, /* never satisfied */
	CEDAR_RESIDUAL_TRUE,  /* satisfied whatever the rest is */
	CEDAR_RESIDUAL_ERROR, /* errs, or is false, whatever the rest is: never satisfied */
	CEDAR_RESIDUAL_OPEN,  /* depends on the rest: see the condition */
};

struct cedar_residual {
	const struct cedar_policy *of; /* the policy that was evaluated */
	enum cedar_residual_kind kind;
	/*
	 * The same policy with nothing left in its scope and one condition: `true`,
	 * `false`, what is left, or a call of a function `error`, which no text can
	 * have, where evaluation must fail. Known values are written out. It prints
	 * as text and as JSON; as any policy it can be evaluated.
	 */
	const struct cedar_policy *policy;
	const struct cedar_expr *condition; /* of that policy */
};

enum cedar_partial_decision {
	CEDAR_PARTIAL_DENY = 0, /* zeroed memory denies */
	CEDAR_PARTIAL_UNKNOWN,
	CEDAR_PARTIAL_ALLOW,
};

struct cedar_partial_response {
	enum cedar_partial_decision decision;
	struct cedar_residual *residuals; /* of each policy that is no template, in set order */
	size_t n_residuals;
};

/*
 * Everything in *ret lives in the arena or in the set. Returns 0; -EINVAL when
 * the request does not fit the schema or a policy is not valid (err says
 * which); -ENOMEM or -EMSGSIZE past a limit: deny then.
 */
int cedar_partial_authorize(const struct cedar_policy_set *set, const struct cedar_schema *schema,
			    const struct cedar_partial_request *request,
			    const struct cedar_partial_source *source, struct arena *arena,
			    struct cedar_partial_response *ret, struct err *err) _must_check_;

/*
 * Decides the rest: the residuals under the whole request, which must agree
 * with what was known. Reasons and errors name the policies that were evaluated
 * first. Errors as from cedar_authorize.
 */
int cedar_partial_complete(const struct cedar_partial_response *response,
			   const struct cedar_request *request,
			   const struct cedar_entity_source *entities, struct arena *arena,
			   struct cedar_response *ret) _must_check_;

#pragma GCC visibility pop
