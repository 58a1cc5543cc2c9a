/*
 * The machine that runs programs: registers, memos of the request's attributes,
 * and memory that is taken in one direction and reused by the next policy.
 */
#pragma once

#include "cedar/store-private.h"

struct memory_chunk;

struct memory {
	struct memory_chunk *first, *current;
	size_t at;	  /* in the current chunk */
	size_t size, max; /* of all chunks */
};

/* Not zeroed; NULL at the limit. */
void *memory_alloc(struct memory *m, size_t n, size_t size);
void memory_reset(struct memory *m);
void memory_done(struct memory *m);

enum vm_code {
	VM_TYPE,
	VM_OVERFLOW,
	VM_EXTENSION,
	VM_MISSING_ATTRIBUTE,
	VM_MISSING_ENTITY,
	VM_MISSING_TAG,
	VM_UNKNOWN,
	VM_FAULT, /* look into the program */
};

/* Which part of the blamed expression. */
enum vm_part {
	PART_SELF,
	PART_LEFT,
	PART_RIGHT,
	PART_FIRST, /* items[0] */
	PART_SECOND,
};

struct vm_error {
	uint32_t bit;  /* of the policy */
	uint32_t insn; /* in its code */
	enum vm_code code;
	enum vm_part part;
};

/* Ancestors of an entity of the request that is not stored. */
struct cedar_ancestors {
	const struct cedar_store *store;
	uint32_t *refs; /* sorted once complete */
	uint32_t n, cap;
	bool is_complete;
};

/* One of the request's three entities. */
struct subject {
	struct cedar_value value;	   /* the uid as given */
	const struct store_entity *entity; /* NULL when it is not stored */
	uint32_t type;
	struct cedar_ancestors virtual;
};

struct cedar_machine {
	const struct cedar_program *program;
	const struct cedar_store *store;
	const struct cedar_hierarchy *hierarchy; /* may be NULL */
	struct cedar_value context;
	struct subject subjects[3]; /* by enum cedar_var */
	struct memory memory;	    /* of the policy at hand */

	const struct vm_value *places[3]; /* by enum vm_place */
	struct vm_value *registers, *memos;
	struct cedar_value *memo_values; /* what hierarchies answered, by memo */
	uint64_t *memo_decisions;	 /* the decision for which each memo holds */
	uint64_t decision;
	size_t registers_cap, memos_cap;

	uint64_t *candidates, *row;
	size_t n_counted; /* by the index, of the variable at hand */
	size_t words_cap;

	enum vm_code code; /* of the last failure */
	enum vm_part part;
	struct vm_error *errors;
	size_t n_errors, errors_cap;

	/* The response's. */
	const struct cedar_policy **reasons;
	struct cedar_policy_error *policy_errors;
	size_t reasons_cap, policy_errors_cap;
};

static inline const struct vm_value *vm_operand(const struct cedar_machine *m, uint32_t operand)
{
	return &m->places[operand >> VM_INDEX_BITS][operand & VM_INDEX_MAX];
}

static inline int vm_fail(struct cedar_machine *m, enum vm_code code, enum vm_part part)
{
	m->code = code;
	m->part = part;
	return -1;
}

/* 1, or -1 when the data left open what the value is. */
static inline int vm_check_known(struct cedar_machine *m, const struct vm_value *v)
{
	return v->kind == CEDAR_UNKNOWN ? vm_fail(m, VM_UNKNOWN, PART_SELF) : 1;
}

/* All below: 0 or 1 is the truth, or that it went well; -1 after vm_fail; -2 out of memory. */
#define VM_NO_MEMORY (-2)

/* ---- vm-value.c ---------------------------------------------------------- */

/* A value from outside, its entities numbered. */
struct vm_value vm_import(const struct cedar_machine *m, const struct cedar_value *v);
/* The value for the room's other functions; NULL without memory. */
const struct cedar_value *vm_export(struct cedar_machine *m, const struct vm_value *v);
bool vm_equal(const struct vm_value *a, const struct vm_value *b);
int vm_contains(struct cedar_machine *m, const struct vm_value *set, const struct vm_value *item);

/* ---- vm-entity.c --------------------------------------------------------- */

/* x, an entity, in a numbered uid. Reflexive. */
bool vm_in_uid(struct cedar_machine *m, const struct vm_value *x, uint32_t ref);
/* x, an entity, in an entity or a set of them. */
int vm_in(struct cedar_machine *m, const struct vm_value *x, const struct vm_value *y);
/* Asks the hierarchy for the ancestors of a subject that is not stored. */
void vm_ask_ancestors(struct cedar_machine *m, struct subject *s);

/* The subject's ancestors that have numbers, sorted. */
static inline void vm_ancestors(struct cedar_machine *m, struct subject *s, const uint32_t **ret,
				uint32_t *ret_n)
{
	if (s->entity) {
		*ret = s->entity->ancestors;
		*ret_n = s->entity->n_ancestors;
		return;
	}
	if (!s->virtual.is_complete)
		vm_ask_ancestors(m, s);
	*ret = s->virtual.refs;
	*ret_n = s->virtual.n;
}

bool vm_is(const struct cedar_machine *m, const struct vm_value *x, uint32_t type);
/*
 * An attribute: 1 with *ret, else 0 with ret->kind VM_ABSENT or VM_NO_ENTITY; -1: x has none.
 * A hierarchy's answer goes to keep, or where that is NULL into memory.
 */
int vm_find(struct cedar_machine *m, const struct vm_value *x, uint32_t name,
	    struct cedar_value *keep, struct vm_value *ret);
/* Looks the memo's attribute up; as vm_find. */
int vm_remember(struct cedar_machine *m, uint32_t memo);
/* As vm_find, with the tag's name. */
int vm_find_tag(struct cedar_machine *m, const struct vm_value *x, struct span name,
		struct vm_value *ret);

/* ---- vm-call.c, vm.c ----------------------------------------------------- */

/* The functions from OP_CALL on. */
int vm_call(struct cedar_machine *m, const struct vm_insn *in, const struct vm_value *x,
	    const struct vm_value *y);
/* Is the policy's condition true? As above; *ret_insn is where it failed. */
int vm_run(struct cedar_machine *m, const struct compiled_policy *p, uint32_t *ret_insn);

/* ---- vm-select.c --------------------------------------------------------- */

/* Sets m->candidates to the policies whose scopes match. */
void vm_select(struct cedar_machine *m);
bool vm_scope_matches(struct cedar_machine *m, const struct compiled_policy *p);
