/*
 * Cedar's authorization. Scopes first, for they are cheap and cannot err; a
 * condition is evaluated only where the scope matches. What runs out of memory
 * or depth fails the whole request: to skip a forbid would allow.
 */
#include <errno.h>

#include "cedar/evaluate.h"
#include "cedar/policy-set.h"

static bool scope_matches(const struct cedar_scope *s, struct cedar_entity_uid uid,
			  const struct cedar_entity_source *entities)
{
	if (s->is_slot)
		return false;
	switch (s->op) {
	case CEDAR_SCOPE_ANY:
		return true;
	case CEDAR_SCOPE_EQ:
		return cedar_uid_eq(uid, s->uids[0]);
	case CEDAR_SCOPE_IS:
		return span_eq(uid.type, s->type_name);
	case CEDAR_SCOPE_IS_IN:
		if (!span_eq(uid.type, s->type_name))
			return false;
		break;
	case CEDAR_SCOPE_IN:
		break;
	}
	for (size_t i = 0; i < s->n_uids; i++)
		if (source_is_in(entities, uid, s->uids[i]))
			return true;
	return false;
}

bool cedar_policy_scope_matches(const struct cedar_policy *p, const struct cedar_request *r,
				const struct cedar_entity_source *entities)
{
	return scope_matches(&p->action, r->action, entities) &&
	       scope_matches(&p->principal, r->principal, entities) &&
	       scope_matches(&p->resource, r->resource, entities);
}

/* 0 with *ret; or as evaluate(). */
static int evaluate_policy(struct evaluation *ev, const struct cedar_policy *p, bool *ret)
{
	bool is_satisfied =
		!p->is_template && cedar_policy_scope_matches(p, ev->request, ev->entities);

	for (size_t i = 0; is_satisfied && i < p->n_conditions; i++) {
		bool b;
		int r = evaluate_bool(ev, p->conditions[i].body, &b);

		if (r < 0)
			return r;
		is_satisfied = b != p->conditions[i].is_unless;
	}
	*ret = is_satisfied;
	return 0;
}

enum cedar_effect_result cedar_policy_eval(const struct cedar_policy *p,
					   const struct cedar_request *r,
					   const struct cedar_entity_source *entities,
					   struct arena *arena, struct cedar_eval_error *error)
{
	struct evaluation ev = {
		.request = r, .entities = entities, .arena = arena, .error = error
	};
	bool is_satisfied;

	if (evaluate_policy(&ev, p, &is_satisfied) < 0)
		return CEDAR_ERRED;
	return is_satisfied ? CEDAR_SATISFIED : CEDAR_NOT_SATISFIED;
}

/* What is known while the policies are gone through. */
struct tally {
	const struct cedar_policy **permits, **forbids;
	size_t n_permits, n_forbids;
	struct cedar_policy_error *errors;
	size_t n_errors;
};

static int add_reason(struct arena *arena, size_t n_policies, const struct cedar_policy *p,
		      struct tally *t)
{
	const struct cedar_policy ***list = p->is_forbid ? &t->forbids : &t->permits;
	size_t *n = p->is_forbid ? &t->n_forbids : &t->n_permits;

	if (!*list)
		*list = arena_alloc_array(arena, n_policies, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	(*list)[(*n)++] = p;
	return 0;
}

static int add_error(struct arena *arena, size_t n_policies, const struct cedar_policy *p,
		     const struct cedar_eval_error *error, struct tally *t)
{
	if (!t->errors)
		t->errors = arena_alloc_array(arena, n_policies, sizeof(*t->errors));
	if (!t->errors)
		return -ENOMEM;
	t->errors[t->n_errors++] = (struct cedar_policy_error){ p, *error };
	return 0;
}

static int tally_policy(struct evaluation *ev, const struct cedar_policy_set *set,
			const struct cedar_policy *p, struct tally *t)
{
	bool is_satisfied;
	int r = evaluate_policy(ev, p, &is_satisfied);

	if (r == -EINVAL)
		return add_error(ev->arena, set->len, p, ev->error, t);
	if (r < 0)
		return r;
	return is_satisfied ? add_reason(ev->arena, set->len, p, t) : 0;
}

int cedar_authorize(const struct cedar_policy_set *set, const struct cedar_request *r,
		    const struct cedar_entity_source *entities, struct arena *arena,
		    struct cedar_response *ret)
{
	struct cedar_eval_error error = { 0 };
	struct evaluation ev = {
		.request = r, .entities = entities, .arena = arena, .error = &error
	};
	struct tally t = { 0 };

	*ret = (struct cedar_response){ 0 };
	for (size_t i = 0; i < set->len; i++) {
		int code = tally_policy(&ev, set, set->policies[i], &t);

		if (code < 0)
			return code;
	}
	ret->allow = t.n_forbids == 0 && t.n_permits > 0;
	ret->reasons = t.n_forbids ? t.forbids : t.permits;
	ret->n_reasons = t.n_forbids ? t.n_forbids : t.n_permits;
	ret->errors = t.errors;
	ret->n_errors = t.n_errors;
	return 0;
}
