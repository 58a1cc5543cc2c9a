/* All policies under a request that is partly known. */
#include "cedar/partial.h"

#include <errno.h>

#include "base/limits.h"
#include "cedar/condition.h"
#include "cedar/diagnostics.h"
#include "cedar/entities.h"
#include "cedar/node.h"
#include "cedar/policy-set.h"

/* ---- The plain store as a source -------------------------------------------------- */

static bool store_is_in(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent,
			bool *ret)
{
	struct cedar_entity_source source;

	if (!entities_find(ctx, child))
		return false;
	source = cedar_entities_source(ctx);
	*ret = source.is_in(source.ctx, child, parent);
	return true;
}

static bool store_attributes(void *ctx, struct cedar_entity_uid uid, const struct cedar_value **ret)
{
	struct cedar_entity_source source = cedar_entities_source(ctx);

	*ret = source.attributes(source.ctx, uid);
	return *ret;
}

static bool store_tags(void *ctx, struct cedar_entity_uid uid, const struct cedar_value **ret)
{
	const struct entity *e = entities_find(ctx, uid);

	*ret = e ? e->tags : NULL;
	return *ret;
}

struct cedar_partial_source cedar_partial_entities(struct cedar_entities *e)
{
	return (struct cedar_partial_source){ e, store_is_in, store_attributes, store_tags };
}

/* ---- The request -------------------------------------------------------------------- */

static bool is_among(const struct cedar_entity_type *type,
		     const struct cedar_entity_type *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == type)
			return true;
	return false;
}

static int find_type(const struct cedar_schema *s, const struct cedar_partial_uid *uid,
		     const char *what, const struct cedar_entity_type **ret, struct err *err)
{
	*ret = cedar_schema_entity(s, uid->type);
	if (!*ret)
		return err_set(err, -EINVAL, "the schema has no entity type `%.*s` (of the %s)",
			       SPAN_ARG(diagnostic_quote(uid->type)), what);
	for (size_t i = 0; uid->has_id && (*ret)->is_enum; i++) {
		if (i == (*ret)->n_enum_ids)
			return err_set(err, -EINVAL, "the %s is none of its enumerated type", what);
		if (span_eq((*ret)->enum_ids[i], uid->id))
			break;
	}
	return 0;
}

static int find_env(const struct cedar_schema *s, const struct cedar_partial_request *r,
		    struct cedar_request_env *env, struct err *err)
{
	int result;

	env->action = cedar_schema_action(s, r->action);
	if (!env->action)
		return err_set(err, -EINVAL, "the schema has no action `%.*s::\"%.*s\"`",
			       SPAN_ARG(diagnostic_quote(r->action.type)),
			       SPAN_ARG(diagnostic_quote(r->action.id)));
	result = find_type(s, &r->principal, "principal", &env->principal, err);
	if (result == 0)
		result = find_type(s, &r->resource, "resource", &env->resource, err);
	if (result < 0)
		return result;
	if (!is_among(env->principal, env->action->principals, env->action->n_principals))
		return err_set(err, -EINVAL,
			       "the action does not apply to principals of type `%.*s`",
			       SPAN_ARG(diagnostic_quote(r->principal.type)));
	if (!is_among(env->resource, env->action->resources, env->action->n_resources))
		return err_set(err, -EINVAL,
			       "the action does not apply to resources of type `%.*s`",
			       SPAN_ARG(diagnostic_quote(r->resource.type)));
	return 0;
}

/* ---- Policies ------------------------------------------------------------------------- */

/* The policy that stands for what is left. */
static struct cedar_policy *residual_policy(const struct cedar_policy *of,
					    const struct cedar_expr *condition, struct arena *a)
{
	struct cedar_policy *p = arena_new(a, struct cedar_policy);
	struct cedar_condition *c = arena_new(a, struct cedar_condition);

	if (!p || !c)
		return NULL;
	*p = *of;
	p->is_template = false;
	p->linked_from = NULL;
	p->principal = (struct cedar_scope){ .op = CEDAR_SCOPE_ANY };
	p->action = (struct cedar_scope){ .op = CEDAR_SCOPE_ANY };
	p->resource = (struct cedar_scope){ .op = CEDAR_SCOPE_ANY };
	c->body = (struct cedar_expr *)(uintptr_t)condition;
	c->range = of->range;
	p->conditions = c;
	p->n_conditions = 1;
	return p;
}

static enum cedar_residual_kind kind_of(const struct outcome *o)
{
	if (o->kind == OUTCOME_OPEN)
		return CEDAR_RESIDUAL_OPEN;
	if (o->kind == OUTCOME_ERROR || o->value->kind != CEDAR_BOOL)
		return CEDAR_RESIDUAL_ERROR;
	return o->value->boolean ? CEDAR_RESIDUAL_TRUE : CEDAR_RESIDUAL_FALSE;
}

static int not_valid(const struct cedar_policy *p, struct err *err)
{
	return err_set(err, -EINVAL, "the policy `%.*s` is not valid under the schema",
		       SPAN_ARG(diagnostic_quote(p->id)));
}

static int evaluate_policy(struct partial *partial, struct typecheck *check,
			   const struct cedar_policy *policy, struct cedar_residual *ret,
			   struct err *err)
{
	struct cedar_expr *condition = condition_of(policy, partial->arena);
	_cleanup_(typing_done) struct typing_table table = { 0 };
	struct outcome o;

	if (!condition)
		return -ENOMEM;
	capabilities_reset(&check->capabilities);
	check->table = &table;
	if (!typecheck_expr(check, condition).is_ok)
		return typecheck_is_limited(check) ? -EMSGSIZE : not_valid(policy, err);
	capabilities_forget(&check->capabilities, 0);
	partial->types = &table;
	o = partial_eval(partial, condition);
	ret->of = policy;
	ret->kind = kind_of(&o);
	ret->condition = partial_expr(partial, &o, policy->range);
	ret->policy =
		ret->condition ? residual_policy(policy, ret->condition, partial->arena) : NULL;
	if (!ret->policy)
		return partial->failure ? partial->failure : -ENOMEM;
	return partial->failure;
}

/*
 * A true forbid denies; without a permit that may be satisfied it is a denial
 * as well. A forbid that is open leaves all else open.
 */
static enum cedar_partial_decision decide(const struct cedar_partial_response *r)
{
	bool has[2][CEDAR_RESIDUAL_OPEN + 1] = { { false } };

	for (size_t i = 0; i < r->n_residuals; i++)
		has[r->residuals[i].of->is_forbid][r->residuals[i].kind] = true;
	if (has[true][CEDAR_RESIDUAL_TRUE])
		return CEDAR_PARTIAL_DENY;
	if (!has[false][CEDAR_RESIDUAL_TRUE] && !has[false][CEDAR_RESIDUAL_OPEN])
		return CEDAR_PARTIAL_DENY;
	if (has[true][CEDAR_RESIDUAL_OPEN] || !has[false][CEDAR_RESIDUAL_TRUE])
		return CEDAR_PARTIAL_UNKNOWN;
	return CEDAR_PARTIAL_ALLOW;
}

static int evaluate_all(const struct cedar_policy_set *set, struct partial *partial,
			struct typecheck *check, struct cedar_partial_response *response,
			struct err *err)
{
	response->residuals =
		arena_alloc_array(partial->arena, set->len, sizeof(*response->residuals));
	if (!response->residuals)
		return -ENOMEM;
	for (size_t i = 0; i < set->len; i++) {
		int r;

		if (set->policies[i]->is_template)
			continue;
		r = evaluate_policy(partial, check, set->policies[i],
				    &response->residuals[response->n_residuals], err);
		if (r < 0)
			return r;
		response->n_residuals++;
	}
	response->decision = decide(response);
	return 0;
}

int cedar_partial_authorize(const struct cedar_policy_set *set, const struct cedar_schema *schema,
			    const struct cedar_partial_request *request,
			    const struct cedar_partial_source *source, struct arena *arena,
			    struct cedar_partial_response *ret, struct err *err)
{
	static const struct cedar_partial_source nothing = { .ctx = NULL };
	_cleanup_(types_done) struct types types = { 0 };
	_cleanup_(typecheck_done) struct typecheck check = { 0 };
	struct cedar_partial_response response = { .decision = CEDAR_PARTIAL_DENY };
	struct cedar_request_env env;
	struct partial partial;
	int r;

	r = find_env(schema, request, &env, err);
	if (r < 0)
		return r;
	r = types_init(&types, schema, CEDAR_STRICT);
	if (r < 0)
		return r;
	typecheck_init(&check, &types, NULL);
	r = typecheck_set_env(&check, &env);
	if (r < 0)
		return r;
	partial_init(&partial, schema, request, source ? source : &nothing, arena);
	partial.universe = &types;
	r = evaluate_all(set, &partial, &check, &response, err);
	if (r < 0)
		return r;
	*ret = response;
	return 0;
}

/* ---- The rest ---------------------------------------------------------------------------- */

/* Both lists are in the order of the set. */
static void name_reasons(const struct cedar_partial_response *from, struct cedar_response *r)
{
	size_t at = 0;

	for (size_t i = 0; i < r->n_reasons; at++)
		if (from->residuals[at].policy == r->reasons[i])
			r->reasons[i++] = from->residuals[at].of;
	at = 0;
	for (size_t i = 0; i < r->n_errors; at++)
		if (from->residuals[at].policy == r->errors[i].policy)
			r->errors[i++].policy = from->residuals[at].of;
}

int cedar_partial_complete(const struct cedar_partial_response *response,
			   const struct cedar_request *request,
			   const struct cedar_entity_source *entities, struct arena *arena,
			   struct cedar_response *ret)
{
	struct cedar_policy_set set = { .len = response->n_residuals };
	int r;

	set.policies = arena_alloc_array(arena, set.len, sizeof(*set.policies));
	if (!set.policies)
		return -ENOMEM;
	for (size_t i = 0; i < set.len; i++)
		set.policies[i] = (struct cedar_policy *)(uintptr_t)response->residuals[i].policy;
	r = cedar_authorize(&set, request, entities, arena, ret);
	if (r == 0)
		name_reasons(response, ret);
	return r;
}
