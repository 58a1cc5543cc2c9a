/*
 * Constants: a walk finds the trees that depend on nothing but themselves, the
 * tree evaluator computes the largest of them, once.
 */
#include <errno.h>

#include "base/limits.h"
#include "cedar/compiler.h"
#include "cedar/function.h"

/* May the kind be computed without request and entities, if its operands can? */
static bool is_foldable(const struct cedar_expr *e)
{
	switch (e->kind) {
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
	case CEDAR_EXPR_IN:
	case CEDAR_EXPR_HAS:
	case CEDAR_EXPR_ATTRIBUTE:
		return false;
	case CEDAR_EXPR_IS:
		return !e->right;
	case CEDAR_EXPR_CALL:
		return !span_eq(e->string, SPAN("getTag")) && !span_eq(e->string, SPAN("hasTag"));
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
	case CEDAR_EXPR_NOT:
	case CEDAR_EXPR_NEG:
	case CEDAR_EXPR_AND:
	case CEDAR_EXPR_OR:
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_NE:
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
	case CEDAR_EXPR_IF:
	case CEDAR_EXPR_LIKE:
	case CEDAR_EXPR_SET:
	case CEDAR_EXPR_RECORD:
		return true;
	}
	return false;
}

static int measure(struct compiler *c, const struct cedar_expr *e, size_t depth);

static int measure_child(struct compiler *c, size_t at, const struct cedar_expr *child,
			 size_t depth)
{
	size_t child_at = c->nodes.len;
	int r;

	if (!child)
		return 0;
	r = measure(c, child, depth + 1);
	if (r < 0)
		return r;
	if (!c->nodes.items[child_at].is_constant)
		c->nodes.items[at].is_constant = false;
	return 0;
}

static int measure(struct compiler *c, const struct cedar_expr *e, size_t depth)
{
	size_t at = c->nodes.len;
	int r;

	if (depth >= LIMIT_CEDAR_DEPTH || at >= UINT32_MAX)
		return -EMSGSIZE;
	vec_push(&c->nodes, (struct node){ .is_constant = is_foldable(e) });
	r = measure_child(c, at, e->left, depth);
	if (r == 0)
		r = measure_child(c, at, e->right, depth);
	if (r == 0)
		r = measure_child(c, at, e->third, depth);
	for (size_t i = 0; r == 0 && i < e->n_items; i++)
		r = measure_child(c, at, e->items[i], depth);
	c->nodes.items[at].size = (uint32_t)(c->nodes.len - at);
	return r;
}

int compiler_measure(struct compiler *c, const struct cedar_expr *e)
{
	c->nodes.len = 0;
	return measure(c, e, 0);
}

const struct cedar_value *compiler_fold(struct compiler *c, const struct cedar_expr *e,
					struct vm_fault *fault)
{
	static const struct cedar_request no_request = { 0 };
	static const struct cedar_value nothing = { .kind = CEDAR_BOOL };
	struct cedar_eval_error error = { 0 };
	const struct cedar_value *v = NULL;
	int r = cedar_eval(e, &no_request, NULL, &c->program->arena, &v, &error);

	if (r == 0)
		return v;
	if (r != -EINVAL) {
		compiler_fail(c, r);
		return &nothing;
	}
	*fault = (struct vm_fault){ error.code, error.range };
	return NULL;
}
