#include "cedar/evaluate-private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/function.h"
#include "cedar/like.h"
#include "cedar/value-private.h"

int evaluation_fail(struct evaluation *ev, const struct cedar_expr *e, const char *code,
		    const char *fmt, ...)
{
	char message[400];
	va_list ap;

	if (!ev->error)
		return -EINVAL;
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	ev->error->code = code;
	ev->error->range = e->range;
	ev->error->message = arena_dup(ev->arena, span_of(message));
	if (!ev->error->message)
		return evaluation_out_of_memory(ev, e);
	return -EINVAL;
}

static int fail_limit(struct evaluation *ev, const struct cedar_expr *e, int code, const char *what)
{
	if (ev->error)
		*ev->error = (struct cedar_eval_error){ "limit", e->range, what };
	return code;
}

int evaluation_out_of_memory(struct evaluation *ev, const struct cedar_expr *e)
{
	return fail_limit(ev, e, -ENOMEM, "the evaluation needs more memory than is allowed");
}

int evaluation_type_error(struct evaluation *ev, const struct cedar_expr *e, const char *wanted,
			  const struct cedar_value *got)
{
	if (got->kind == CEDAR_ENTITY)
		return evaluation_fail(ev, e, "type",
				       "type error: expected %s, got (entity of type `%.*s`)",
				       wanted, SPAN_ARG(diagnostic_quote(got->uid.type)));
	return evaluation_fail(ev, e, "type", "type error: expected %s, got %s", wanted,
			       value_kind_name(got->kind));
}

int evaluate_kind(struct evaluation *ev, const struct cedar_expr *e, enum cedar_value_kind kind,
		  struct cedar_value *ret)
{
	int r = evaluate(ev, e, ret);

	if (r < 0 || ret->kind == kind)
		return r;
	return evaluation_type_error(
		ev, e, kind == CEDAR_ENTITY ? ENTITY_WANTED : value_kind_name(kind), ret);
}

int evaluate_bool(struct evaluation *ev, const struct cedar_expr *e, bool *ret)
{
	struct cedar_value v;
	int r = evaluate_kind(ev, e, CEDAR_BOOL, &v);

	if (r == 0)
		*ret = v.boolean;
	return r;
}

static int eval_var(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	switch (e->var) {
	case CEDAR_PRINCIPAL:
		return give_entity(ret, ev->request->principal);
	case CEDAR_ACTION:
		return give_entity(ret, ev->request->action);
	case CEDAR_RESOURCE:
		return give_entity(ret, ev->request->resource);
	case CEDAR_CONTEXT:
		break;
	}
	if (ev->request->context)
		*ret = *ev->request->context;
	else
		*ret = (struct cedar_value){ .kind = CEDAR_RECORD };
	return 0;
}

/* && and ||: the right side is looked at only where the left does not decide. */
static int eval_logic(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	bool b;
	int r = evaluate_bool(ev, e->left, &b);

	if (r == 0 && b == (e->kind == CEDAR_EXPR_AND))
		r = evaluate_bool(ev, e->right, &b);
	return r < 0 ? r : give_bool(ret, b);
}

static int eval_not(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	bool b;
	int r = evaluate_bool(ev, e->left, &b);

	return r < 0 ? r : give_bool(ret, !b);
}

/* A record may hold something unknown that nobody asked for; comparing asks. */
static int refuse_unknown(struct evaluation *ev, const struct cedar_expr *e,
			  const struct cedar_value *v)
{
	if (v->kind != CEDAR_RECORD || !value_has_unknown(v))
		return 0;
	return evaluation_fail(ev, e, "unknown", "a part of this record is unknown");
}

static int eval_equal(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value a, b;
	int r = evaluate(ev, e->left, &a);

	if (r == 0)
		r = evaluate(ev, e->right, &b);
	if (r == 0)
		r = refuse_unknown(ev, e->left, &a);
	if (r == 0)
		r = refuse_unknown(ev, e->right, &b);
	return r < 0 ? r : give_bool(ret, cedar_value_eq(&a, &b) == (e->kind == CEDAR_EXPR_EQ));
}

static bool is_ordered(enum cedar_value_kind kind)
{
	return kind == CEDAR_LONG || kind == CEDAR_DATETIME || kind == CEDAR_DURATION;
}

static int check_ordered(struct evaluation *ev, const struct cedar_expr *e,
			 const struct cedar_value *a, const struct cedar_value *b)
{
	static const char wanted[] = "one of [long, datetime, duration]";

	if (is_ordered(a->kind) && a->kind == b->kind)
		return 0;
	if (is_ordered(a->kind))
		return evaluation_type_error(ev, e->right, value_kind_name(a->kind), b);
	if (is_ordered(b->kind))
		return evaluation_type_error(ev, e->left, value_kind_name(b->kind), a);
	return evaluation_type_error(ev, e->left, wanted, a);
}

static int eval_order(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value a, b;
	int r = evaluate(ev, e->left, &a);

	if (r == 0)
		r = evaluate(ev, e->right, &b);
	if (r == 0)
		r = check_ordered(ev, e, &a, &b);
	if (r < 0)
		return r;
	if (e->kind == CEDAR_EXPR_LT)
		return give_bool(ret, a.integer < b.integer);
	if (e->kind == CEDAR_EXPR_LE)
		return give_bool(ret, a.integer <= b.integer);
	if (e->kind == CEDAR_EXPR_GT)
		return give_bool(ret, a.integer > b.integer);
	return give_bool(ret, a.integer >= b.integer);
}

static int eval_arithmetic(struct evaluation *ev, const struct cedar_expr *e,
			   struct cedar_value *ret)
{
	struct cedar_value a, b;
	bool overflows;
	const char *verb;
	int64_t n;
	int r = evaluate_kind(ev, e->left, CEDAR_LONG, &a);

	if (r == 0)
		r = evaluate_kind(ev, e->right, CEDAR_LONG, &b);
	if (r < 0)
		return r;
	if (e->kind == CEDAR_EXPR_ADD) {
		verb = "add";
		overflows = __builtin_add_overflow(a.integer, b.integer, &n);
	} else if (e->kind == CEDAR_EXPR_SUB) {
		verb = "subtract";
		overflows = __builtin_sub_overflow(a.integer, b.integer, &n);
	} else {
		verb = "multiply";
		overflows = __builtin_mul_overflow(a.integer, b.integer, &n);
	}
	if (overflows)
		return evaluation_fail(ev, e, "overflow",
				       "integer overflow while attempting to %s %lld and %lld",
				       verb, (long long)a.integer, (long long)b.integer);
	return give_integer(ret, CEDAR_LONG, n);
}

static int eval_negate(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value a;
	int64_t n;
	int r = evaluate_kind(ev, e->left, CEDAR_LONG, &a);

	if (r < 0)
		return r;
	if (__builtin_sub_overflow(0, a.integer, &n))
		return evaluation_fail(ev, e, "overflow",
				       "integer overflow while attempting to negate %lld",
				       (long long)a.integer);
	return give_integer(ret, CEDAR_LONG, n);
}

static int eval_if(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	bool b;
	int r = evaluate_bool(ev, e->left, &b);

	return r < 0 ? r : evaluate(ev, b ? e->right : e->third, ret);
}

static int eval_like(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_value left;
	int r = evaluate_kind(ev, e->left, CEDAR_STRING, &left);

	return r < 0 ? r : give_bool(ret, like_matches(left.string, e->pattern, e->n_pattern));
}

static int eval_item(struct evaluation *ev, const struct cedar_expr *item,
		     const struct cedar_value **ret)
{
	struct cedar_value *v = arena_new(ev->arena, struct cedar_value);

	*ret = v;
	return v ? evaluate(ev, item, v) : evaluation_out_of_memory(ev, item);
}

static int eval_set(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	const struct cedar_value **items;

	items = arena_alloc_array(ev->arena, e->n_items, sizeof(*items));
	if (!items)
		return evaluation_out_of_memory(ev, e);
	for (size_t i = 0; i < e->n_items; i++) {
		int r = eval_item(ev, e->items[i], &items[i]);

		if (r < 0)
			return r;
	}
	*ret = (struct cedar_value){ .kind = CEDAR_SET };
	ret->set.items = items;
	ret->set.len = value_sort_unique(items, e->n_items);
	return 0;
}

static int eval_record(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	struct cedar_record_entry *entries;

	entries = arena_alloc_array(ev->arena, e->n_items, sizeof(*entries));
	if (!entries)
		return evaluation_out_of_memory(ev, e);
	for (size_t i = 0; i < e->n_items; i++) {
		int r = eval_item(ev, e->items[i], &entries[i].value);

		if (r < 0)
			return r;
		entries[i].key = e->names[i];
	}
	if (value_make_record(ev->arena, entries, e->n_items, ret) < 0)
		return evaluation_out_of_memory(ev, e);
	return 0;
}

/* The common ["a", "b"].contains(x): no set is built. */
static int contains_literal(struct evaluation *ev, const struct cedar_expr *e,
			    struct cedar_value *ret)
{
	const struct cedar_expr *set = e->items[0];
	struct cedar_value wanted;
	bool found = false;
	int r = evaluate(ev, e->items[1], &wanted);

	for (size_t i = 0; r == 0 && i < set->n_items; i++) {
		struct cedar_value item;

		r = evaluate(ev, set->items[i], &item);
		found = found || (r == 0 && cedar_value_eq(&item, &wanted));
	}
	return r < 0 ? r : give_bool(ret, found);
}

static int eval_call(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	const struct function *f = function_find(e->string);
	struct cedar_value args[FUNCTION_MAX_ARGS];

	if (!f || f->is_method != e->is_method)
		return evaluation_fail(ev, e, "unknown_function", "`%.*s` is not a function",
				       SPAN_ARG(diagnostic_quote(e->string)));
	if (e->n_items != f->n_args)
		return evaluation_fail(ev, e, "arity", "`%s` takes %d arguments, but is given %zu",
				       f->name, f->n_args, e->n_items);
	if (f->is_builtin && e->items[0]->kind == CEDAR_EXPR_SET &&
	    span_eq(e->string, SPAN("contains")))
		return contains_literal(ev, e, ret);
	for (size_t i = 0; i < e->n_items; i++) {
		int r = evaluate(ev, e->items[i], &args[i]);

		if (r < 0)
			return r;
	}
	return f->call(ev, e, args, ret);
}

static int eval_node(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	switch (e->kind) {
	case CEDAR_EXPR_BOOL:
		return give_bool(ret, e->boolean);
	case CEDAR_EXPR_LONG:
		return give_integer(ret, CEDAR_LONG, e->integer);
	case CEDAR_EXPR_STRING:
		*ret = (struct cedar_value){ .kind = CEDAR_STRING, .string = e->string };
		return 0;
	case CEDAR_EXPR_ENTITY:
		return give_entity(ret, e->uid);
	case CEDAR_EXPR_VAR:
		return eval_var(ev, e, ret);
	case CEDAR_EXPR_SLOT:
		return evaluation_fail(ev, e, "unlinked_slot", "the template slot is not linked");
	case CEDAR_EXPR_NOT:
		return eval_not(ev, e, ret);
	case CEDAR_EXPR_NEG:
		return eval_negate(ev, e, ret);
	case CEDAR_EXPR_AND:
	case CEDAR_EXPR_OR:
		return eval_logic(ev, e, ret);
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_NE:
		return eval_equal(ev, e, ret);
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
		return eval_order(ev, e, ret);
	case CEDAR_EXPR_IN:
		return eval_in(ev, e, ret);
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
		return eval_arithmetic(ev, e, ret);
	case CEDAR_EXPR_IF:
		return eval_if(ev, e, ret);
	case CEDAR_EXPR_HAS:
		return eval_has(ev, e, ret);
	case CEDAR_EXPR_LIKE:
		return eval_like(ev, e, ret);
	case CEDAR_EXPR_IS:
		return eval_is(ev, e, ret);
	case CEDAR_EXPR_ATTRIBUTE:
		return eval_attribute(ev, e, ret);
	case CEDAR_EXPR_CALL:
		return eval_call(ev, e, ret);
	case CEDAR_EXPR_SET:
		return eval_set(ev, e, ret);
	case CEDAR_EXPR_RECORD:
		return eval_record(ev, e, ret);
	}
	return evaluation_fail(ev, e, "type", "not an expression");
}

int evaluate(struct evaluation *ev, const struct cedar_expr *e, struct cedar_value *ret)
{
	int r;

	if (ev->depth >= LIMIT_CEDAR_DEPTH)
		return fail_limit(ev, e, -EMSGSIZE, "the expression is nested too deeply");
	ev->depth++;
	r = eval_node(ev, e, ret);
	ev->depth--;
	return r;
}

int cedar_eval(const struct cedar_expr *e, const struct cedar_request *r,
	       const struct cedar_entity_source *entities, struct arena *arena,
	       const struct cedar_value **ret, struct cedar_eval_error *error)
{
	struct evaluation ev = {
		.request = r, .entities = entities, .arena = arena, .error = error
	};
	struct cedar_value *v = arena_new(arena, struct cedar_value);
	int code;

	if (!v)
		return evaluation_out_of_memory(&ev, e);
	code = evaluate(&ev, e, v);
	if (code < 0)
		return code;
	*ret = v;
	return 0;
}
