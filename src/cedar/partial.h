/*
 * Partial evaluation inside the room: one typed expression to a value, an
 * error, or the expression that is left.
 */
#pragma once

#include "cedar/cedar-partial.h"
#include "cedar/evaluate.h"
#include "cedar/typecheck.h"

enum outcome_kind {
	OUTCOME_VALUE,
	OUTCOME_ERROR, /* evaluation fails whatever the rest is */
	OUTCOME_OPEN,
};

struct outcome {
	enum outcome_kind kind;
	const struct cedar_value *value; /* VALUE */
	const struct cedar_expr *expr;	 /* OPEN */
	bool can_err;			 /* OPEN: by what it consists of */
	size_t size;			 /* OPEN: nodes when written out: parts may be shared */
};

struct partial {
	const struct cedar_schema *schema;
	const struct cedar_partial_request *request;
	const struct cedar_partial_source *source;
	const struct typing_table *types; /* of the expression that is evaluated */
	struct types *universe;
	struct arena *arena;
	struct evaluation evaluation; /* for operators on values; its arena is ours */
	size_t depth;
	int failure; /* -ENOMEM or -EMSGSIZE: no outcome counts */
};

void partial_init(struct partial *p, const struct cedar_schema *schema,
		  const struct cedar_partial_request *request,
		  const struct cedar_partial_source *source, struct arena *arena);
struct outcome partial_eval(struct partial *p, const struct cedar_expr *e);
/* The outcome written out as an expression; NULL on failure. */
const struct cedar_expr *partial_expr(struct partial *p, const struct outcome *o,
				      struct cedar_range at);

/* Outcomes of the operators that ask about entities (partial-entity.c). */
struct outcome partial_in(struct partial *p, const struct cedar_expr *e, struct outcome left,
			  struct outcome right);
struct outcome partial_has(struct partial *p, const struct cedar_expr *e);
struct outcome partial_attribute(struct partial *p, const struct cedar_expr *e);
struct outcome partial_tag(struct partial *p, const struct cedar_expr *e);

/* For all files. */
struct outcome partial_fail(struct partial *p, int failure);
struct outcome partial_bool(struct partial *p, bool b);
struct outcome partial_value(const struct cedar_value *v);
struct outcome partial_error(void);
struct outcome partial_expr_left(struct partial *p, const struct cedar_expr *e, bool can_err,
				 size_t size);
/* What is left of e, which has these parts now (right may be NULL). */
struct outcome partial_open(struct partial *p, const struct cedar_expr *e,
			    enum cedar_expr_kind kind, const struct outcome *left,
			    const struct outcome *right);
/* left && right by the rules of partial evaluation. */
struct outcome partial_and(struct partial *p, const struct cedar_expr *e, struct outcome left,
			   struct outcome right);
