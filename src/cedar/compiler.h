/*
 * The compiler's state: what is common to all policies, and the code of the one
 * at hand. Failures stick (compiler_fail), so that generators need no checks.
 */
#pragma once

#include "base/vec.h"
#include "cedar/program-private.h"

/* What is known of a node before its code is made; in the order of a walk. */
struct node {
	uint32_t size; /* nodes of the tree */
	bool is_constant;
};

struct compiler {
	struct cedar_program *program;
	int failure; /* 0, or the first negative errno */

	VEC(struct vm_value) constants; /* 0 and 1 are false and true */
	VEC(struct vm_memo) memos;
	VEC(uint32_t) memo_of; /* by name and variable: memo + 1, or 0 */
	VEC(struct vm_fault) faults;
	VEC(uint32_t) name_lists;

	VEC(struct vm_insn) code; /* of this policy */
	VEC(const struct cedar_expr *) blame;
	VEC(struct node) nodes; /* of this condition */
	uint32_t next_register;
};

void compiler_fail(struct compiler *c, int code);
/* Arena memory; on exhaustion notes the failure and returns NULL. */
void *compiler_alloc(struct compiler *c, size_t n, size_t size);

/* ---- compiler-symbols.c -------------------------------------------------- */

uint32_t compiler_uid(struct compiler *c, struct cedar_entity_uid uid);
uint32_t compiler_type(struct compiler *c, struct span type);
uint32_t compiler_name(struct compiler *c, struct span name);
uint32_t compiler_memo(struct compiler *c, enum cedar_var var, struct span name);
/* An operand. */
uint32_t compiler_constant(struct compiler *c, const struct cedar_value *v);

/* ---- compiler-fold.c ----------------------------------------------------- */

/* Fills c->nodes for the tree; -EMSGSIZE when it is too deep. */
int compiler_measure(struct compiler *c, const struct cedar_expr *e) _must_check_;
/*
 * The value of the constant tree e, or NULL with *fault when it errs. Both as
 * the tree evaluator says.
 */
const struct cedar_value *compiler_fold(struct compiler *c, const struct cedar_expr *e,
					struct vm_fault *fault);

/* ---- compiler-expr.c, compiler-test.c ------------------------------------ */

/* Jumps that wait for their target. */
struct label {
	uint32_t last; /* the newest such jump + 1; its target is the one before */
};

#define NO_LABEL ((struct label *)NULL)

/* Appends an instruction that blames e; returns it until the next one is made. */
struct vm_insn *emit(struct compiler *c, enum vm_op op, const struct cedar_expr *e, uint32_t x,
		     uint32_t y);
/* Makes the newest instruction jump to the label. */
void emit_to(struct compiler *c, struct label *l);
void label_bind(struct compiler *c, struct label *l);
/* A fresh register. */
uint16_t temporary(struct compiler *c);

/* What an operation's truth is for: a register, or a jump. */
struct wish {
	enum vm_mode mode;
	uint16_t dst;
	struct label *label;
};

void emit_wish(struct compiler *c, const struct wish *w);

/*
 * Code for e, whose node is c->nodes.items[at]; returns the operand that holds
 * the value. A result in a temporary is in the first that was free at entry,
 * and all after it are free again.
 */
uint32_t gen_value(struct compiler *c, const struct cedar_expr *e, size_t at);
/* Jumps to l when e is jump_if; blames `blame` when e is no Bool. */
void gen_condition(struct compiler *c, const struct cedar_expr *e, size_t at,
		   const struct cedar_expr *blame, bool jump_if, struct label *l);
/* Is e one of the operations whose result is always a Bool and no jump is needed for? */
bool is_test(const struct cedar_expr *e);
void gen_test(struct compiler *c, const struct cedar_expr *e, size_t at, struct wish w);
/* x in e->right, whose node is at; x is known to be an entity when is_checked. */
void gen_in(struct compiler *c, const struct cedar_expr *e, size_t at, uint32_t x, bool is_checked,
	    struct wish w);
/* A failure that is certain; returns some operand. */
uint32_t gen_fault(struct compiler *c, struct vm_fault fault);
/* The operation of a function, or -1 when the call fails anyway, as *fault says. */
int call_op(const struct cedar_expr *e, struct vm_fault *fault);

static inline size_t node_after(const struct compiler *c, size_t at)
{
	return at + c->nodes.items[at].size;
}

static inline bool node_is_constant(const struct compiler *c, size_t at)
{
	return c->nodes.items[at].is_constant;
}
