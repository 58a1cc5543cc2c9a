/* The loop that runs a policy's code. */
#include "cedar/like.h"
#include "cedar/value-private.h"
#include "cedar/vm-private.h"

static int put(struct cedar_machine *m, const struct vm_insn *in, struct vm_value v)
{
	m->registers[in->dst] = v;
	return 1;
}

static int put_integer(struct cedar_machine *m, const struct vm_insn *in, int64_t n)
{
	return put(m, in,
		   (struct vm_value){ .kind = CEDAR_LONG, .ref = SYMBOL_NONE, .integer = n });
}

static int check(struct cedar_machine *m, const struct vm_value *x, enum cedar_value_kind kind,
		 enum vm_part part)
{
	return x->kind == kind ? 1 : vm_fail(m, VM_TYPE, part);
}

/* ---- Comparison and arithmetic --------------------------------------------- */

static bool is_ordered(const struct vm_value *x)
{
	return x->kind == CEDAR_LONG || x->kind == CEDAR_DATETIME || x->kind == CEDAR_DURATION;
}

static int compare(struct cedar_machine *m, enum vm_op op, const struct vm_value *x,
		   const struct vm_value *y)
{
	if (x->kind != y->kind || !is_ordered(x))
		return vm_fail(m, VM_TYPE, is_ordered(x) ? PART_RIGHT : PART_LEFT);
	if (op == OP_LT)
		return x->integer < y->integer;
	if (op == OP_LE)
		return x->integer <= y->integer;
	if (op == OP_GT)
		return x->integer > y->integer;
	return x->integer >= y->integer;
}

/* A record may hold something unknown that nobody asked for; comparing asks. */
static int equal(struct cedar_machine *m, const struct vm_value *x, const struct vm_value *y)
{
	if (x->kind == CEDAR_RECORD && value_has_unknown(x->value))
		return vm_fail(m, VM_UNKNOWN, PART_LEFT);
	if (y->kind == CEDAR_RECORD && value_has_unknown(y->value))
		return vm_fail(m, VM_UNKNOWN, PART_RIGHT);
	return vm_equal(x, y);
}

static int calculate(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
		     const struct vm_value *y)
{
	bool overflows;
	int64_t n;

	if (x->kind != CEDAR_LONG)
		return vm_fail(m, VM_TYPE, PART_LEFT);
	if (y->kind != CEDAR_LONG)
		return vm_fail(m, VM_TYPE, PART_RIGHT);
	if (in->op == OP_ADD)
		overflows = __builtin_add_overflow(x->integer, y->integer, &n);
	else if (in->op == OP_SUBTRACT)
		overflows = __builtin_sub_overflow(x->integer, y->integer, &n);
	else
		overflows = __builtin_mul_overflow(x->integer, y->integer, &n);
	return overflows ? vm_fail(m, VM_OVERFLOW, PART_SELF) : put_integer(m, in, n);
}

static int negate(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x)
{
	int64_t n;

	if (x->kind != CEDAR_LONG)
		return vm_fail(m, VM_TYPE, PART_LEFT);
	if (__builtin_sub_overflow(0, x->integer, &n))
		return vm_fail(m, VM_OVERFLOW, PART_SELF);
	return put_integer(m, in, n);
}

/* ---- Entities, records and patterns ---------------------------------------- */

static int missing(struct cedar_machine *m, const struct vm_value *found)
{
	return vm_fail(m, found->kind == VM_ABSENT ? VM_MISSING_ATTRIBUTE : VM_MISSING_ENTITY,
		       PART_SELF);
}

/* Makes sure that the memo is known; 1 when the attribute exists, 0 when not. */
static int remember(struct cedar_machine *m, uint32_t memo)
{
	if (m->memo_decisions[memo] == m->decision)
		return m->memos[memo].kind < VM_NO_ENTITY;
	return vm_remember(m, memo);
}

static int ensure(struct cedar_machine *m, uint32_t memo)
{
	int r = remember(m, memo);

	if (r == 0)
		return missing(m, &m->memos[memo]);
	return r < 0 ? r : vm_check_known(m, &m->memos[memo]);
}

static int get_attribute(struct cedar_machine *m, const struct vm_insn *in,
			 const struct vm_value *x)
{
	struct vm_value v;
	int r = vm_find(m, x, in->y, NULL, &v);

	if (r == 0)
		return missing(m, &v);
	if (r > 0)
		r = vm_check_known(m, &v);
	if (r < 0)
		return r;
	return put(m, in, v);
}

/* e has a.b.c */
static int has(struct cedar_machine *m, const struct vm_insn *in, const struct cedar_expr *e,
	       const struct vm_value *x)
{
	const uint32_t *names = m->program->name_lists + in->y;
	struct vm_value v = *x;
	int r = 1;

	for (size_t i = 0; r == 1 && i < e->n_names; i++) {
		struct vm_value next;

		r = vm_find(m, &v, names[i], NULL, &next);
		v = next;
	}
	return r;
}

static int like(struct cedar_machine *m, const struct cedar_expr *e, const struct vm_value *x)
{
	if (x->kind != CEDAR_STRING)
		return vm_fail(m, VM_TYPE, PART_LEFT);
	return like_matches(x->value->string, e->pattern, e->n_pattern);
}

/* One item of `x in [..]`: dst collects whether any matched. */
static int in_item(struct cedar_machine *m, const struct vm_insn *insn, const struct vm_value *x,
		   const struct vm_value *y)
{
	if (y->kind != CEDAR_ENTITY)
		return vm_fail(m, VM_TYPE, PART_SELF);
	if (vm_in(m, x, y))
		m->registers[insn->dst].integer = 1;
	return 1;
}

static int equal_item(struct cedar_machine *m, const struct vm_insn *insn, const struct vm_value *x,
		      const struct vm_value *y)
{
	if (vm_equal(x, y))
		m->registers[insn->dst].integer = 1;
	return 1;
}

/* ---- Sets and records ------------------------------------------------------ */

/* The value under construction is in the machine's own memory, so it may be written. */
static struct cedar_value *under_construction(struct cedar_machine *m, const struct vm_insn *insn)
{
	return (struct cedar_value *)(uintptr_t)m->registers[insn->dst].value;
}

static int begin(struct cedar_machine *m, const struct vm_insn *insn, enum cedar_value_kind kind,
		 size_t item_size)
{
	struct cedar_value *v = memory_alloc(&m->memory, 1, sizeof(*v));
	void *items = memory_alloc(&m->memory, insn->x, item_size);

	if (!v || !items)
		return VM_NO_MEMORY;
	*v = (struct cedar_value){ .kind = kind };
	if (kind == CEDAR_SET) {
		v->set.items = items;
		v->set.len = insn->x;
	} else {
		v->record.entries = items;
		v->record.len = insn->x;
	}
	return put(m, insn,
		   (struct vm_value){ .kind = (uint8_t)kind, .ref = SYMBOL_NONE, .value = v });
}

static int set_put(struct cedar_machine *m, const struct vm_insn *insn, const struct vm_value *x)
{
	const struct cedar_value **items =
		(const struct cedar_value **)(uintptr_t)under_construction(m, insn)->set.items;

	items[insn->target] = vm_export(m, x);
	return items[insn->target] ? 1 : VM_NO_MEMORY;
}

static int set_end(struct cedar_machine *m, const struct vm_insn *insn)
{
	struct cedar_value *v = under_construction(m, insn);

	v->set.len =
		value_sort_unique((const struct cedar_value **)(uintptr_t)v->set.items, v->set.len);
	return 1;
}

static int record_put(struct cedar_machine *m, const struct vm_insn *insn, const struct vm_value *x)
{
	struct cedar_record_entry *entries =
		(struct cedar_record_entry *)(uintptr_t)under_construction(m, insn)->record.entries;
	struct cedar_record_entry *entry = &entries[insn->target];

	entry->key = m->program->names.items[insn->y]->value.uid.id;
	entry->value = vm_export(m, x);
	return entry->value ? 1 : VM_NO_MEMORY;
}

/* ---- The loop -------------------------------------------------------------- */

/* Operations on values. */
static int operate(struct cedar_machine *m, const struct vm_insn *insn, const struct cedar_expr *e)
{
	const struct vm_value *x = vm_operand(m, insn->x);
	int r;

	switch (insn->op) {
	case OP_MOVE:
		return put(m, insn, *x);
	case OP_CHECK_LONG:
		return check(m, x, CEDAR_LONG, PART_SELF);
	case OP_CHECK_ENTITY:
		return check(m, x, CEDAR_ENTITY, PART_SELF);
	case OP_TEST:
		return x->kind == CEDAR_BOOL ? x->integer != 0 : vm_fail(m, VM_TYPE, PART_SELF);
	case OP_EQ:
		return equal(m, x, vm_operand(m, insn->y));
	case OP_NE:
		r = equal(m, x, vm_operand(m, insn->y));
		return r < 0 ? r : !r;
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return compare(m, (enum vm_op)insn->op, x, vm_operand(m, insn->y));
	case OP_IN:
		return x->kind == CEDAR_ENTITY ? vm_in(m, x, vm_operand(m, insn->y))
					       : vm_fail(m, VM_TYPE, PART_LEFT);
	case OP_IN_UID:
		return x->kind == CEDAR_ENTITY ? vm_in_uid(m, x, insn->y)
					       : vm_fail(m, VM_TYPE, PART_LEFT);
	case OP_IN_ITEM:
		return in_item(m, insn, x, vm_operand(m, insn->y));
	case OP_EQ_ITEM:
		return equal_item(m, insn, x, vm_operand(m, insn->y));
	case OP_IS:
		return x->kind == CEDAR_ENTITY ? vm_is(m, x, insn->y)
					       : vm_fail(m, VM_TYPE, PART_LEFT);
	case OP_LIKE:
		return like(m, e, x);
	case OP_HAS:
		return has(m, insn, e, x);
	case OP_ATTRIBUTE:
		return get_attribute(m, insn, x);
	case OP_NEGATE:
		return negate(m, insn, x);
	case OP_ADD:
	case OP_SUBTRACT:
	case OP_MULTIPLY:
		return calculate(m, insn, x, vm_operand(m, insn->y));
	case OP_SET_PUT:
		return set_put(m, insn, x);
	case OP_RECORD_PUT:
		return record_put(m, insn, x);
	default:
		return vm_call(m, insn, x, vm_operand(m, insn->y));
	}
}

/* Operations whose x is no operand. */
static inline int execute(struct cedar_machine *m, const struct vm_insn *insn,
			  const struct cedar_expr *e)
{
	switch (insn->op) {
	case OP_JUMP:
		return 0;
	case OP_FAULT:
		return vm_fail(m, VM_FAULT, PART_SELF);
	case OP_ENSURE:
		return ensure(m, insn->x);
	case OP_HAS_MEMO:
		return remember(m, insn->x);
	case OP_SET_BEGIN:
		return begin(m, insn, CEDAR_SET, sizeof(struct cedar_value *));
	case OP_SET_END:
		return set_end(m, insn);
	case OP_RECORD_BEGIN:
		return begin(m, insn, CEDAR_RECORD, sizeof(struct cedar_record_entry));
	default:
		return operate(m, insn, e);
	}
}

int vm_run(struct cedar_machine *m, const struct compiled_policy *p, uint32_t *ret_insn)
{
	uint32_t at = 0;

	memory_reset(&m->memory);
	for (;;) {
		const struct vm_insn *insn = &p->code[at];
		int r;

		if (insn->op == OP_RETURN)
			return (int)insn->x;
		r = execute(m, insn, p->blame[at]);
		if (r < 0) {
			*ret_insn = at;
			return r;
		}
		at++;
		if (insn->mode == MODE_STORE)
			m->registers[insn->dst] = (struct vm_value){ .kind = CEDAR_BOOL,
								     .ref = SYMBOL_NONE,
								     .integer = r };
		else if (insn->mode != MODE_NEXT && (insn->mode == MODE_JUMP_IF_TRUE) == (r != 0))
			at = insn->target;
	}
}
