/*
 * The typechecker inside the room: one expression under one request
 * environment. Findings go to a sink that knows what was already said.
 */
#pragma once

#include "cedar/capability.h"
#include "cedar/findings.h"
#include "cedar/types.h"

struct typing_slot;

/* Where types of expressions are kept; by address. */
struct typing_table {
	struct typing_slot *slots;
	size_t n_slots, len;
};

struct typecheck {
	struct types *types;
	struct capabilities capabilities;
	struct findings *findings;  /* NULL: nobody asks for reasons */
	struct typing_table *table; /* NULL: nobody asks for the types */
	/* The environment. */
	const struct cedar_type *principal, *action_type, *resource, *context;
	const struct cedar_action_type *action;
	size_t steps; /* work so far; past the limit nothing counts */
	size_t depth;
};

/*
 * type is NULL where nothing is known. An expression that is not ok may have a
 * type all the same: what it would have been, to find further mistakes.
 */
struct typed {
	const struct cedar_type *type;
	bool is_ok;
};

void typecheck_init(struct typecheck *t, struct types *types, struct findings *findings);
void typecheck_done(struct typecheck *t);
/* -ENOMEM when the types do not fit. */
int typecheck_set_env(struct typecheck *t, const struct cedar_request_env *env);
bool typecheck_is_limited(const struct typecheck *t);

/* What was learnt stays at the end of the trail of capabilities. */
struct typed typecheck_expr(struct typecheck *t, const struct cedar_expr *e);
/* The same for all conditions of a policy, one after the other. */
struct typed typecheck_conditions(struct typecheck *t, const struct cedar_policy *p);
/* As typecheck_expr, and learns nothing. */
struct typed typecheck_value(struct typecheck *t, const struct cedar_expr *e);
/* Must be of this kind (BOOL stands for True and False too), else a finding. */
struct typed typecheck_kind(struct typecheck *t, const struct cedar_expr *e,
			    enum cedar_type_kind kind);
/* The same, for what was checked already. */
struct typed typecheck_expect(struct typecheck *t, const struct cedar_expr *e, struct typed x,
			      enum cedar_type_kind kind);
/* Must be an entity; or a record, or a set of entities, if so wanted. */
enum typecheck_also { TYPECHECK_ENTITY, TYPECHECK_OR_RECORD, TYPECHECK_OR_ENTITIES };
struct typed typecheck_entity(struct typecheck *t, const struct cedar_expr *e,
			      enum typecheck_also also);

/* Operators with files of their own. */
struct typed typecheck_equality(struct typecheck *t, const struct cedar_expr *e);
struct typed typecheck_in(struct typecheck *t, const struct cedar_expr *e);
struct typed typecheck_is(struct typecheck *t, const struct cedar_expr *e);
struct typed typecheck_compare(struct typecheck *t, const struct cedar_expr *e);
struct typed typecheck_has(struct typecheck *t, const struct cedar_expr *e);
struct typed typecheck_attribute(struct typecheck *t, const struct cedar_expr *e);
struct typed typecheck_call(struct typecheck *t, const struct cedar_expr *e);

/*
 * The least upper bound of the types for a construct that needs one; a finding
 * where there is none. NULL then, and where one of the types is not known.
 */
const struct cedar_type *typecheck_join(struct typecheck *t, const struct cedar_expr *e,
					const char *what, const struct cedar_type *a,
					const struct cedar_type *b);
/* The action that an expression names: the variable, or a literal; NULL for others. */
const struct cedar_entity_uid *typecheck_uid(const struct typecheck *t, const struct cedar_expr *e);
/* May an entity of type a be in one of type b, by the schema? */
bool typecheck_may_be_in(const struct types *t, const struct cedar_type *a,
			 const struct cedar_type *b);

static inline struct typed typed_basic(const struct typecheck *t, enum cedar_type_kind kind,
				       bool is_ok)
{
	return (struct typed){ type_basic(t->types, kind), is_ok };
}

void typing_put(struct typing_table *table, const struct cedar_expr *e,
		const struct cedar_type *type);
const struct cedar_type *typing_get(const struct typing_table *table, const struct cedar_expr *e);
void typing_done(struct typing_table *table);
