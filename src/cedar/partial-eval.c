/* Logic, operators on values, and what is put together of parts. */
#include <errno.h>

#include "base/limits.h"
#include "cedar/function.h"
#include "cedar/node.h"
#include "cedar/partial.h"
#include "cedar/value-private.h"

void partial_init(struct partial *p, const struct cedar_schema *schema,
		  const struct cedar_partial_request *request,
		  const struct cedar_partial_source *source, struct arena *arena)
{
	*p = (struct partial){
		.schema = schema, .request = request, .source = source, .arena = arena
	};
	p->evaluation.arena = arena;
}

struct outcome partial_fail(struct partial *p, int failure)
{
	if (!p->failure)
		p->failure = failure;
	return partial_error();
}

struct outcome partial_value(const struct cedar_value *v)
{
	return (struct outcome){ .kind = OUTCOME_VALUE, .value = v };
}

struct outcome partial_error(void)
{
	return (struct outcome){ .kind = OUTCOME_ERROR };
}

static struct outcome keep_value(struct partial *p, struct cedar_value v)
{
	struct cedar_value *kept = arena_new(p->arena, struct cedar_value);

	if (!kept)
		return partial_fail(p, -ENOMEM);
	*kept = v;
	return partial_value(kept);
}

struct outcome partial_bool(struct partial *p, bool b)
{
	return keep_value(p, (struct cedar_value){ .kind = CEDAR_BOOL, .boolean = b });
}

struct outcome partial_expr_left(struct partial *p, const struct cedar_expr *e, bool can_err,
				 size_t size)
{
	if (!e)
		return partial_fail(p, -ENOMEM);
	if (size > LIMIT_CEDAR_RESIDUAL)
		return partial_fail(p, -EMSGSIZE);
	return (struct outcome){
		.kind = OUTCOME_OPEN, .expr = e, .can_err = can_err, .size = size
	};
}

static bool is_bool(const struct outcome *o, bool b)
{
	return o->kind == OUTCOME_VALUE && o->value->kind == CEDAR_BOOL && o->value->boolean == b;
}

static bool may_err(const struct outcome *o)
{
	return o->kind == OUTCOME_ERROR || (o->kind == OUTCOME_OPEN && o->can_err);
}

const struct cedar_expr *partial_expr(struct partial *p, const struct outcome *o,
				      struct cedar_range at)
{
	const struct cedar_expr *e = o->expr;

	if (o->kind == OUTCOME_VALUE)
		e = node_value(p->arena, o->value, at);
	else if (o->kind == OUTCOME_ERROR)
		e = node_error(p->arena, at);
	if (!e)
		(void)partial_fail(p, -ENOMEM);
	return e;
}

/* Arithmetic may overflow, an attribute or a tag be missing; the reference counts every extension
 * call. */
static bool operator_can_err(const struct cedar_expr *e, enum cedar_expr_kind kind)
{
	const struct function *f;

	if (kind == CEDAR_EXPR_NEG || kind == CEDAR_EXPR_ADD || kind == CEDAR_EXPR_SUB ||
	    kind == CEDAR_EXPR_MUL || kind == CEDAR_EXPR_ATTRIBUTE)
		return true;
	if (kind != CEDAR_EXPR_CALL)
		return false;
	f = function_find(e->string);
	return !f || !f->is_builtin || span_eq(e->string, SPAN("getTag"));
}

struct outcome partial_open(struct partial *p, const struct cedar_expr *e,
			    enum cedar_expr_kind kind, const struct outcome *left,
			    const struct outcome *right)
{
	const struct cedar_expr *l = partial_expr(p, left, e->range), *r = NULL;
	struct cedar_expr *made;

	if (right)
		r = partial_expr(p, right, e->range);
	if (!l || (right && !r))
		return partial_fail(p, -ENOMEM);
	made = node_new(p->arena, kind, e->range, l, r);
	if (!made)
		return partial_fail(p, -ENOMEM);
	if (kind == CEDAR_EXPR_LIKE) {
		made->pattern = e->pattern;
		made->n_pattern = e->n_pattern;
	} else if (kind == CEDAR_EXPR_IS) {
		made->type_name = e->type_name;
	} else if (kind == CEDAR_EXPR_ATTRIBUTE) {
		made->string = e->string;
	}
	return partial_expr_left(
		p, made, operator_can_err(e, kind) || may_err(left) || (right && may_err(right)),
		left->size + (right ? right->size : 0) + 1);
}

/* ---- Logic ---------------------------------------------------------------------- */

struct outcome partial_and(struct partial *p, const struct cedar_expr *e, struct outcome left,
			   struct outcome right)
{
	if (left.kind == OUTCOME_ERROR || is_bool(&left, false))
		return left;
	if (is_bool(&left, true))
		return right;
	if (is_bool(&right, true))
		return left;
	if (is_bool(&right, false) && !may_err(&left))
		return right;
	return partial_open(p, e, CEDAR_EXPR_AND, &left, &right);
}

static struct outcome partial_or(struct partial *p, const struct cedar_expr *e, struct outcome left,
				 struct outcome right)
{
	if (left.kind == OUTCOME_ERROR || is_bool(&left, true))
		return left;
	if (is_bool(&left, false))
		return right;
	if (is_bool(&right, false))
		return left;
	if (is_bool(&right, true) && !may_err(&left))
		return right;
	return partial_open(p, e, CEDAR_EXPR_OR, &left, &right);
}

static bool has_type(const struct partial *p, const struct cedar_expr *e, enum cedar_type_kind kind)
{
	const struct cedar_type *type = typing_get(p->types, e);

	return type && type->kind == kind;
}

/* Where types decide that the right side is never evaluated, it is not there. */
static struct outcome eval_logic(struct partial *p, const struct cedar_expr *e)
{
	bool is_and = e->kind == CEDAR_EXPR_AND;
	struct outcome left = partial_eval(p, e->left), right;

	if (left.kind == OUTCOME_ERROR || is_bool(&left, !is_and) ||
	    has_type(p, e->left, is_and ? CEDAR_TYPE_FALSE : CEDAR_TYPE_TRUE))
		return left;
	right = partial_eval(p, e->right);
	return is_and ? partial_and(p, e, left, right) : partial_or(p, e, left, right);
}

/* Where types decide the test, the other branch has no types; the reference puts the one in its
 * place. */
static void eval_branches(struct partial *p, const struct cedar_expr *e, struct outcome *yes,
			  struct outcome *no)
{
	bool is_true = has_type(p, e->left, CEDAR_TYPE_TRUE);
	bool is_false = has_type(p, e->left, CEDAR_TYPE_FALSE);

	if (!is_false)
		*yes = partial_eval(p, e->right);
	*no = is_true ? *yes : partial_eval(p, e->third);
	if (is_false)
		*yes = *no;
}

static struct outcome eval_if(struct partial *p, const struct cedar_expr *e)
{
	struct outcome test = partial_eval(p, e->left), yes = { 0 }, no = { 0 };
	const struct cedar_expr *third;
	struct outcome all;

	if (test.kind == OUTCOME_ERROR)
		return test;
	if (test.kind == OUTCOME_VALUE)
		return partial_eval(p, is_bool(&test, true) ? e->right : e->third);
	eval_branches(p, e, &yes, &no);
	all = partial_open(p, e, CEDAR_EXPR_IF, &test, &yes);
	third = partial_expr(p, &no, e->range);
	if (all.kind == OUTCOME_OPEN && third) {
		struct cedar_expr *made = node_new(p->arena, CEDAR_EXPR_IF, e->range,
						   all.expr->left, all.expr->right);

		if (!made)
			return partial_fail(p, -ENOMEM);
		made->third = (struct cedar_expr *)(uintptr_t)third;
		made->depth = MAX(made->depth, third->depth + 1);
		return partial_expr_left(p, made, all.can_err || may_err(&no), all.size + no.size);
	}
	return all;
}

/* ---- Operators -------------------------------------------------------------------- */

/* An operator whose parts are all values: as the evaluator does it. */
static struct outcome apply(struct partial *p, const struct cedar_expr *e)
{
	struct cedar_value v;
	int r;

	p->evaluation.depth = 0;
	r = evaluate(&p->evaluation, e, &v);
	if (r == -ENOMEM || r == -EMSGSIZE)
		return partial_fail(p, r);
	return r < 0 ? partial_error() : keep_value(p, v);
}

static struct outcome eval_not_of(struct partial *p, const struct cedar_expr *e, struct outcome o)
{
	if (o.kind == OUTCOME_VALUE)
		return partial_bool(p, is_bool(&o, false));
	return o.kind == OUTCOME_ERROR ? o : partial_open(p, e, CEDAR_EXPR_NOT, &o, NULL);
}

/* Two parts, or one: an error in any is an error, values give a value. */
static struct outcome eval_strict(struct partial *p, const struct cedar_expr *e,
				  enum cedar_expr_kind kind)
{
	struct outcome left = partial_eval(p, e->left), right = { .kind = OUTCOME_VALUE }, all;
	bool has_right = e->right;

	if (has_right)
		right = partial_eval(p, e->right);
	if (left.kind == OUTCOME_ERROR || right.kind == OUTCOME_ERROR)
		return partial_error();
	if (kind == CEDAR_EXPR_IN)
		return partial_in(p, e, left, right);
	all = partial_open(p, e, kind, &left, has_right ? &right : NULL);
	if (left.kind == OUTCOME_VALUE && right.kind == OUTCOME_VALUE && all.kind == OUTCOME_OPEN)
		return apply(p, all.expr);
	return all;
}

static struct outcome eval_is(struct partial *p, const struct cedar_expr *e)
{
	struct outcome x = partial_eval(p, e->left), is, in;
	const struct cedar_expr *var = x.kind == OUTCOME_OPEN ? x.expr : NULL;

	if (x.kind == OUTCOME_ERROR)
		return x;
	if (x.kind == OUTCOME_VALUE)
		is = partial_bool(p, span_eq(x.value->uid.type, e->type_name));
	else if (var->kind == CEDAR_EXPR_VAR && var->var == CEDAR_PRINCIPAL)
		is = partial_bool(p, span_eq(p->request->principal.type, e->type_name));
	else if (var->kind == CEDAR_EXPR_VAR && var->var == CEDAR_RESOURCE)
		is = partial_bool(p, span_eq(p->request->resource.type, e->type_name));
	else
		is = partial_open(p, e, CEDAR_EXPR_IS, &x, NULL);
	if (!e->right || is_bool(&is, false) || has_type(p, e, CEDAR_TYPE_FALSE))
		return is;
	in = partial_eval(p, e->right);
	in = in.kind == OUTCOME_ERROR ? in : partial_in(p, e, x, in);
	return partial_and(p, e, is, in);
}

static struct outcome eval_var(struct partial *p, const struct cedar_expr *e)
{
	const struct cedar_partial_uid *uid =
		e->var == CEDAR_PRINCIPAL ? &p->request->principal : &p->request->resource;

	if (e->var == CEDAR_CONTEXT)
		return p->request->context ? partial_value(p->request->context)
					   : partial_expr_left(p, e, false, 1);
	if (e->var == CEDAR_ACTION)
		return keep_value(
			p, (struct cedar_value){ .kind = CEDAR_ENTITY, .uid = p->request->action });
	if (!uid->has_id)
		return partial_expr_left(p, e, false, 1);
	return keep_value(
		p, (struct cedar_value){ .kind = CEDAR_ENTITY, .uid = { uid->type, uid->id } });
}

/* ---- Sets, records, calls ------------------------------------------------------------ */

static struct outcome make_set(struct partial *p, const struct outcome *parts, size_t n)
{
	const struct cedar_value **items = arena_alloc_array(p->arena, n, sizeof(*items));
	const struct cedar_value *set;

	if (!items)
		return partial_fail(p, -ENOMEM);
	for (size_t i = 0; i < n; i++)
		items[i] = parts[i].value;
	set = cedar_value_set(p->arena, items, n);
	return set ? partial_value(set) : partial_fail(p, -ENOMEM);
}

static struct outcome make_record(struct partial *p, const struct cedar_expr *e,
				  const struct outcome *parts)
{
	struct cedar_record_entry *entries;
	const struct cedar_value *record;

	entries = arena_alloc_array(p->arena, e->n_items, sizeof(*entries));
	if (!entries)
		return partial_fail(p, -ENOMEM);
	for (size_t i = 0; i < e->n_items; i++)
		entries[i] = (struct cedar_record_entry){ e->names[i], parts[i].value };
	record = cedar_value_record(p->arena, entries, e->n_items);
	return record ? partial_value(record) : partial_fail(p, -ENOMEM);
}

static struct outcome with_items(struct partial *p, const struct cedar_expr *e,
				 const struct outcome *parts)
{
	struct cedar_expr **items = arena_alloc_array(p->arena, e->n_items, sizeof(*items));
	bool can_err = operator_can_err(e, e->kind);
	size_t size = 1;

	if (!items)
		return partial_fail(p, -ENOMEM);
	for (size_t i = 0; i < e->n_items; i++) {
		const struct cedar_expr *item = partial_expr(p, &parts[i], e->items[i]->range);

		if (!item)
			return partial_fail(p, -ENOMEM);
		items[i] = (struct cedar_expr *)(uintptr_t)item;
		can_err = can_err || may_err(&parts[i]);
		size += parts[i].size;
	}
	return partial_expr_left(p, node_with_items(p->arena, e, items), can_err, size);
}

static struct outcome eval_items(struct partial *p, const struct cedar_expr *e)
{
	struct outcome *parts = arena_alloc_array(p->arena, e->n_items, sizeof(*parts));
	bool is_value = true, is_error = false;
	struct outcome all;

	if (!parts)
		return partial_fail(p, -ENOMEM);
	for (size_t i = 0; i < e->n_items; i++) {
		parts[i] = partial_eval(p, e->items[i]);
		is_value = is_value && parts[i].kind == OUTCOME_VALUE;
		is_error = is_error || parts[i].kind == OUTCOME_ERROR;
	}
	if (is_error)
		return partial_error();
	if (is_value && e->kind == CEDAR_EXPR_SET)
		return make_set(p, parts, e->n_items);
	if (is_value && e->kind == CEDAR_EXPR_RECORD)
		return make_record(p, e, parts);
	all = with_items(p, e, parts);
	return is_value && all.kind == OUTCOME_OPEN ? apply(p, all.expr) : all;
}

static struct outcome eval_call(struct partial *p, const struct cedar_expr *e)
{
	if (span_eq(e->string, SPAN("hasTag")) || span_eq(e->string, SPAN("getTag")))
		return partial_tag(p, e);
	return eval_items(p, e);
}

/* ---- All ---------------------------------------------------------------------------------- */

static struct outcome eval_literal(struct partial *p, const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_BOOL)
		return partial_bool(p, e->boolean);
	if (e->kind == CEDAR_EXPR_LONG)
		return keep_value(
			p, (struct cedar_value){ .kind = CEDAR_LONG, .integer = e->integer });
	if (e->kind == CEDAR_EXPR_STRING)
		return keep_value(
			p, (struct cedar_value){ .kind = CEDAR_STRING, .string = e->string });
	return keep_value(p, (struct cedar_value){ .kind = CEDAR_ENTITY, .uid = e->uid });
}

static struct outcome dispatch(struct partial *p, const struct cedar_expr *e)
{
	switch (e->kind) {
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
		return eval_literal(p, e);
	case CEDAR_EXPR_VAR:
		return eval_var(p, e);
	case CEDAR_EXPR_SLOT:
		return partial_error();
	case CEDAR_EXPR_NOT:
		return eval_not_of(p, e, partial_eval(p, e->left));
	case CEDAR_EXPR_AND:
	case CEDAR_EXPR_OR:
		return eval_logic(p, e);
	case CEDAR_EXPR_IF:
		return eval_if(p, e);
	/* What the reference has no operator for. */
	case CEDAR_EXPR_NE:
		return eval_not_of(p, e, eval_strict(p, e, CEDAR_EXPR_EQ));
	case CEDAR_EXPR_GT:
		return eval_not_of(p, e, eval_strict(p, e, CEDAR_EXPR_LE));
	case CEDAR_EXPR_GE:
		return eval_not_of(p, e, eval_strict(p, e, CEDAR_EXPR_LT));
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_IN:
	case CEDAR_EXPR_NEG:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
	case CEDAR_EXPR_LIKE:
		return eval_strict(p, e, e->kind);
	case CEDAR_EXPR_IS:
		return eval_is(p, e);
	case CEDAR_EXPR_HAS:
		return partial_has(p, e);
	case CEDAR_EXPR_ATTRIBUTE:
		return partial_attribute(p, e);
	case CEDAR_EXPR_CALL:
		return eval_call(p, e);
	case CEDAR_EXPR_SET:
	case CEDAR_EXPR_RECORD:
		return eval_items(p, e);
	}
	return partial_error();
}

struct outcome partial_eval(struct partial *p, const struct cedar_expr *e)
{
	struct outcome o;

	if (p->failure)
		return partial_error();
	if (p->depth >= LIMIT_CEDAR_DEPTH)
		return partial_fail(p, -EMSGSIZE);
	p->depth++;
	o = dispatch(p, e);
	p->depth--;
	return o;
}
