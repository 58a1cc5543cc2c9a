/*
 * libcedar: the Cedar policy language (language version 4.5).
 *
 * Text becomes an abstract syntax tree (cedar-ast.h), a policy set and an
 * entity source become a response. The library keeps no global state; objects
 * may be read from several threads once they are built. It knows nothing of
 * files, processes or any application.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "cedar/cedar-ast.h"

#pragma GCC visibility push(default)

/* ---- Diagnostics ------------------------------------------------------- */

enum cedar_severity {
	CEDAR_ERROR,
	CEDAR_WARNING,
};

struct cedar_diagnostic {
	enum cedar_severity severity;
	const char *code;		/* stable name, e.g. "unexpected_token"; static storage */
	struct cedar_range range;	/* bytes in the source text */
	const char *message;		/* what is wrong; arena of the list */
	const char *suggestion;		/* what to write instead, or NULL */
	const struct cedar_policy *policy; /* the validator's findings: about which; else NULL */
};

/* All findings of one parse, in source order. */
struct cedar_diagnostics {
	struct cedar_diagnostic *items;
	size_t len, cap;
	size_t n_errors;
	size_t max; /* how many are kept; 0: LIMIT_CEDAR_DIAGNOSTICS */
	struct arena arena;
};

void cedar_diagnostics_done(struct cedar_diagnostics *d);

/* 1-based line and column (in Unicode scalars) of a byte offset in text. */
void cedar_position(struct span text, size_t offset, size_t *ret_line, size_t *ret_column);

/* For many positions in one large text: the first costs a pass over it, the others hardly anything.
 */
struct cedar_positions {
	struct span text;
	struct cedar_position_mark *marks; /* NULL until the first is asked for */
	size_t n_marks;
};

void cedar_positions_find(struct cedar_positions *p, size_t offset, size_t *ret_line,
			  size_t *ret_column);
void cedar_positions_done(struct cedar_positions *p);

/*
 * Appends "FILE:LINE:COLUMN: error: MESSAGE", the source line with a caret
 * range under it, and the suggestion. With color, uses ANSI sequences. Control
 * bytes of the source are shown escaped.
 */
int cedar_diagnostic_print(const struct cedar_diagnostic *d, const char *file, struct span text,
			   bool color, struct buf *out);
/* The same for one of many findings in the text of p. */
int cedar_diagnostic_print_in(const struct cedar_diagnostic *d, const char *file,
			      struct cedar_positions *p, bool color, struct buf *out);

/* ---- Policies ---------------------------------------------------------- */

struct cedar_policy_set; /* policies and templates in source order, owns its arena */

/*
 * Parses policy text, which is copied. Ids are policy0, policy1, ... in order.
 * On any error returns -EINVAL, leaves *ret alone, and diags holds all errors
 * (the parser resynchronises at ';'); -EMSGSIZE when text or nesting passes a
 * limit (also as a diagnostic). diags may hold warnings on success.
 */
int cedar_policy_set_parse(struct span text, struct cedar_diagnostics *diags,
			   struct cedar_policy_set **ret) _must_check_;

/* What one text may ask for; 0 is the library's own limit, and none for the policies' number. */
struct cedar_parse_limits {
	size_t text;   /* bytes */
	size_t memory; /* bytes, the text included */
	size_t policies;
};

int cedar_policy_set_parse_within(struct span text, const struct cedar_parse_limits *limits,
				  struct cedar_diagnostics *diags,
				  struct cedar_policy_set **ret) _must_check_;
void cedar_policy_set_free(struct cedar_policy_set *set);
_must_check_ size_t cedar_policy_set_len(const struct cedar_policy_set *set);
/* Valid as long as the set. The embedder may change the tree before the first authorization. */
struct cedar_policy *cedar_policy_set_at(const struct cedar_policy_set *set, size_t i);
/* Where an embedder that changes a tree allocates from. */
struct arena *cedar_policy_set_arena(struct cedar_policy_set *set);

/* Parses one expression alone; nodes live in the arena. */
int cedar_expr_parse(struct span text, struct arena *arena, struct cedar_diagnostics *diags,
		     struct cedar_expr **ret) _must_check_;

/* Appends the policy, or an expression, as Cedar text (one line, canonical spacing). */
int cedar_policy_print(const struct cedar_policy *p, struct buf *out);
int cedar_expr_print(const struct cedar_expr *e, struct buf *out);

/* ---- Values ------------------------------------------------------------ */

enum cedar_value_kind {
	CEDAR_BOOL,
	CEDAR_LONG,
	CEDAR_STRING,
	CEDAR_ENTITY,
	CEDAR_SET,
	CEDAR_RECORD,
	CEDAR_DECIMAL,
	CEDAR_IPADDR,
	CEDAR_DATETIME,
	CEDAR_DURATION,
	CEDAR_UNKNOWN, /* left open in the data ({"__extn": {"fn": "unknown", ...}}): using it is an error */
};

struct cedar_ipaddr {
	unsigned char bytes[16]; /* network order; IPv4 in the first four */
	unsigned char prefix;	 /* bits */
	bool is_v6;
};

struct cedar_value;

struct cedar_record_entry {
	struct span key;
	const struct cedar_value *value;
};

struct cedar_value {
	enum cedar_value_kind kind;
	union {
		bool boolean;
		int64_t integer;	     /* Long; decimal in 1/10000; datetime, duration in ms */
		struct span string;	     /* String, and the name of an unknown: UTF-8 */
		struct cedar_entity_uid uid;
		struct cedar_ipaddr ip;
		struct {
			const struct cedar_value *const *items;
			size_t len; /* sorted, no duplicates: make sets with cedar_value_set only */
		} set;
		struct {
			const struct cedar_record_entry *entries;
			size_t len; /* sorted by key bytes, unique */
		} record;
	};
};

/* Constructors for embedders; NULL when the arena is exhausted. Spans are not copied. */
const struct cedar_value *cedar_value_bool(struct arena *a, bool b);
const struct cedar_value *cedar_value_long(struct arena *a, int64_t n);
const struct cedar_value *cedar_value_string(struct arena *a, struct span s);
const struct cedar_value *cedar_value_entity(struct arena *a, struct cedar_entity_uid uid);
const struct cedar_value *cedar_value_ip(struct arena *a, struct cedar_ipaddr ip);
const struct cedar_value *cedar_value_decimal(struct arena *a, int64_t ten_thousandths);
const struct cedar_value *cedar_value_datetime(struct arena *a, int64_t ms);
const struct cedar_value *cedar_value_duration(struct arena *a, int64_t ms);
/* Sorts and removes duplicates; the array is copied. */
const struct cedar_value *cedar_value_set(struct arena *a, const struct cedar_value **items, size_t n);
/* Sorts by key; of equal keys the last stays. The array is copied. */
const struct cedar_value *cedar_value_record(struct arena *a, const struct cedar_record_entry *entries,
					     size_t n);
bool cedar_value_eq(const struct cedar_value *a, const struct cedar_value *b);
/* Appends the value as Cedar text, in the reference's canonical form. */
int cedar_value_print(const struct cedar_value *v, struct buf *out);

/* Text forms of the extension types; 0 or -EINVAL. */
int cedar_decimal_parse(struct span text, int64_t *ret);
int cedar_ipaddr_parse(struct span text, struct cedar_ipaddr *ret);
int cedar_datetime_parse(struct span text, int64_t *ret_ms);
int cedar_duration_parse(struct span text, int64_t *ret_ms);

/* ---- Entities ---------------------------------------------------------- */

/*
 * Where the evaluator asks about entities. An embedder whose hierarchy follows
 * from the ids themselves (paths, host names, addresses) answers `is_in`
 * without storing anything. All functions may be called many times per
 * authorization and must answer alike during one.
 */
struct cedar_entity_source {
	void *ctx;
	/* Is child a proper descendant of parent? (Reflexivity is the evaluator's.) */
	bool (*is_in)(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent);
	/* The attributes, a record; NULL where the entity does not exist. */
	const struct cedar_value *(*attributes)(void *ctx, struct cedar_entity_uid uid);
	/* The tags, a record; NULL where the entity does not exist or has none. */
	const struct cedar_value *(*tags)(void *ctx, struct cedar_entity_uid uid);
};

/* A plain store: explicit entities with explicit parents, transitively closed by _close. */
struct cedar_entities;

struct cedar_entities *cedar_entities_new(void);
void cedar_entities_free(struct cedar_entities *e);
struct arena *cedar_entities_arena(struct cedar_entities *e);
/* -EEXIST for a second, different entity of the same uid. Copies nothing: use the store's arena. */
int cedar_entities_add(struct cedar_entities *e, struct cedar_entity_uid uid,
		       const struct cedar_value *attributes, const struct cedar_value *tags,
		       const struct cedar_entity_uid *parents, size_t n_parents, struct err *err);
/* Computes ancestors; -ELOOP on a cycle. To be called once, before use as a source. */
int cedar_entities_close(struct cedar_entities *e, struct err *err);
struct cedar_entity_source cedar_entities_source(struct cedar_entities *e);

/* ---- Evaluation -------------------------------------------------------- */

struct cedar_request {
	struct cedar_entity_uid principal, action, resource;
	const struct cedar_value *context; /* a record */
};

/* Why an evaluation failed. */
struct cedar_eval_error {
	const char *code;	   /* "type", "overflow", "missing_attribute", "missing_entity", ... */
	struct cedar_range range;  /* of the sub-expression in the policy's source */
	const char *message;	   /* arena */
};

/*
 * Evaluates one expression. Values live in the arena. Returns 0 with *ret, or
 * -EINVAL with *error for Cedar's evaluation errors, or -ENOMEM/-EMSGSIZE when
 * the arena's limit or the nesting limit is hit (error filled as well).
 */
int cedar_eval(const struct cedar_expr *e, const struct cedar_request *r,
	       const struct cedar_entity_source *entities, struct arena *arena,
	       const struct cedar_value **ret, struct cedar_eval_error *error) _must_check_;

enum cedar_effect_result {
	CEDAR_NOT_SATISFIED,
	CEDAR_SATISFIED,
	CEDAR_ERRED,
};

/*
 * Does the policy's scope and do all its conditions hold? Templates never apply.
 * An error with the code "limit" is ours, not Cedar's: treat it as a denial.
 */
enum cedar_effect_result cedar_policy_eval(const struct cedar_policy *p, const struct cedar_request *r,
					   const struct cedar_entity_source *entities,
					   struct arena *arena, struct cedar_eval_error *error);
/* The scope alone; it can never err. */
bool cedar_policy_scope_matches(const struct cedar_policy *p, const struct cedar_request *r,
				const struct cedar_entity_source *entities);

struct cedar_policy_error {
	const struct cedar_policy *policy;
	struct cedar_eval_error error;
};

struct cedar_response {
	bool allow; /* a zeroed response denies */
	const struct cedar_policy **reasons; /* those that determined it, in set order; arena */
	size_t n_reasons;
	struct cedar_policy_error *errors; /* policies skipped because they erred; arena */
	size_t n_errors;
};

/*
 * Cedar's authorization: any satisfied forbid denies, else any satisfied
 * permit allows, else deny. Returns 0, or -ENOMEM when the arena is exhausted,
 * or -EMSGSIZE at the nesting limit (the response then denies: to skip a forbid
 * for want of memory would allow).
 */
int cedar_authorize(const struct cedar_policy_set *set, const struct cedar_request *r,
		    const struct cedar_entity_source *entities, struct arena *arena,
		    struct cedar_response *ret) _must_check_;

#pragma GCC visibility pop
