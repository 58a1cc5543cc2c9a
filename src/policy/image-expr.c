/* Expressions with the principal and the action known, the resource and the context not. */
#include <errno.h>

#include "policy/image-compile.h"

/* Of one policy; and of all policies' tests and unions of them. Beyond, no image is made. */
#define SCRATCH_MAX ((size_t)64 * 1024 * 1024)
#define ATOMS_MAX ((size_t)256 * 1024 * 1024)

bool compiler_init(struct compiler *c, struct span agent)
{
	*c = (struct compiler){ 0 };
	c->scratch.max = SCRATCH_MAX;
	c->atoms.arena.max = ATOMS_MAX;
	c->formula = (struct formula){ .atoms = &c->atoms, .arena = &c->scratch };
	c->graph.arena = &c->scratch;
	c->entities = entity_graph_source(&c->graph);
	c->request.principal = (struct cedar_entity_uid){ TYPE_AGENT, agent };
	return atoms_init(&c->atoms);
}

void compiler_done(struct compiler *c)
{
	atoms_done(&c->atoms);
	arena_done(&c->scratch);
}

void compiler_start(struct compiler *c, enum policy_action action)
{
	arena_reset(&c->scratch);
	c->request.action =
		(struct cedar_entity_uid){ TYPE_ACTION, span_of(policy_action_name(action)) };
	c->class = request_class_of(action);
	c->formula.is_three_valued = c->class == REQUEST_DNS;
	c->needs_host_name = false;
	c->blame = NULL;
	c->is_scope_to_blame = false;
	c->dead = NULL;
	c->is_scope_dead = false;
}

struct rails maybe(struct compiler *c, const struct cedar_expr *e)
{
	if (!c->blame)
		c->blame = e;
	return rails_maybe(&c->formula);
}

/* ---- What is known --------------------------------------------------------------- */

static bool is_var(const struct cedar_expr *e, enum cedar_var var)
{
	return e->kind == CEDAR_EXPR_VAR && e->var == var;
}

/* What a File, Host or MCP literal is in can hang on the resource: it may be the same. */
static bool may_be_left_of_in(const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_VAR)
		return true;
	return e->kind == CEDAR_EXPR_ENTITY &&
	       (span_eq(e->uid.type, TYPE_ACTION) || span_eq(e->uid.type, TYPE_AGENT) ||
		span_eq(e->uid.type, TYPE_DIR) || span_eq(e->uid.type, TYPE_DNS_ZONE) ||
		span_eq(e->uid.type, TYPE_IP_RANGE));
}

static bool is_known(const struct cedar_expr *e)
{
	bool has_in = e->kind == CEDAR_EXPR_IN || (e->kind == CEDAR_EXPR_IS && e->right);

	if (is_var(e, CEDAR_RESOURCE) || is_var(e, CEDAR_CONTEXT) || e->kind == CEDAR_EXPR_SLOT)
		return false;
	if (has_in && !may_be_left_of_in(e->left))
		return false;
	if ((e->left && !is_known(e->left)) || (e->right && !is_known(e->right)) ||
	    (e->third && !is_known(e->third)))
		return false;
	for (size_t i = 0; i < e->n_items; i++)
		if (!is_known(e->items[i]))
			return false;
	return true;
}

static struct operand evaluate_known(struct compiler *c, const struct cedar_expr *e)
{
	struct operand o = { .kind = OPERAND_KNOWN };
	struct cedar_eval_error error = { 0 };
	int r = cedar_eval(e, &c->request, &c->entities, &c->scratch, &o.value, &error);

	if (r < 0)
		o.kind = r == -EINVAL ? OPERAND_ERROR : OPERAND_UNKNOWN;
	return o;
}

/* ---- Operators -------------------------------------------------------------------- */

static struct rails binary(struct compiler *c, const struct cedar_expr *e,
			   struct rails (*op)(struct compiler *, const struct cedar_expr *,
					      const struct operand *, const struct operand *))
{
	struct operand a = operand_of(c, e->left);
	struct operand b = operand_of(c, e->right);

	if (a.kind == OPERAND_UNKNOWN || b.kind == OPERAND_UNKNOWN)
		return maybe(c, e);
	if (a.kind == OPERAND_ERROR || b.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	return op(c, e, &a, &b);
}

static struct rails in_value(struct compiler *c, const struct cedar_value *v)
{
	struct test_list list = { 0 };

	if (v->kind == CEDAR_ENTITY) {
		resource_in(c, &list, v->uid);
		return rails_of_tests(c, &list, 0);
	}
	if (v->kind != CEDAR_SET)
		return rails_error(&c->formula);
	for (size_t i = 0; i < v->set.len; i++) {
		if (v->set.items[i]->kind != CEDAR_ENTITY) {
			vec_done(&list.tests);
			return rails_error(&c->formula);
		}
		resource_in(c, &list, v->set.items[i]->uid);
	}
	return rails_of_tests(c, &list, 0);
}

static struct rails resource_in_expr(struct compiler *c, const struct cedar_expr *e)
{
	struct operand right = operand_of(c, e->right);

	if (right.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	return right.kind == OPERAND_KNOWN ? in_value(c, right.value) : maybe(c, e);
}

static struct rails in(struct compiler *c, const struct cedar_expr *e)
{
	struct operand left = operand_of(c, e->left);

	if (left.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	return left.kind == OPERAND_RESOURCE ? resource_in_expr(c, e) : maybe(c, e);
}

static struct rails is(struct compiler *c, const struct cedar_expr *e)
{
	struct operand left = operand_of(c, e->left);

	if (left.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	if (left.kind != OPERAND_RESOURCE)
		return maybe(c, e);
	if (!span_eq(e->type_name, resource_type(c)))
		return rails_known(&c->formula, false);
	return e->right ? resource_in_expr(c, e) : rails_known(&c->formula, true);
}

static struct rails has(struct compiler *c, const struct cedar_expr *e)
{
	if (is_var(e->left, CEDAR_RESOURCE))
		return resource_has(c, e);
	return is_var(e->left, CEDAR_CONTEXT) ? context_has(c, e) : maybe(c, e);
}

static struct rails like_expr(struct compiler *c, const struct cedar_expr *e)
{
	struct operand left = operand_of(c, e->left);

	if (left.kind == OPERAND_ERROR)
		return rails_error(&c->formula);
	return left.kind == OPERAND_UNKNOWN ? maybe(c, e) : like(c, e, &left);
}

static struct rails operator_rails(struct compiler *c, const struct cedar_expr *e)
{
	switch (e->kind) {
	case CEDAR_EXPR_NOT:
		return rails_not(rails_of(c, e->left));
	case CEDAR_EXPR_AND: {
		struct rails left = rails_of(c, e->left);

		/* What is never evaluated need not be understood. */
		return left.is_true.n ? rails_and(&c->formula, left, rails_of(c, e->right)) : left;
	}
	case CEDAR_EXPR_OR: {
		struct rails left = rails_of(c, e->left);

		return left.is_false.n ? rails_or(&c->formula, left, rails_of(c, e->right)) : left;
	}
	case CEDAR_EXPR_EQ:
		return binary(c, e, equality);
	case CEDAR_EXPR_NE:
		return rails_not(binary(c, e, equality));
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
		return binary(c, e, ordering);
	case CEDAR_EXPR_IN:
		return in(c, e);
	case CEDAR_EXPR_IS:
		return is(c, e);
	case CEDAR_EXPR_HAS:
		return has(c, e);
	case CEDAR_EXPR_LIKE:
		return like_expr(c, e);
	case CEDAR_EXPR_CALL:
		return method(c, e);
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
	case CEDAR_EXPR_NEG:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
	case CEDAR_EXPR_IF:
	case CEDAR_EXPR_ATTRIBUTE:
	case CEDAR_EXPR_SET:
	case CEDAR_EXPR_RECORD:
		break;
	}
	return maybe(c, e);
}

static struct operand attribute(struct compiler *c, const struct cedar_expr *e)
{
	struct operand left = operand_of(c, e->left);

	if (left.kind == OPERAND_RESOURCE)
		return resource_attribute(c, e->string);
	if (left.kind == OPERAND_CONTEXT)
		return context_attribute(c, e->string);
	if (left.kind != OPERAND_ERROR)
		left.kind = OPERAND_UNKNOWN;
	return left;
}

static struct operand bool_operand(struct rails r)
{
	return (struct operand){ .kind = OPERAND_BOOL, .rails = r };
}

static struct operand choice(struct compiler *c, const struct cedar_expr *e)
{
	struct rails condition = rails_of(c, e->left);
	struct rails a = rails_known(&c->formula, true), b = a;

	if (condition.is_true.n)
		a = rails_of(c, e->right);
	if (condition.is_false.n)
		b = rails_of(c, e->third);
	return bool_operand(rails_if(&c->formula, condition, a, b));
}

static struct operand call_operand(struct compiler *c, const struct cedar_expr *e)
{
	struct operand receiver;

	if (!e->is_method || e->n_items != 1 || !span_eq(e->string, SPAN("toTime")))
		return bool_operand(method(c, e));
	receiver = operand_of(c, e->items[0]);
	if (receiver.kind == OPERAND_NOW)
		receiver.kind = OPERAND_TIME;
	else if (receiver.kind != OPERAND_ERROR)
		receiver.kind = OPERAND_UNKNOWN;
	return receiver;
}

struct operand operand_of(struct compiler *c, const struct cedar_expr *e)
{
	if (is_var(e, CEDAR_RESOURCE))
		return (struct operand){ .kind = OPERAND_RESOURCE };
	if (is_var(e, CEDAR_CONTEXT))
		return (struct operand){ .kind = OPERAND_CONTEXT };
	if (e->kind == CEDAR_EXPR_ATTRIBUTE && !is_known(e))
		return attribute(c, e);
	if (is_known(e))
		return evaluate_known(c, e);
	switch (e->kind) {
	case CEDAR_EXPR_CALL:
		return call_operand(c, e);
	case CEDAR_EXPR_NOT:
	case CEDAR_EXPR_AND:
	case CEDAR_EXPR_OR:
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_NE:
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
	case CEDAR_EXPR_IN:
	case CEDAR_EXPR_IS:
	case CEDAR_EXPR_HAS:
	case CEDAR_EXPR_LIKE:
		return bool_operand(operator_rails(c, e));
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
	case CEDAR_EXPR_NEG:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
	case CEDAR_EXPR_IF:
	case CEDAR_EXPR_ATTRIBUTE:
	case CEDAR_EXPR_SET:
	case CEDAR_EXPR_RECORD:
		break;
	}
	return (struct operand){ .kind = OPERAND_UNKNOWN };
}

struct rails rails_of(struct compiler *c, const struct cedar_expr *e)
{
	struct operand o;

	/* Chains of these are long: their parts are looked at once. */
	if (e->kind == CEDAR_EXPR_AND || e->kind == CEDAR_EXPR_OR || e->kind == CEDAR_EXPR_NOT)
		return operator_rails(c, e);
	o = e->kind == CEDAR_EXPR_IF ? choice(c, e) : operand_of(c, e);
	switch (o.kind) {
	case OPERAND_UNKNOWN:
		return maybe(c, e);
	case OPERAND_BOOL:
		return o.rails;
	case OPERAND_KNOWN:
		if (o.value->kind == CEDAR_BOOL)
			return rails_known(&c->formula, o.value->boolean);
		break;
	case OPERAND_ERROR:
	case OPERAND_RESOURCE:
	case OPERAND_CONTEXT:
	case OPERAND_STRING:
	case OPERAND_STRINGS:
	case OPERAND_PORT:
	case OPERAND_IP:
	case OPERAND_NOW:
	case OPERAND_TIME:
		break;
	}
	/* No Bool where one is needed. */
	return rails_error(&c->formula);
}

/* ---- Policies ---------------------------------------------------------------------- */

static struct rails scope_rails(struct compiler *c, const struct cedar_scope *s)
{
	bool has_type = s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN;
	struct rails r = rails_known(&c->formula, false);

	if (s->is_slot || (has_type && !span_eq(s->type_name, resource_type(c))))
		return r;
	if (s->op == CEDAR_SCOPE_ANY || s->op == CEDAR_SCOPE_IS)
		return rails_known(&c->formula, true);
	if (s->op == CEDAR_SCOPE_EQ)
		return resource_equals(c, s->uids[0]);
	for (size_t i = 0; i < s->n_uids; i++)
		r = rails_or(&c->formula, r, resource_in_uid(c, s->uids[i]));
	return r;
}

/* Of a condition that cannot be true, the part that cannot. */
static const struct cedar_expr *dead_part(struct compiler *c, const struct cedar_expr *e)
{
	while (e->kind == CEDAR_EXPR_AND) {
		if (!rails_of(c, e->left).is_true.n)
			e = e->left;
		else if (!rails_of(c, e->right).is_true.n)
			e = e->right;
		else
			break;
	}
	return e;
}

struct policy_formula compile_policy(struct compiler *c, const struct cedar_policy *p)
{
	struct rails all;

	if (c->class == REQUEST_DNS)
		return compile_unknown(c, p);
	all = scope_rails(c, &p->resource);
	c->is_scope_to_blame = cover_has_maybe(all.is_true);
	c->is_scope_dead = !all.is_true.n;
	for (size_t i = 0; i < p->n_conditions && all.is_true.n; i++) {
		struct rails body = rails_of(c, p->conditions[i].body);

		all = rails_and(&c->formula, all,
				p->conditions[i].is_unless ? rails_not(body) : body);
		if (!all.is_true.n)
			c->dead = p->conditions[i].is_unless ? p->conditions[i].body
							     : dead_part(c, p->conditions[i].body);
	}
	return (struct policy_formula){ cover_compact(&c->formula, all.is_true),
					cover_compact(&c->formula, all.is_error) };
}
