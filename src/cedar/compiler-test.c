/* Code for what is true or false: jumps for the connectives, tests for the rest. */
#include <errno.h>

#include "cedar/compiler.h"
#include "cedar/function.h"

/* ---- Functions ----------------------------------------------------------- */

static const struct {
	const char *name;
	enum vm_op op;
} calls[] = {
	{ "contains", OP_CONTAINS },
	{ "containsAll", OP_CONTAINS_ALL },
	{ "containsAny", OP_CONTAINS_ANY },
	{ "isEmpty", OP_IS_EMPTY },
	{ "hasTag", OP_HAS_TAG },
	{ "getTag", OP_GET_TAG },
	{ "ip", OP_IP },
	{ "decimal", OP_DECIMAL },
	{ "datetime", OP_DATETIME },
	{ "duration", OP_DURATION },
	{ "lessThan", OP_LESS },
	{ "lessThanOrEqual", OP_LESS_EQUAL },
	{ "greaterThan", OP_GREATER },
	{ "greaterThanOrEqual", OP_GREATER_EQUAL },
	{ "isIpv4", OP_IS_IPV4 },
	{ "isIpv6", OP_IS_IPV6 },
	{ "isLoopback", OP_IS_LOOPBACK },
	{ "isMulticast", OP_IS_MULTICAST },
	{ "isInRange", OP_IS_IN_RANGE },
	{ "offset", OP_OFFSET },
	{ "durationSince", OP_DURATION_SINCE },
	{ "toDate", OP_TO_DATE },
	{ "toTime", OP_TO_TIME },
	{ "toMilliseconds", OP_TO_MILLISECONDS },
	{ "toSeconds", OP_TO_SECONDS },
	{ "toMinutes", OP_TO_MINUTES },
	{ "toHours", OP_TO_HOURS },
	{ "toDays", OP_TO_DAYS },
};

int call_op(const struct cedar_expr *e, struct vm_fault *fault)
{
	const struct function *f = function_find(e->string);

	*fault = (struct vm_fault){ "unknown_function", e->range };
	if (!f || f->is_method != e->is_method)
		return -1;
	if (e->n_items != f->n_args) {
		fault->code = "arity";
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (span_eq_str(e->string, calls[i].name))
			return (int)calls[i].op;
	return -1;
}

/* ---- Tests --------------------------------------------------------------- */

bool is_test(const struct cedar_expr *e)
{
	struct vm_fault fault;

	switch (e->kind) {
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_NE:
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
	case CEDAR_EXPR_IN:
	case CEDAR_EXPR_HAS:
	case CEDAR_EXPR_LIKE:
		return true;
	case CEDAR_EXPR_IS:
		return !e->right;
	case CEDAR_EXPR_CALL:
		return call_op(e, &fault) >= 0 && call_op(e, &fault) < OP_CALL_VALUE;
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
	case CEDAR_EXPR_NOT:
	case CEDAR_EXPR_NEG:
	case CEDAR_EXPR_AND:
	case CEDAR_EXPR_OR:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
	case CEDAR_EXPR_IF:
	case CEDAR_EXPR_ATTRIBUTE:
	case CEDAR_EXPR_SET:
	case CEDAR_EXPR_RECORD:
		break;
	}
	return false;
}

static void gen_compare(struct compiler *c, const struct cedar_expr *e, size_t at, enum vm_op op,
			struct wish w)
{
	uint32_t x = gen_value(c, e->left, at + 1);
	uint32_t y = gen_value(c, e->right, node_after(c, at + 1));

	emit(c, op, e, x, y);
	emit_wish(c, &w);
}

/* One operand, and a number. */
static void gen_simple(struct compiler *c, const struct cedar_expr *e, size_t at, enum vm_op op,
		       uint32_t y, struct wish w)
{
	uint32_t x = gen_value(c, e->left, at + 1);

	emit(c, op, e, x, y);
	emit_wish(c, &w);
}

static void gen_has(struct compiler *c, const struct cedar_expr *e, size_t at, struct wish w)
{
	size_t begin = c->name_lists.len;

	if (e->left->kind == CEDAR_EXPR_VAR && e->n_names == 1) {
		emit(c, OP_HAS_MEMO, e, compiler_memo(c, e->left->var, e->names[0]), 0);
		emit_wish(c, &w);
		return;
	}
	for (size_t i = 0; i < e->n_names; i++)
		vec_push(&c->name_lists, compiler_name(c, e->names[i]));
	gen_simple(c, e, at, OP_HAS, (uint32_t)begin, w);
}

/* x op each item of a set that is written out: no set is built. */
static void gen_items(struct compiler *c, const struct cedar_expr *set, size_t at, enum vm_op op,
		      uint32_t x, struct wish w)
{
	uint16_t dst = temporary(c);
	size_t item_at = at + 1;

	emit(c, OP_MOVE, NULL, VM_OPERAND(PLACE_CONSTANT, 0U), 0)->dst = dst;
	for (size_t i = 0; i < set->n_items; i++) {
		uint32_t mark = c->next_register;
		uint32_t y = gen_value(c, set->items[i], item_at);

		emit(c, op, set->items[i], x, y)->dst = dst;
		c->next_register = mark;
		item_at = node_after(c, item_at);
	}
	emit(c, OP_TEST, set, dst, 0);
	emit_wish(c, &w);
}

/* The constant set that e is, or NULL. */
static const struct cedar_value *constant_set(struct compiler *c, const struct cedar_expr *e,
					      size_t at, bool want_entities)
{
	const struct cedar_value *v;
	struct vm_fault fault;

	if (!node_is_constant(c, at))
		return NULL;
	v = compiler_fold(c, e, &fault);
	if (!v || v->kind != CEDAR_SET)
		return NULL;
	for (size_t i = 0; want_entities && i < v->set.len; i++)
		if (v->set.items[i]->kind != CEDAR_ENTITY)
			return NULL;
	return v;
}

void gen_in(struct compiler *c, const struct cedar_expr *e, size_t at, uint32_t x, bool is_checked,
	    struct wish w)
{
	const struct cedar_value *set = NULL;
	enum vm_op op = OP_IN;
	uint32_t y;

	if (e->right->kind == CEDAR_EXPR_SET) {
		set = constant_set(c, e->right, at, /* want_entities = */ true);
		if (!set) {
			if (!is_checked)
				emit(c, OP_CHECK_ENTITY, e->left, x, 0);
			gen_items(c, e->right, at, OP_IN_ITEM, x, w);
			return;
		}
	}
	if (!is_checked && !set && e->right->kind != CEDAR_EXPR_ENTITY)
		emit(c, OP_CHECK_ENTITY, e->left, x, 0);
	if (e->right->kind == CEDAR_EXPR_ENTITY) {
		op = OP_IN_UID;
		y = compiler_uid(c, e->right->uid);
	} else {
		y = set ? compiler_constant(c, set) : gen_value(c, e->right, at);
	}
	emit(c, op, e, x, y);
	emit_wish(c, &w);
}

static void gen_call_test(struct compiler *c, const struct cedar_expr *e, size_t at, struct wish w)
{
	size_t second = node_after(c, at + 1);
	const struct cedar_value *set = NULL;
	struct vm_fault fault;
	int op = call_op(e, &fault);
	uint32_t x;
	uint32_t y = 0;

	if (op < 0)
		return;
	if (op == OP_CONTAINS && e->items[0]->kind == CEDAR_EXPR_SET) {
		set = constant_set(c, e->items[0], at + 1, /* want_entities = */ false);
		if (!set) {
			x = gen_value(c, e->items[1], second);
			gen_items(c, e->items[0], at + 1, OP_EQ_ITEM, x, w);
			return;
		}
	}
	x = set ? compiler_constant(c, set) : gen_value(c, e->items[0], at + 1);
	if (e->n_items > 1)
		y = gen_value(c, e->items[1], second);
	emit(c, (enum vm_op)op, e, x, y);
	emit_wish(c, &w);
}

static enum vm_op compare_op(enum cedar_expr_kind kind)
{
	if (kind == CEDAR_EXPR_EQ)
		return OP_EQ;
	if (kind == CEDAR_EXPR_NE)
		return OP_NE;
	if (kind == CEDAR_EXPR_LT)
		return OP_LT;
	if (kind == CEDAR_EXPR_LE)
		return OP_LE;
	return kind == CEDAR_EXPR_GT ? OP_GT : OP_GE;
}

void gen_test(struct compiler *c, const struct cedar_expr *e, size_t at, struct wish w)
{
	if (e->kind == CEDAR_EXPR_CALL)
		gen_call_test(c, e, at, w);
	else if (e->kind == CEDAR_EXPR_IN)
		gen_in(c, e, node_after(c, at + 1), gen_value(c, e->left, at + 1),
		       /* is_checked = */ false, w);
	else if (e->kind == CEDAR_EXPR_HAS)
		gen_has(c, e, at, w);
	else if (e->kind == CEDAR_EXPR_LIKE)
		gen_simple(c, e, at, OP_LIKE, 0, w);
	else if (e->kind == CEDAR_EXPR_IS)
		gen_simple(c, e, at, OP_IS, compiler_type(c, e->type_name), w);
	else
		gen_compare(c, e, at, compare_op(e->kind), w);
}

/* ---- Conditions ---------------------------------------------------------- */

static struct wish wish_jump(bool jump_if, struct label *l)
{
	return (struct wish){ .mode = jump_if ? MODE_JUMP_IF_TRUE : MODE_JUMP_IF_FALSE,
			      .label = l };
}

/* && and ||: the left side decides alone when it is false, or true. */
static void gen_connective(struct compiler *c, const struct cedar_expr *e, size_t at, bool jump_if,
			   struct label *l)
{
	bool decides = e->kind == CEDAR_EXPR_OR;
	struct label end = { 0 };

	gen_condition(c, e->left, at + 1, e->left, decides, jump_if == decides ? l : &end);
	gen_condition(c, e->right, node_after(c, at + 1), e->right, jump_if, l);
	label_bind(c, &end);
}

static void gen_if_condition(struct compiler *c, const struct cedar_expr *e, size_t at,
			     const struct cedar_expr *blame, bool jump_if, struct label *l)
{
	size_t yes_at = node_after(c, at + 1);
	struct label no = { 0 };
	struct label end = { 0 };

	gen_condition(c, e->left, at + 1, e->left, false, &no);
	gen_condition(c, e->right, yes_at, blame, jump_if, l);
	emit(c, OP_JUMP, NULL, 0, 0)->mode = MODE_JUMP_IF_FALSE;
	emit_to(c, &end);
	label_bind(c, &no);
	gen_condition(c, e->third, node_after(c, yes_at), blame, jump_if, l);
	label_bind(c, &end);
}

/* x is T in y */
static void gen_is_in(struct compiler *c, const struct cedar_expr *e, size_t at, bool jump_if,
		      struct label *l)
{
	uint32_t x = gen_value(c, e->left, at + 1);
	struct label end = { 0 };
	struct wish is = wish_jump(false, jump_if ? &end : l);

	emit(c, OP_IS, e, x, compiler_type(c, e->type_name));
	emit_wish(c, &is);
	gen_in(c, e, node_after(c, at + 1), x, /* is_checked = */ true, wish_jump(jump_if, l));
	label_bind(c, &end);
}

/* A constant that is a Bool: a jump, or nothing. */
static bool gen_constant_condition(struct compiler *c, const struct cedar_expr *e, bool jump_if,
				   struct label *l)
{
	struct vm_fault fault;
	const struct cedar_value *v = compiler_fold(c, e, &fault);

	if (!v) {
		(void)gen_fault(c, fault);
		return true;
	}
	if (v->kind != CEDAR_BOOL)
		return false;
	if (v->boolean == jump_if) {
		emit(c, OP_JUMP, NULL, 0, 0)->mode = MODE_JUMP_IF_FALSE;
		emit_to(c, l);
	}
	return true;
}

void gen_condition(struct compiler *c, const struct cedar_expr *e, size_t at,
		   const struct cedar_expr *blame, bool jump_if, struct label *l)
{
	uint32_t mark = c->next_register;
	struct wish w = wish_jump(jump_if, l);

	if (c->failure)
		return;
	if (node_is_constant(c, at) && gen_constant_condition(c, e, jump_if, l))
		return;
	if (node_is_constant(c, at) ||
	    !(is_test(e) || e->kind == CEDAR_EXPR_NOT || e->kind == CEDAR_EXPR_AND ||
	      e->kind == CEDAR_EXPR_OR || e->kind == CEDAR_EXPR_IF || e->kind == CEDAR_EXPR_IS)) {
		emit(c, OP_TEST, blame, gen_value(c, e, at), 0);
		emit_wish(c, &w);
	} else if (e->kind == CEDAR_EXPR_NOT) {
		gen_condition(c, e->left, at + 1, e->left, !jump_if, l);
	} else if (e->kind == CEDAR_EXPR_AND || e->kind == CEDAR_EXPR_OR) {
		gen_connective(c, e, at, jump_if, l);
	} else if (e->kind == CEDAR_EXPR_IF) {
		gen_if_condition(c, e, at, blame, jump_if, l);
	} else if (is_test(e)) {
		gen_test(c, e, at, w);
	} else {
		gen_is_in(c, e, at, jump_if, l);
	}
	c->next_register = mark;
}
