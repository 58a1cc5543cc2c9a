/* One policy under all request environments that its scope admits. */
#include <errno.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/level.h"
#include "cedar/policy-set.h"
#include "cedar/scope-match.h"
#include "cedar/survey.h"
#include "cedar/typecheck.h"

/* What of an environment the conditions depend on; the rest is NULL. */
struct env_key {
	const void *principal, *action, *resource;
};

struct env_slot {
	struct env_key key;
	size_t round; /* the policy that put it */
};

struct cedar_validator {
	const struct cedar_schema *schema;
	struct cedar_validate_options options;
	struct types types;
	struct findings findings;
	struct typecheck check;
	struct action_tree *actions;
	struct env_slot *seen;
	size_t n_seen, seen_len, round;
};

/* One policy's way through. */
struct run {
	struct cedar_validator *v;
	const struct cedar_policy *policy;
	struct survey survey;
	struct entity_match principal, resource;
	struct action_match action;
	bool may_apply; /* there is an environment where the conditions can hold */
};

struct cedar_validator *cedar_validator_new(const struct cedar_schema *schema,
					    const struct cedar_validate_options *options)
{
	struct cedar_validator *v = xnew(struct cedar_validator);

	v->schema = schema;
	if (options)
		v->options = *options;
	if (types_init(&v->types, schema, v->options.mode) < 0) {
		types_done(&v->types);
		xfree(v);
		return NULL;
	}
	v->findings.schema = schema;
	typecheck_init(&v->check, &v->types, &v->findings);
	v->actions = action_tree_new(schema);
	return v;
}

void cedar_validator_free(struct cedar_validator *v)
{
	if (!v)
		return;
	action_tree_free(v->actions);
	typecheck_done(&v->check);
	findings_done(&v->findings);
	types_done(&v->types);
	xfree(v->seen);
	xfree(v);
}

/* ---- Environments --------------------------------------------------------------- */

static size_t seen_at(const struct cedar_validator *v, const struct env_key *k)
{
	uint64_t h = (uint64_t)(uintptr_t)k->principal * 0x9e3779b97f4a7c15ULL;
	size_t at;

	h = (h ^ (uint64_t)(uintptr_t)k->action) * 0xc2b2ae3d27d4eb4fULL;
	h = (h ^ (uint64_t)(uintptr_t)k->resource) * 0x9e3779b97f4a7c15ULL;
	at = (size_t)(h >> 32) & (v->n_seen - 1);
	while (v->seen[at].round == v->round && memcmp(&v->seen[at].key, k, sizeof(*k)) != 0)
		at = (at + 1) & (v->n_seen - 1);
	return at;
}

static void grow_seen(struct cedar_validator *v)
{
	struct env_slot *old = v->seen;
	size_t n_old = v->n_seen;

	v->n_seen = n_old ? n_old * 2 : 64;
	v->seen = xnew_array(struct env_slot, v->n_seen);
	for (size_t i = 0; i < n_old; i++)
		if (old[i].round == v->round)
			v->seen[seen_at(v, &old[i].key)] = old[i];
	xfree(old);
}

/* Environments that differ only in what the conditions do not use need one check. */
static bool is_new_env(struct run *run, const struct cedar_request_env *env)
{
	struct cedar_validator *v = run->v;
	const bool *uses = run->survey.uses;
	struct env_key key = { NULL, NULL, NULL };
	size_t at;

	if (uses[CEDAR_PRINCIPAL])
		key.principal = env->principal;
	if (uses[CEDAR_RESOURCE])
		key.resource = env->resource;
	if (uses[CEDAR_ACTION])
		key.action = env->action;
	else if (uses[CEDAR_CONTEXT])
		key.action = type_import(&v->types, env->action->context);
	if ((v->seen_len + 1) * 2 > v->n_seen)
		grow_seen(v);
	at = seen_at(v, &key);
	if (v->seen[at].round == v->round)
		return false;
	v->seen[at] = (struct env_slot){ key, v->round };
	v->seen_len++;
	return true;
}

static void check_env(struct run *run, const struct cedar_request_env *env)
{
	struct cedar_validator *v = run->v;
	struct typing_table table = { 0 };
	struct typed all;

	v->check.steps++;
	if (!is_new_env(run, env) || typecheck_set_env(&v->check, env) < 0)
		return;
	v->check.table = v->options.has_max_level ? &table : NULL;
	all = typecheck_conditions(&v->check, run->policy);
	if (all.type && all.type->kind != CEDAR_TYPE_FALSE)
		run->may_apply = true;
	if (v->options.has_max_level && all.is_ok)
		level_check_policy(&v->check, run->policy, v->options.max_level);
	v->check.table = NULL;
	typing_done(&table);
}

/* Is there no use in looking at further environments? */
static bool is_over(const struct run *run)
{
	return typecheck_is_limited(&run->v->check) || findings_are_full(&run->v->findings);
}

/* Of those who differ only in what is not used, the first stands for all. */
static void check_resources(struct run *run, struct cedar_request_env *env)
{
	const struct cedar_action_type *a = env->action;

	for (size_t i = 0; i < a->n_resources; i++) {
		env->resource = a->resources[i];
		if (!entity_matches(&run->resource, env->resource))
			continue;
		check_env(run, env);
		if (!run->survey.uses[CEDAR_RESOURCE] || is_over(run))
			break;
	}
}

static void check_action(struct run *run, const struct cedar_action_type *action)
{
	for (size_t i = 0; i < action->n_principals; i++) {
		struct cedar_request_env env = { action->principals[i], action, NULL };

		run->v->check.steps++;
		if (!entity_matches(&run->principal, env.principal))
			continue;
		check_resources(run, &env);
		if (!run->survey.uses[CEDAR_PRINCIPAL] || is_over(run))
			break;
	}
}

static void check_actions(struct run *run)
{
	const struct cedar_schema *s = run->v->schema;
	bool is_all = run->action.admits_all;
	size_t n = is_all ? s->n_actions : run->action.n;

	for (size_t i = 0; i < n && !is_over(run); i++)
		check_action(run, is_all ? s->actions[i] : run->action.items[i]);
}

/* ---- The scope -------------------------------------------------------------------- */

static bool has_applicable(const struct run *run, const struct entity_match *principal,
			   const struct entity_match *resource)
{
	for (size_t i = 0; i < run->action.n; i++) {
		const struct cedar_action_type *a = run->action.items[i];
		size_t p = 0, r = 0;

		while (p < a->n_principals && !entity_matches(principal, a->principals[p]))
			p++;
		while (r < a->n_resources && !entity_matches(resource, a->resources[r]))
			r++;
		if (p < a->n_principals && r < a->n_resources)
			return true;
	}
	return false;
}

/* Would `in` instead of `==` admit something? */
static const char *suggest_in(const struct run *run)
{
	struct entity_match in = run->principal;

	in.op = CEDAR_SCOPE_IN;
	if (run->principal.op == CEDAR_SCOPE_EQ && has_applicable(run, &in, &run->resource))
		return "perhaps the principal should be `in` that entity";
	in = run->resource;
	in.op = CEDAR_SCOPE_IN;
	if (run->resource.op == CEDAR_SCOPE_EQ && has_applicable(run, &run->principal, &in))
		return "perhaps the resource should be `in` that entity";
	return NULL;
}

static bool is_unknown(const struct run *run)
{
	return run->principal.is_unknown || run->resource.is_unknown || run->action.is_unknown;
}

/* Is there any request whose principal the scope admits? The list of actions is of no use else. */
static bool admits_principal(const struct run *run)
{
	const struct cedar_schema *s = run->v->schema;

	for (size_t i = 0; i < s->n_actions; i++)
		for (size_t j = 0; s->actions[i]->n_resources && j < s->actions[i]->n_principals;
		     j++)
			if (entity_matches(&run->principal, s->actions[i]->principals[j]))
				return true;
	return false;
}

static _cold_ void report_action_list(struct run *run)
{
	struct findings *f = &run->v->findings;
	const struct cedar_scope *action = &run->policy->action;

	if (action->op != CEDAR_SCOPE_IN || (action->n_uids && !run->action.has_mixed_types) ||
	    run->v->options.mode != CEDAR_STRICT || !admits_principal(run))
		return;
	if (action->n_uids == 0)
		finding_add(f, CEDAR_ERROR, "empty_set", action->range, NULL,
			    "an empty set has no type");
	else
		finding_add(f, CEDAR_ERROR, "incompatible_types", action->range, NULL,
			    "the actions of a list must be of one namespace");
}

static _cold_ void report_scope(struct run *run)
{
	struct findings *f = &run->v->findings;

	report_action_list(run);
	if (is_unknown(run) || !has_applicable(run, &run->principal, &run->resource))
		finding_add(f, CEDAR_WARNING, "no_applicable_action", run->policy->range,
			    is_unknown(run) ? NULL : suggest_in(run),
			    "no action of the schema applies to what the scope asks for");
	if (!run->may_apply)
		finding_add(f, CEDAR_WARNING, "impossible_policy", run->policy->range, NULL,
			    "this policy can never apply: its conditions are always false");
}

static _cold_ int limit_error(struct cedar_validator *v, const struct cedar_policy *p)
{
	finding_add(&v->findings, CEDAR_ERROR, "too_complex", p->range, NULL,
		    "the policies and the schema are too large to validate");
	return v->types.is_limited ? -ENOMEM : -EMSGSIZE;
}

int cedar_validator_check(struct cedar_validator *v, const struct cedar_policy *p,
			  struct cedar_diagnostics *diags)
{
	struct run run = { .v = v, .policy = p };

	v->round++;
	v->seen_len = 0;
	findings_begin(&v->findings, p, diags);
	capabilities_reset(&v->check.capabilities);
	survey_policy(v->schema, p, &v->findings, &run.survey);
	entity_match_init(v->schema, &p->principal, &run.principal);
	entity_match_init(v->schema, &p->resource, &run.resource);
	action_match_init(v->actions, &p->action, v->options.mode, &run.action);
	check_actions(&run);
	if (v->options.has_max_level)
		level_check_scope(&v->check, p, v->options.max_level);
	if (run.survey.is_limited || typecheck_is_limited(&v->check))
		return limit_error(v, p);
	report_scope(&run);
	findings_end(&v->findings);
	return v->findings.n_errors ? -EINVAL : 0;
}

static void cleanup_validator(struct cedar_validator **v)
{
	cedar_validator_free(*v);
}

int cedar_validate(const struct cedar_policy_set *set, const struct cedar_schema *schema,
		   const struct cedar_validate_options *options, struct cedar_diagnostics *diags)
{
	_cleanup_(cleanup_validator) struct cedar_validator *v = NULL;
	int result = 0;

	v = cedar_validator_new(schema, options);
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < set->len; i++) {
		int r = cedar_validator_check(v, set->policies[i], diags);

		if (r < 0)
			result = r;
		if (r == -EMSGSIZE || r == -ENOMEM)
			break;
	}
	return result;
}
