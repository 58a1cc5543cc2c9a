/* How each policy is carried out, for people who want to rely on it. */
#include "policy/entities.h"
#include "policy/image-build.h"
#include "policy/instruction.h"
#include "policy/source.h"
#include "policy/text.h"

static char *expr_text(const struct cedar_expr *e)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)cedar_expr_print(e, &out);
	return buf_take(&out);
}

/* "resource in Dir::\"/x/\"" */
static char *scope_text(const char *var, const struct cedar_scope *s)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	bool has_type = s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN;

	(void)buf_append_str(&out, var);
	if (has_type)
		(void)buf_printf(&out, " is %.*s", SPAN_ARG(s->type_name));
	if (s->n_uids)
		(void)buf_printf(&out, " %s %s", s->op == CEDAR_SCOPE_EQ ? "==" : "in",
				 s->is_list ? "[" : "");
	for (size_t i = 0; i < s->n_uids; i++) {
		(void)buf_printf(&out, "%s%.*s::", i ? ", " : "", SPAN_ARG(s->uids[i].type));
		(void)text_append_literal(s->uids[i].id, &out);
	}
	if (s->is_list)
		(void)buf_append_char(&out, ']');
	return buf_take(&out);
}

static char *dead_text(const struct rule *rule, const struct clause_outcome *o)
{
	bool is_asked = false;

	if (o->dead)
		return expr_text(o->dead);
	if (rule->actions)
		return scope_text("resource", &rule->cedar->resource);
	for (int a = 0; a < POLICY_ACTION_MAX; a++)
		is_asked |= scope_matches_action(&rule->cedar->action, a);
	return is_asked ? scope_text("principal", &rule->cedar->principal)
			: scope_text("action", &rule->cedar->action);
}

static bool is_carried_out(const struct cedar_policy *p)
{
	struct instruction i;

	return instruction_is(p) && !instruction_read(p, &i);
}

static void fill(struct policy_report *r, const struct rule *rule, const struct clause_outcome *o)
{
	if (!o->can_apply) {
		r->handling = POLICY_NEVER_APPLIES;
		r->blame = dead_text(rule, o);
	} else if (o->asks) {
		r->handling = POLICY_PARTLY_ASKS;
		r->blame = o->blame && !o->is_scope_to_blame
				   ? expr_text(o->blame)
				   : scope_text("resource", &rule->cedar->resource);
	}
}

/* Without an image everything is evaluated. */
static void all_ask(struct clause_outcome *outcomes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		outcomes[i] = (struct clause_outcome){ .can_apply = true, .asks = true };
}

int policy_source_report(struct policy_source *s, struct policy_report **ret, size_t *ret_n,
			 struct err *err)
{
	struct clause_outcome *outcomes = xnew_array(struct clause_outcome, s->policies.len + 1);
	struct policy_report *reports;
	struct buf image = BUF_INIT(0);
	struct policy *policy = NULL;
	int r = source_read_back(s, 0, &policy, err);

	if (r < 0) {
		xfree(outcomes);
		return r;
	}
	if (image_build(policy, outcomes, &image) < 0)
		all_ask(outcomes, s->policies.len);
	buf_done(&image);
	reports = xnew_array(struct policy_report, s->policies.len + 1);
	for (size_t i = 0; i < s->policies.len; i++) {
		const struct source_policy *p = &s->policies.items[i];

		reports[i] = (struct policy_report){
			.id = p->id, .file = p->file, .line = p->line, .layer = p->layer
		};
		/* Nobody asks about an instruction that is carried out. */
		if (!is_carried_out(p->cedar))
			fill(&reports[i], &policy->rules[i], &outcomes[i]);
	}
	policy_unref(policy);
	xfree(outcomes);
	*ret = reports;
	*ret_n = s->policies.len;
	return 0;
}

void policy_reports_free(struct policy_report *reports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xfree(reports[i].blame);
	xfree(reports);
}
