/*
 * The evaluator inside the room: expressions to values without allocating for
 * scalars. Everything it needs travels in struct evaluation, so that several
 * threads can evaluate the same policies.
 */
#pragma once

#include "cedar/cedar.h"

struct evaluation {
	const struct cedar_request *request;
	const struct cedar_entity_source *entities; /* NULL: no entity exists */
	struct arena *arena;
	struct cedar_eval_error *error; /* may be NULL */
	size_t depth;
};

/*
 * 0 with *ret; -EINVAL for Cedar's own evaluation errors; -ENOMEM or -EMSGSIZE
 * for ours. The latter must never count as a skipped policy.
 */
int evaluate(struct evaluation *ev, const struct cedar_expr *e,
	     struct cedar_value *ret) _must_check_;
int evaluate_bool(struct evaluation *ev, const struct cedar_expr *e, bool *ret) _must_check_;

/* Fills the error and returns -EINVAL. */
int evaluation_fail(struct evaluation *ev, const struct cedar_expr *e, const char *code,
		    const char *fmt, ...) _printf_(4, 5);
/* "type error: expected WANTED, got KIND" */
int evaluation_type_error(struct evaluation *ev, const struct cedar_expr *e, const char *wanted,
			  const struct cedar_value *got);
int evaluation_out_of_memory(struct evaluation *ev, const struct cedar_expr *e);

static inline const struct cedar_value *source_attributes(const struct cedar_entity_source *s,
							  struct cedar_entity_uid uid)
{
	return s && s->attributes ? s->attributes(s->ctx, uid) : NULL;
}

static inline const struct cedar_value *source_tags(const struct cedar_entity_source *s,
						    struct cedar_entity_uid uid)
{
	return s && s->tags ? s->tags(s->ctx, uid) : NULL;
}

/* Reflexive, unlike the source's own is_in. */
static inline bool source_is_in(const struct cedar_entity_source *s, struct cedar_entity_uid child,
				struct cedar_entity_uid parent)
{
	return cedar_uid_eq(child, parent) || (s && s->is_in && s->is_in(s->ctx, child, parent));
}
