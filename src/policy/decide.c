#include "policy/below.h"
#include "policy/cache.h"
#include "policy/image.h"
#include "policy/request.h"
#include "policy/unknown.h"

#include "base/alloc.h"

#define UNDECIDABLE "leash:undecidable"
/* Room for one decision: a request with arguments at LIMIT_ARGV as a set fits. */
#define DECIDE_ARENA_MAX ((size_t)16 * 1024 * 1024)

struct policy_decider {
	struct policy *policy; /* whose decisions the cache holds; keeps their reasons alive */
	struct decision_cache cache;
	struct arena arena;
	struct image_run run;
	bool want_image;
	uint64_t n_asked; /* requests that the image left to the evaluator */
};

/* One decision being made. */
struct inquiry {
	const struct policy_request *request;
	struct question question;
	const uint64_t *candidates; /* bit per rule that may apply; NULL: all */
	uint32_t missing_keys;	    /* facts that could not be had */
	bool is_second_round; /* about reading: what was asked about writing need not be again */
	struct arena *arena;
	struct policy_decision *ret;
};

struct policy_decider *policy_decider_new(size_t max_cached)
{
	struct policy_decider *d = xnew(struct policy_decider);

	d->arena.max = DECIDE_ARENA_MAX;
	d->cache.max = max_cached;
	d->want_image = true;
	return d;
}

void policy_decider_evaluate_only(struct policy_decider *d)
{
	d->want_image = false;
}

uint64_t policy_decider_asked(const struct policy_decider *d)
{
	return d->n_asked;
}

void policy_decider_free(struct policy_decider *d)
{
	if (!d)
		return;
	cache_done(&d->cache);
	image_run_done(&d->run);
	policy_unref(d->policy);
	arena_done(&d->arena);
	xfree(d);
}

static void add_reason(struct policy_decision *ret, const char *id)
{
	for (size_t i = 0; i < ret->n_reasons; i++)
		if (ret->reasons[i] == id)
			return;
	if (ret->n_reasons < POLICY_MAX_REASONS)
		ret->reasons[ret->n_reasons++] = id;
	else
		ret->n_more_reasons++;
}

/* What cannot be decided is denied in every mode, for leash's own rules could not be asked. */
static void undecidable(struct policy_decision *ret)
{
	ret->verdict = DECISION_DENY;
	ret->is_own_rule = true;
	ret->has_error = true;
	ret->n_reasons = 0;
	add_reason(ret, UNDECIDABLE);
}

static enum cedar_effect_result evaluate_unknown(const struct inquiry *in, const struct rule *rule)
{
	unsigned int out = rule_outcomes(rule, &in->question, in->arena);

	if (!rule->cedar->is_forbid && (out & CAN_BE_TRUE))
		return CEDAR_SATISFIED;
	if (out == CAN_ERR)
		return CEDAR_ERRED;
	if (rule->cedar->is_forbid && !(out & CAN_BE_FALSE))
		return CEDAR_SATISFIED;
	return CEDAR_NOT_SATISFIED;
}

static enum cedar_effect_result evaluate(struct inquiry *in, const struct rule *rule)
{
	struct question *q = &in->question;
	struct cedar_eval_error error = { 0 };

	if (q->has_unknowns)
		return evaluate_unknown(in, rule);
	if ((rule->keys & in->missing_keys) &&
	    cedar_policy_scope_matches(rule->cedar, &q->cedar, &q->entities))
		return CEDAR_ERRED;
	return cedar_policy_eval(rule->cedar, &q->cedar, &q->entities, in->arena, &error);
}

/*
 * A forbid on a directory holds for its name too while nothing, or something
 * else, has that name: what is put there next would be the directory. So where
 * the answer hung on that, the forbid is asked both ways.
 */
static enum cedar_effect_result evaluate_forbid(struct inquiry *in, const struct rule *rule)
{
	struct entity_graph *g = &in->question.graph;
	enum cedar_effect_result result;

	g->asked_own_dir = false;
	result = evaluate(in, rule);
	if (result != CEDAR_NOT_SATISFIED || !g->asked_own_dir)
		return result;
	g->is_directory = true;
	result = evaluate(in, rule);
	g->is_directory = in->request->is_directory;
	return result;
}

static bool may_apply(const struct inquiry *in, const struct rule *rule)
{
	if (in->is_second_round && !rule->mentions_action &&
	    (rule->actions & ACTION_BIT(in->request->action)))
		return false;
	return !in->candidates || (in->candidates[rule->number / 64] >> rule->number % 64 & 1);
}

static void try_forbids(struct inquiry *in, const struct rule_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct rule *rule = list->rules[i];
		enum cedar_effect_result result;

		if (!may_apply(in, rule))
			continue;
		result = evaluate_forbid(in, rule);
		if (result == CEDAR_NOT_SATISFIED)
			continue;
		if (result == CEDAR_ERRED)
			in->ret->has_error = true;
		if (rule->layer == POLICY_LAYER_OWN)
			in->ret->is_own_rule = true;
		add_reason(in->ret, rule->id);
	}
}

static void try_permits(struct inquiry *in, const struct rule_list *list)
{
	for (size_t i = 0; i < list->len; i++) {
		enum cedar_effect_result result;

		if (!may_apply(in, list->rules[i]))
			continue;
		result = evaluate(in, list->rules[i]);
		if (result == CEDAR_ERRED)
			in->ret->has_error = true;
		if (result != CEDAR_SATISFIED)
			continue;
		in->ret->verdict = DECISION_ALLOW;
		add_reason(in->ret, list->rules[i]->id);
	}
}

static bool reads_too(const struct policy_request *r)
{
	return r->also_reads && action_is_below(r->action, ACTION_FILE_OPEN) &&
	       r->action != POLICY_FILE_OPEN_READ_ONLY;
}

static void decide(struct inquiry *in, const struct policy *p)
{
	const struct policy_request *r = in->request;
	const struct action_rules *rules = &p->actions[r->action];

	try_forbids(in, &rules->forbids);
	if (reads_too(r)) {
		(void)question_set_action(&in->question, POLICY_FILE_OPEN_READ_ONLY);
		in->is_second_round = true;
		try_forbids(in, &p->actions[POLICY_FILE_OPEN_READ_ONLY].forbids);
		in->is_second_round = false;
		(void)question_set_action(&in->question, r->action);
	}
	if (in->ret->n_reasons == 0)
		try_permits(in, &rules->permits);
}

static void forget_other_policies(struct policy_decider *d, const struct policy *p)
{
	if (d->policy == p)
		return;
	cache_clear(&d->cache);
	policy_unref(d->policy);
	/* The count is the only part that changes; the policy itself stays as it is. */
	d->policy = policy_ref((struct policy *)(uintptr_t)p);
	if (p->image)
		image_run_start(&d->run, p->image);
}

/* What the policies may ask about the process. */
static uint32_t keys_of(const struct policy *p, const struct policy_request *r)
{
	uint32_t keys = p->actions[r->action].keys;

	return reads_too(r) ? keys | p->actions[POLICY_FILE_OPEN_READ_ONLY].keys : keys;
}

/*
 * No two requests of HTTP are alike, and their headers hold secrets: answers
 * that may hang on them are not remembered.
 */
static bool hangs_on_http(const struct policy_request *r, uint32_t keys)
{
	return r->action == POLICY_HTTP_REQUEST && (keys & CONTEXT_HTTP_BITS);
}

/* Decides by evaluating; what was decided before is known from the cache. */
static void decide_by_evaluation(struct policy_decider *d, const struct policy *p,
				 struct inquiry *in, const struct facts *facts, uint32_t keys)
{
	const struct policy_request *r = in->request;

	arena_reset(&d->arena);
	if (question_make(&in->question, p, r, keys, facts, &d->arena) < 0) {
		undecidable(in->ret);
		return;
	}
	if (r->action <= POLICY_PROCESS_EXEC) {
		in->candidates =
			rule_index_find(&p->index, in->question.cedar.resource.id, &d->arena);
		if (!in->candidates) {
			undecidable(in->ret);
			return;
		}
	}
	decide(in, p);
}

static void evaluate_request(struct policy_decider *d, const struct policy *p,
			     const struct policy_request *r, const struct facts *facts,
			     struct policy_decision *ret)
{
	struct inquiry in = { .request = r, .arena = &d->arena, .ret = ret };
	uint32_t keys = keys_of(p, r);
	bool is_cacheable = facts->are_known && !p->actions[r->action].is_uncacheable &&
			    !hangs_on_http(r, keys);

	if (reads_too(r))
		is_cacheable &= !p->actions[POLICY_FILE_OPEN_READ_ONLY].is_uncacheable;
	in.missing_keys = keys_unavailable(r, keys);
	if (!facts->are_known)
		in.missing_keys |= keys & CONTEXT_PROCESS_BITS;
	d->n_asked++;
	*ret = (struct policy_decision){ .generation = p->generation };
	if (is_cacheable && cache_get(&d->cache, r, facts, ret))
		return;
	if (!policy_prepare(p)) {
		undecidable(ret);
		return;
	}
	decide_by_evaluation(d, p, &in, facts, keys);
	if (!facts->are_known) {
		ret->verdict = DECISION_DENY;
		ret->has_error = true;
	}
	if (is_cacheable)
		cache_put(&d->cache, ret);
}

static void decide_with_facts(struct policy_decider *d, const struct policy *p,
			      const struct policy_request *r, bool may_use_image,
			      struct policy_decision *ret)
{
	uint32_t keys = keys_of(p, r);
	struct facts facts;

	facts.are_known = facts_fetch(r, keys, &facts) >= 0;
	if (may_use_image && facts.are_known && !keys_unavailable(r, keys) &&
	    image_decide(&d->run, r, &facts, p->ids, ret))
		return;
	evaluate_request(d, p, r, &facts, ret);
}

static void decide_request(struct policy_decider *d, const struct policy *p,
			   const struct policy_request *r, struct policy_decision *ret)
{
	bool may_use_image = p->image && d->want_image;
	uint32_t keys = keys_of(p, r);

	if ((keys & CONTEXT_PROCESS_BITS) || (hangs_on_http(r, keys) && !r->http)) {
		decide_with_facts(d, p, r, may_use_image, ret);
		return;
	}
	if (may_use_image && image_decide(&d->run, r, NULL, p->ids, ret))
		return;
	evaluate_request(d, p, r, &(struct facts){ .are_known = true }, ret);
}

/* The id of a forbid that names something below the path, or NULL. */
static const char *forbid_below(const struct policy_decider *d, const struct policy *p,
				struct span path)
{
	const struct rule *rule;
	uint32_t rank;

	if (p->image && d->want_image && image_find_below(p->image, path, &rank))
		return rank < p->n_rules ? p->ids[rank] : NULL;
	if (!policy_prepare(p))
		return UNDECIDABLE;
	rule = policy_rule_below(p, path);
	return rule ? rule->id : NULL;
}

void policy_decide(struct policy_decider *d, const struct policy *p, const struct policy_request *r,
		   struct policy_decision *ret)
{
	const char *below;

	if (r->action >= POLICY_ACTION_MAX || !request_is_sound(r)) {
		*ret = (struct policy_decision){ .generation = p->generation };
		undecidable(ret);
		return;
	}
	ret->generation = p->generation;
	forget_other_policies(d, p);
	decide_request(d, p, r, ret);
	if (!r->is_link || ret->verdict != DECISION_ALLOW)
		return;
	below = forbid_below(d, p, r->path);
	if (below) {
		ret->verdict = DECISION_DENY;
		ret->n_reasons = ret->n_more_reasons = 0;
		add_reason(ret, below);
	}
}

bool policy_restricts(const struct policy *p, enum policy_action action)
{
	return p->mode == POLICY_ENFORCE && p->actions[action].is_restricted;
}

bool policy_decision_names(const struct policy_decision *d, const char *id)
{
	for (size_t i = 0; i < d->n_reasons; i++) {
		const char *colon = strchr(d->reasons[i], ':');

		if (strcmp(d->reasons[i], id) == 0 || (colon && strcmp(colon + 1, id) == 0))
			return true;
	}
	return false;
}

bool policy_passes_tls(const struct policy *p, const struct policy_decision *d)
{
	if (d->verdict != DECISION_ALLOW)
		return false;
	for (size_t i = 0; i < d->n_reasons; i++)
		for (size_t j = 0; j < p->n_tls_ids; j++)
			if (d->reasons[i] == p->tls_ids[j])
				return true;
	return false;
}

bool policy_permits(const struct policy *p, const struct policy_decision *d)
{
	if (d->verdict == DECISION_ALLOW)
		return true;
	return p->mode != POLICY_ENFORCE && !d->is_own_rule;
}

int policy_reasons(const struct policy_decision *d, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < d->n_reasons; i++) {
		if (i)
			r = buf_append_char(out, 0);
		if (r >= 0)
			r = buf_append_str(out, d->reasons[i]);
	}
	return r;
}
