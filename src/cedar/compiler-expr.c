/* Instructions, labels, and code for expressions that make a value. */
#include <errno.h>
#include <stdlib.h>

#include "cedar/compiler.h"

static const struct cedar_value no_value = { .kind = CEDAR_BOOL };

struct vm_insn *emit(struct compiler *c, enum vm_op op, const struct cedar_expr *e, uint32_t x,
		     uint32_t y)
{
	vec_push(&c->code, (struct vm_insn){ .op = (uint8_t)op, .x = x, .y = y });
	vec_push(&c->blame, e);
	return &c->code.items[c->code.len - 1];
}

void emit_to(struct compiler *c, struct label *l)
{
	c->code.items[c->code.len - 1].target = l->last;
	l->last = (uint32_t)c->code.len;
}

void label_bind(struct compiler *c, struct label *l)
{
	while (l->last) {
		struct vm_insn *jump = &c->code.items[l->last - 1];

		l->last = jump->target;
		jump->target = (uint32_t)c->code.len;
	}
}

static void emit_jump(struct compiler *c, struct label *l)
{
	emit(c, OP_JUMP, NULL, 0, 0)->mode = MODE_JUMP_IF_FALSE;
	emit_to(c, l);
}

uint16_t temporary(struct compiler *c)
{
	uint32_t number = c->next_register++;

	if (number >= UINT16_MAX) {
		compiler_fail(c, -EMSGSIZE);
		return 0;
	}
	c->program->n_registers = MAX(c->program->n_registers, c->next_register);
	return (uint16_t)number;
}

void emit_wish(struct compiler *c, const struct wish *w)
{
	struct vm_insn *in = &c->code.items[c->code.len - 1];

	in->mode = (uint8_t)w->mode;
	in->dst = w->dst;
	if (w->label)
		emit_to(c, w->label);
}

uint32_t gen_fault(struct compiler *c, struct vm_fault fault)
{
	vec_push(&c->faults, fault);
	emit(c, OP_FAULT, NULL, (uint32_t)c->faults.len - 1, 0);
	return compiler_constant(c, &no_value);
}

static uint32_t gen_constant(struct compiler *c, const struct cedar_expr *e)
{
	struct vm_fault fault;
	const struct cedar_value *v = compiler_fold(c, e, &fault);

	return v ? compiler_constant(c, v) : gen_fault(c, fault);
}

/* Takes the first temporary that was free at entry for the result. */
static uint16_t result(struct compiler *c, uint32_t mark)
{
	c->next_register = mark;
	return temporary(c);
}

static void gen_move(struct compiler *c, uint16_t dst, uint32_t x)
{
	if (x != VM_OPERAND(PLACE_REGISTER, dst))
		emit(c, OP_MOVE, NULL, x, 0)->dst = dst;
}

/* A Bool that jumps decide. */
static uint32_t gen_logic(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint32_t mark = c->next_register;
	struct label no = { 0 };
	struct label end = { 0 };
	uint16_t dst;

	gen_condition(c, e, at, e, false, &no);
	dst = result(c, mark);
	gen_move(c, dst, VM_OPERAND(PLACE_CONSTANT, 1U));
	emit_jump(c, &end);
	label_bind(c, &no);
	gen_move(c, dst, VM_OPERAND(PLACE_CONSTANT, 0U));
	label_bind(c, &end);
	return dst;
}

static uint32_t gen_if(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	size_t yes_at = node_after(c, at + 1);
	uint32_t mark = c->next_register;
	struct label no = { 0 };
	struct label end = { 0 };
	uint16_t dst;
	uint32_t x;

	gen_condition(c, e->left, at + 1, e->left, false, &no);
	x = gen_value(c, e->right, yes_at);
	dst = result(c, mark);
	gen_move(c, dst, x);
	emit_jump(c, &end);
	label_bind(c, &no);
	c->next_register = mark;
	x = gen_value(c, e->third, node_after(c, yes_at));
	dst = result(c, mark);
	gen_move(c, dst, x);
	label_bind(c, &end);
	return dst;
}

static uint32_t gen_attribute(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint32_t mark = c->next_register;
	uint16_t dst;
	uint32_t x;

	if (e->left->kind == CEDAR_EXPR_VAR) {
		uint32_t memo = compiler_memo(c, e->left->var, e->string);

		emit(c, OP_ENSURE, e, memo, 0);
		return VM_OPERAND(PLACE_MEMO, memo);
	}
	x = gen_value(c, e->left, at + 1);
	dst = result(c, mark);
	emit(c, OP_ATTRIBUTE, e, x, compiler_name(c, e->string))->dst = dst;
	return dst;
}

static uint32_t gen_negate(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint32_t mark = c->next_register;
	uint32_t x = gen_value(c, e->left, at + 1);
	uint16_t dst = result(c, mark);

	emit(c, OP_NEGATE, e, x, 0)->dst = dst;
	return dst;
}

/* The left operand is checked before the right one is evaluated, which may fail itself. */
static uint32_t gen_arithmetic(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	enum vm_op op = e->kind == CEDAR_EXPR_ADD   ? OP_ADD
			: e->kind == CEDAR_EXPR_SUB ? OP_SUBTRACT
						    : OP_MULTIPLY;
	uint32_t mark = c->next_register;
	uint32_t x = gen_value(c, e->left, at + 1);
	uint16_t dst;
	uint32_t y;

	if (e->right->kind != CEDAR_EXPR_LONG && e->right->kind != CEDAR_EXPR_VAR)
		emit(c, OP_CHECK_LONG, e->left, x, 0);
	y = gen_value(c, e->right, node_after(c, at + 1));
	dst = result(c, mark);
	emit(c, op, e, x, y)->dst = dst;
	return dst;
}

static uint32_t gen_call(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint32_t mark = c->next_register;
	struct vm_fault fault;
	uint32_t x;
	uint32_t y = 0;
	uint16_t dst;
	int op = call_op(e, &fault);

	if (op < 0)
		return gen_fault(c, fault);
	x = gen_value(c, e->items[0], at + 1);
	if (e->n_items > 1)
		y = gen_value(c, e->items[1], node_after(c, at + 1));
	dst = result(c, mark);
	emit(c, (enum vm_op)op, e, x, y)->dst = dst;
	return dst;
}

static uint32_t gen_set(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint16_t dst = temporary(c);
	size_t item_at = at + 1;

	emit(c, OP_SET_BEGIN, e, (uint32_t)e->n_items, 0)->dst = dst;
	for (size_t i = 0; i < e->n_items; i++) {
		uint32_t mark = c->next_register;
		uint32_t x = gen_value(c, e->items[i], item_at);
		struct vm_insn *in = emit(c, OP_SET_PUT, e, x, 0);

		in->dst = dst;
		in->target = (uint32_t)i;
		c->next_register = mark;
		item_at = node_after(c, item_at);
	}
	emit(c, OP_SET_END, e, 0, 0)->dst = dst;
	return dst;
}

struct place {
	struct span key;
	size_t item;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;
	int r = span_cmp(x->key, y->key);

	return r ? r : (x->item > y->item) - (x->item < y->item);
}

/* Where each entry goes among the sorted ones; equal keys share a place, the last one keeps it. */
static size_t find_places(const struct cedar_expr *e, struct place *sorted, uint32_t *place_of)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_items; i++)
		sorted[i] = (struct place){ e->names[i], i };
	if (e->n_items > 1)
		qsort(sorted, e->n_items, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < e->n_items; i++) {
		if (i == 0 || !span_eq(sorted[i - 1].key, sorted[i].key))
			n++;
		place_of[sorted[i].item] = (uint32_t)n - 1;
	}
	return n;
}

static uint32_t gen_record(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	struct place *sorted = compiler_alloc(c, e->n_items, sizeof(*sorted));
	uint32_t *place_of = compiler_alloc(c, e->n_items, sizeof(*place_of));
	uint16_t dst = temporary(c);
	size_t item_at = at + 1;
	size_t n;

	if (!sorted || !place_of)
		return dst;
	n = find_places(e, sorted, place_of);
	emit(c, OP_RECORD_BEGIN, e, (uint32_t)n, 0)->dst = dst;
	for (size_t i = 0; i < e->n_items; i++) {
		uint32_t mark = c->next_register;
		uint32_t x = gen_value(c, e->items[i], item_at);
		struct vm_insn *in = emit(c, OP_RECORD_PUT, e, x, compiler_name(c, e->names[i]));

		in->dst = dst;
		in->target = place_of[i];
		c->next_register = mark;
		item_at = node_after(c, item_at);
	}
	return dst;
}

static uint32_t gen_stored_test(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint32_t mark = c->next_register;
	struct wish w = { .mode = MODE_STORE, .dst = temporary(c) };

	/* Operands may use the register too: it is written last. */
	c->next_register = mark;
	gen_test(c, e, at, w);
	c->next_register = mark + 1;
	return w.dst;
}

static uint32_t gen_node(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	switch (e->kind) {
	case CEDAR_EXPR_VAR:
		return VM_OPERAND(PLACE_REGISTER, e->var);
	case CEDAR_EXPR_SLOT:
		return gen_fault(c, (struct vm_fault){ "unlinked_slot", e->range });
	case CEDAR_EXPR_NEG:
		return gen_negate(c, e, at);
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
		return gen_arithmetic(c, e, at);
	case CEDAR_EXPR_IF:
		return gen_if(c, e, at);
	case CEDAR_EXPR_ATTRIBUTE:
		return gen_attribute(c, e, at);
	case CEDAR_EXPR_CALL:
		return gen_call(c, e, at);
	case CEDAR_EXPR_SET:
		return gen_set(c, e, at);
	case CEDAR_EXPR_RECORD:
		return gen_record(c, e, at);
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
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
	case CEDAR_EXPR_HAS:
	case CEDAR_EXPR_LIKE:
	case CEDAR_EXPR_IS:
		break;
	}
	return gen_logic(c, e, at);
}

uint32_t gen_value(struct compiler *c, const struct cedar_expr *e, size_t at)
{
	uint32_t mark = c->next_register;
	uint32_t x;

	if (c->failure)
		return 0;
	if (node_is_constant(c, at))
		x = gen_constant(c, e);
	else if (is_test(e))
		x = gen_stored_test(c, e, at);
	else
		x = gen_node(c, e, at);
	c->next_register = x == VM_OPERAND(PLACE_REGISTER, mark) ? mark + 1 : mark;
	return x;
}
