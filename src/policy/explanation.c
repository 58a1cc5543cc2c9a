/* Which conditions of which policies a decision hung on. */
#include <errno.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "policy/request.h"

/* Policies that would have permitted it but for a condition. */
#define MAX_ALMOST 5
/* Room for evaluating the conditions of one decision. */
#define EXPLAIN_ARENA_MAX ((size_t)16 * 1024 * 1024)

struct explaining {
	struct question question;
	struct arena arena;
	struct policy_reason *reason; /* the one being filled */
	size_t cap;
};

/* ---- One policy's conditions ------------------------------------------------------ */

static enum policy_condition_result result_of(struct explaining *x, const struct cedar_expr *e,
					      bool is_negated)
{
	const struct cedar_value *value;
	struct cedar_eval_error error = { 0 };
	int r = cedar_eval(e, &x->question.cedar, &x->question.entities, &x->arena, &value, &error);

	/* Before a connection its port and address are not known. */
	if (r < 0 || value->kind != CEDAR_BOOL)
		return x->question.has_unknowns ? POLICY_CONDITION_OPEN : POLICY_CONDITION_ERRS;
	return value->boolean != is_negated ? POLICY_CONDITION_HOLDS : POLICY_CONDITION_FAILS;
}

static void add_condition(struct explaining *x, const struct cedar_expr *e, bool is_negated)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct policy_reason *r = x->reason;
	bool is_plain = e->kind == CEDAR_EXPR_CALL || e->kind == CEDAR_EXPR_VAR ||
			e->kind == CEDAR_EXPR_ATTRIBUTE || e->kind == CEDAR_EXPR_BOOL;

	if (is_negated)
		(void)buf_append_str(&text, is_plain ? "!" : "!(");
	(void)cedar_expr_print(e, &text);
	if (is_negated && !is_plain)
		(void)buf_append_char(&text, ')');
	if (r->n_conditions == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 4;
		r->conditions = xrealloc_array(r->conditions, x->cap, sizeof(*r->conditions));
	}
	r->conditions[r->n_conditions++] =
		(struct policy_condition){ .result = result_of(x, e, is_negated),
					   .text = buf_take(&text) };
}

/* Each of a && b must hold, and of !(a || b) neither may. Depth is bounded by the parser. */
static void add_conditions(struct explaining *x, const struct cedar_expr *e, bool is_negated)
{
	if (e->kind == CEDAR_EXPR_NOT) {
		add_conditions(x, e->left, !is_negated);
	} else if (e->kind == (is_negated ? CEDAR_EXPR_OR : CEDAR_EXPR_AND)) {
		add_conditions(x, e->left, is_negated);
		add_conditions(x, e->right, is_negated);
	} else {
		add_condition(x, e, is_negated);
	}
}

static void fill_reason(struct explaining *x, const struct rule *rule, struct policy_reason *ret)
{
	*ret = (struct policy_reason){
		.id = rule->id,
		.file = rule->file,
		.line = rule->line,
		.layer = rule->layer,
		.is_forbid = rule->cedar->is_forbid,
		.text = rule->text,
	};
	x->reason = ret;
	x->cap = 0;
	for (size_t i = 0; i < rule->cedar->n_conditions; i++)
		add_conditions(x, rule->cedar->conditions[i].body,
			       rule->cedar->conditions[i].is_unless);
}

/* ---- Which policies ---------------------------------------------------------------- */

static const struct rule *find_rule(const struct policy *p, const char *id)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (p->rules[i].id == id)
			return &p->rules[i];
	return NULL;
}

static void add_reasons(struct explaining *x, const struct policy *p,
			const struct policy_decision *d, struct policy_explanation *ret)
{
	ret->reasons = xnew_array(struct policy_reason, d->n_reasons + 1);
	for (size_t i = 0; i < d->n_reasons; i++) {
		const struct rule *rule = find_rule(p, d->reasons[i]);

		if (rule)
			fill_reason(x, rule, &ret->reasons[ret->n_reasons++]);
	}
}

/* What is denied for want of a permit: which would have, had their conditions held. */
static void add_almost(struct explaining *x, const struct policy *p, const struct policy_request *r,
		       struct policy_explanation *ret)
{
	const struct rule_list *permits = &p->actions[r->action].permits;

	ret->almost = xnew_array(struct policy_reason, MAX_ALMOST);
	for (size_t i = 0; i < permits->len && ret->n_almost < MAX_ALMOST; i++)
		if (cedar_policy_scope_matches(permits->rules[i]->cedar, &x->question.cedar,
					       &x->question.entities))
			fill_reason(x, permits->rules[i], &ret->almost[ret->n_almost++]);
}

int policy_explanation_make(const struct policy *p, const struct policy_request *r,
			    const struct policy_decision *d, struct policy_explanation *ret)
{
	struct explaining x = { .arena = { .max = EXPLAIN_ARENA_MAX } };
	struct facts facts;
	int code;

	*ret = (struct policy_explanation){ 0 };
	if (r->action >= POLICY_ACTION_MAX || !request_is_sound(r) || !policy_prepare(p))
		return -EINVAL;
	code = facts_fetch(r, CONTEXT_ALL_BITS, &facts);
	if (code >= 0)
		code = question_make(&x.question, p, r, CONTEXT_ALL_BITS, &facts, &x.arena);
	if (code >= 0) {
		add_reasons(&x, p, d, ret);
		if (d->verdict != DECISION_ALLOW && !d->n_reasons)
			add_almost(&x, p, r, ret);
	}
	arena_done(&x.arena);
	return code;
}

static void reasons_free(struct policy_reason *reasons, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < reasons[i].n_conditions; j++)
			xfree(reasons[i].conditions[j].text);
		xfree(reasons[i].conditions);
	}
	xfree(reasons);
}

void policy_explanation_done(struct policy_explanation *x)
{
	reasons_free(x->reasons, x->n_reasons);
	reasons_free(x->almost, x->n_almost);
	*x = (struct policy_explanation){ 0 };
}

const char *policy_condition_result_name(enum policy_condition_result result)
{
	static const char *const names[] = {
		[POLICY_CONDITION_HOLDS] = "holds",
		[POLICY_CONDITION_FAILS] = "does not hold",
		[POLICY_CONDITION_ERRS] = "cannot be evaluated",
		[POLICY_CONDITION_OPEN] = "is not known yet",
	};

	return (size_t)result < ARRAY_SIZE(names) ? names[result] : "?";
}
