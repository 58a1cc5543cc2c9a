/*
 * Cedar's abstract syntax as written, before desugaring: what the parser
 * makes and evaluator, printer, validator and embedders read. All nodes live in
 * the arena of their policy set. Spans hold unescaped text in that arena.
 */
#pragma once

#include "base/span.h"

/* Bytes [begin, end) of the source text. */
struct cedar_range {
	size_t begin, end;
};

struct cedar_entity_uid {
	struct span type; /* normalised path, "A::B" */
	struct span id;
};

static inline bool cedar_uid_eq(struct cedar_entity_uid a, struct cedar_entity_uid b)
{
	return span_eq(a.id, b.id) && span_eq(a.type, b.type);
}

enum cedar_expr_kind {
	CEDAR_EXPR_BOOL,	/* boolean */
	CEDAR_EXPR_LONG,	/* integer; a minus directly before a literal is folded in */
	CEDAR_EXPR_STRING,	/* string */
	CEDAR_EXPR_ENTITY,	/* uid */
	CEDAR_EXPR_VAR,		/* var */
	CEDAR_EXPR_SLOT,	/* var: CEDAR_PRINCIPAL or CEDAR_RESOURCE */
	CEDAR_EXPR_NOT,		/* left */
	CEDAR_EXPR_NEG,		/* left */
	CEDAR_EXPR_AND,		/* left, right */
	CEDAR_EXPR_OR,
	CEDAR_EXPR_EQ,
	CEDAR_EXPR_NE,
	CEDAR_EXPR_LT,
	CEDAR_EXPR_LE,
	CEDAR_EXPR_GT,
	CEDAR_EXPR_GE,
	CEDAR_EXPR_IN,
	CEDAR_EXPR_ADD,
	CEDAR_EXPR_SUB,
	CEDAR_EXPR_MUL,
	CEDAR_EXPR_IF,		/* left ? right : third */
	CEDAR_EXPR_HAS,		/* left; names (one or more, a.b.c) */
	CEDAR_EXPR_LIKE,	/* left; pattern */
	CEDAR_EXPR_IS,		/* left is type_name [in right] (right may be NULL) */
	CEDAR_EXPR_ATTRIBUTE,	/* left; string is the attribute's name */
	CEDAR_EXPR_CALL,	/* method on items[0] or function: string is its name, items its arguments */
	CEDAR_EXPR_SET,		/* items */
	CEDAR_EXPR_RECORD,	/* items are values, names their keys */
};

enum cedar_var {
	CEDAR_PRINCIPAL,
	CEDAR_ACTION,
	CEDAR_RESOURCE,
	CEDAR_CONTEXT,
};

/* One piece of a `like` pattern: a wildcard, or a run of literal text. */
struct cedar_pattern_piece {
	bool is_wildcard;
	struct span literal;
};

struct cedar_expr {
	enum cedar_expr_kind kind;
	struct cedar_range range;
	union {
		bool boolean;
		int64_t integer;
		enum cedar_var var;
		bool is_method; /* CEDAR_EXPR_CALL: written as a method, or as a function */
	};
	union {
		struct span string;	     /* STRING, ATTRIBUTE, CALL */
		struct span type_name;	     /* IS */
		struct cedar_entity_uid uid; /* ENTITY */
	};
	struct cedar_expr *left, *right, *third;
	struct cedar_expr **items;
	struct span *names; /* HAS, RECORD */
	size_t n_items, n_names;
	union {
		struct { /* LIKE */
			struct cedar_pattern_piece *pattern;
			size_t n_pattern;
		};
		struct cedar_range type_range; /* IS, ENTITY: of the type's name */
	};
	size_t depth; /* levels of this tree, 1 for a leaf; bounded by LIMIT_CEDAR_DEPTH */
};

enum cedar_scope_op {
	CEDAR_SCOPE_ANY,   /* principal */
	CEDAR_SCOPE_EQ,	   /* == uid */
	CEDAR_SCOPE_IN,	   /* in uid, or for actions in [uids] */
	CEDAR_SCOPE_IS,	   /* is type */
	CEDAR_SCOPE_IS_IN, /* is type in uid */
};

struct cedar_scope {
	enum cedar_scope_op op;
	struct cedar_range range;
	struct span type_name;		/* IS, IS_IN */
	struct cedar_range type_range;
	struct cedar_entity_uid *uids;	/* EQ, IN, IS_IN: one; action IN: any number */
	struct cedar_range *uid_ranges; /* of each uid in the source */
	size_t n_uids;
	bool is_slot; /* ?principal or ?resource stands for the uid; n_uids is 0 */
	bool is_list; /* action in [...] */
};

struct cedar_condition {
	bool is_unless;
	struct cedar_expr *body;
	struct cedar_range range;
};

struct cedar_annotation {
	struct span key, value; /* value empty when none was written */
	bool has_value;
	struct cedar_range range;
};

struct cedar_policy {
	struct span id;	   /* "policy0"; an embedder may set another */
	size_t index;	   /* position in its set */
	bool is_forbid;
	bool is_template;  /* a scope has a slot */
	struct cedar_range range;
	struct cedar_scope principal, action, resource;
	struct cedar_condition *conditions;
	size_t n_conditions;
	struct cedar_annotation *annotations;
	size_t n_annotations;
	const struct cedar_policy *linked_from; /* the template whose slots were filled in, or NULL */
	void *embedder; /* free for the application; NULL at birth */
};
