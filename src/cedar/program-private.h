/*
 * What a program is made of: symbols, constants, code per policy, and the
 * index over scopes. Made by program*.c, read by store.c and vm*.c.
 *
 * Policies are numbered by bits: forbids from 0 on, permits from a multiple of
 * 64 on, each kind in set order. A set of policies is an array of n_words words.
 */
#pragma once

#include "cedar/cedar-program.h"
#include "cedar/symbols.h"

/* ---- Values at run time -------------------------------------------------- */

/* Entities by number, scalars in place, the rest by reference. */
struct vm_value {
	uint8_t kind; /* enum cedar_value_kind, or VM_ABSENT */
	/* ENTITY: its number, or SYMBOL_NONE. SET: VM_UIDS when value begins a struct vm_set. */
	uint32_t ref;
	union {
		int64_t integer; /* also BOOL: 0 or 1 */
		const struct cedar_value *value;
	};
};

#define VM_ABSENT 0xff	  /* in a memo: there is no such attribute */
#define VM_NO_ENTITY 0xfe /* in a memo: there is no such entity */
#define VM_UIDS 1

/* A set of nothing but entities that have numbers. */
struct vm_set {
	struct cedar_value value;
	uint32_t n;
	uint32_t *refs; /* sorted */
};

/* ---- Code ---------------------------------------------------------------- */

enum vm_op {
	OP_RETURN, /* x: 0 or 1 */
	OP_JUMP,
	OP_FAULT,  /* x: index of a fault found while compiling */
	OP_ENSURE, /* x: memo */
	OP_MOVE,   /* dst = x */
	OP_CHECK_LONG,
	OP_CHECK_ENTITY,
	OP_TEST, /* is x, which must be a Bool, true? */
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_IN,
	OP_IN_UID,  /* y: a uid's number */
	OP_IN_ITEM, /* dst = dst || x in y; y must be an entity */
	OP_EQ_ITEM, /* dst = dst || x == y */
	OP_IS,	    /* y: a type's number */
	OP_LIKE,
	OP_HAS_MEMO,  /* x: memo */
	OP_HAS,	      /* y: where the names begin in the program's list */
	OP_ATTRIBUTE, /* y: the name's number */
	OP_NEGATE,
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_SET_BEGIN, /* x: how many items */
	OP_SET_PUT,   /* target: the item's place */
	OP_SET_END,
	OP_RECORD_BEGIN, /* x: how many entries */
	OP_RECORD_PUT,	 /* y: the key's number; target: the entry's place */
	OP_CALL,	 /* the first of the functions */
	OP_CONTAINS = OP_CALL,
	OP_CONTAINS_ALL,
	OP_CONTAINS_ANY,
	OP_IS_EMPTY,
	OP_HAS_TAG,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_IS_IPV4,
	OP_IS_IPV6,
	OP_IS_LOOPBACK,
	OP_IS_MULTICAST,
	OP_IS_IN_RANGE,
	OP_CALL_VALUE, /* from here on functions that do not give a Bool */
	OP_GET_TAG = OP_CALL_VALUE,
	OP_IP,
	OP_DECIMAL,
	OP_DATETIME,
	OP_DURATION,
	OP_OFFSET,
	OP_DURATION_SINCE,
	OP_TO_DATE,
	OP_TO_TIME,
	OP_TO_MILLISECONDS,
	OP_TO_SECONDS,
	OP_TO_MINUTES,
	OP_TO_HOURS,
	OP_TO_DAYS,
};

/* What becomes of an operation's truth. */
enum vm_mode {
	MODE_NEXT,	    /* it has none, or nobody wants it */
	MODE_STORE,	    /* into dst */
	MODE_JUMP_IF_FALSE, /* to target */
	MODE_JUMP_IF_TRUE,
};

/* Operands are a place's kind in the two highest bits and an index. */
enum vm_place {
	PLACE_REGISTER, /* the four variables, then temporaries */
	PLACE_CONSTANT,
	PLACE_MEMO,
};

#define VM_INDEX_BITS 30
#define VM_INDEX_MAX (((uint32_t)1 << VM_INDEX_BITS) - 1)
#define VM_OPERAND(place, index) ((uint32_t)(place) << VM_INDEX_BITS | (index))
/* Registers 0 to 3 are enum cedar_var. */
#define VM_FIRST_TEMPORARY 4

struct vm_insn {
	uint8_t op;   /* enum vm_op */
	uint8_t mode; /* enum vm_mode */
	uint16_t dst; /* a register */
	uint32_t x, y;
	uint32_t target; /* an index in the policy's code */
};

/* An attribute of a variable, looked up at most once per decision. */
struct vm_memo {
	enum cedar_var var;
	uint32_t name;
};

/* A failure that is certain: it was found while folding constants. */
struct vm_fault {
	const char *code;
	struct cedar_range range;
};

/* ---- Policies ------------------------------------------------------------ */

struct scope_test {
	enum cedar_scope_op op;
	uint32_t type;
	uint32_t n_uids;
	const uint32_t *uids;
};

struct compiled_policy {
	const struct cedar_policy *policy; /* NULL in the gap between forbids and permits */
	const struct vm_insn *code;
	const struct cedar_expr *const *blame; /* per instruction: whose failure it is */
	struct scope_test scopes[3];	       /* by enum cedar_var */
	uint32_t position;		       /* in the set */
};

/* ---- Index --------------------------------------------------------------- */

/* A set of policies: a list, or where that is shorter a bitset. */
struct posting {
	uint32_t n;
	uint32_t at; /* in lists, or in words */
};

/*
 * One of principal, action, resource. A scope asks two independent questions,
 * one of the uid and one of its type; a policy that does not ask matches anyway.
 */
struct dimension {
	struct posting any;			/* ask for no uid */
	const uint64_t *any_row, *any_type_row; /* the same, and those that ask for no type */
	const struct posting *equal, *in;	/* by uid */
	const struct posting *is;		/* by type */
	bool has_uids, has_in, has_types;	/* does any policy ask for these? */
	const uint32_t *lists;
	const uint64_t *words;
};

struct cedar_program {
	struct arena arena;
	const struct cedar_policy_set *set;
	struct symbols uids, types, names;

	struct compiled_policy *policies; /* by bit */
	uint32_t n_words, first_permit;	  /* the first permit's bit */
	uint32_t n_bits, n_policies;
	const uint64_t *all; /* the bits that are policies */
	struct dimension dimensions[3];

	const struct vm_value *constants;
	const struct vm_memo *memos;
	const struct vm_fault *faults;
	const uint32_t *name_lists; /* of `has a.b.c` */
	uint32_t n_memos, n_registers;
};

static inline bool posting_is_list(const struct cedar_program *p, struct posting posting)
{
	return posting.n <= 2 * p->n_words;
}

/* Makes the dimensions of p, whose policies are compiled; -ENOMEM. program-index.c. */
int program_index(struct cedar_program *p) _must_check_;
