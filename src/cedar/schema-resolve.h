/*
 * What the files of the schema resolver share. Declarations are numbered as in
 * the finished tree (schema_namespace.first_*, then the place in the sorted
 * list), and what was made of each is kept under its number. Mistakes are
 * reported and resolving goes on with a stand-in; only want of memory and
 * passed limits end it (negative errno).
 */
#pragma once

#include "cedar/schema-graph.h"
#include "cedar/schema-tree.h"

/* A finished type with its size once all names in it are followed. */
struct resolved_type {
	const struct cedar_type *type; /* NULL: not yet */
	size_t depth, n_nodes;
};

struct resolved_entities {
	const struct cedar_entity_type **items;
	size_t len;
	bool is_done;
};

struct resolved_actions {
	const struct cedar_action_type **items;
	size_t *numbers;
	size_t len;
	bool is_done;
};

struct resolver {
	const struct cedar_schema_tree *tree;
	struct cedar_schema *schema;
	struct arena *arena; /* the schema's */
	struct arena scratch;
	struct cedar_diagnostics *diags;
	struct cedar_entity_type *entities; /* by number, as the next two */
	struct cedar_action_type *actions;
	struct resolved_type *commons;
	struct resolved_type *types;		/* by schema_type.index */
	struct resolved_entities *entity_lists; /* by schema_names.index */
	struct resolved_actions *action_lists;	/* by schema_action_refs.index */
	size_t n_candidates;			/* looked at for suggestions, which are bounded */
};

/* An error; suggestion may be NULL. Returns -EINVAL. */
int resolver_error(struct resolver *r, const char *code, struct cedar_range range,
		   const char *suggestion, const char *fmt, ...) _printf_(5, 6);
/* Reports that a limit was passed, or memory is gone. Returns -EMSGSIZE. */
int resolver_too_large(struct resolver *r, struct cedar_range range);

/* ---- Names -------------------------------------------------------------- */

/* What a name may stand for; a look-up may want several. */
enum schema_name_kind {
	SCHEMA_NAME_NONE = 0,
	SCHEMA_NAME_COMMON = 1,
	SCHEMA_NAME_ENTITY = 2,
	SCHEMA_NAME_ACTION = 4, /* the entity type of a namespace's actions */
	SCHEMA_NAME_BUILTIN = 8,
};

struct schema_found {
	enum schema_name_kind kind;
	size_t number;			   /* COMMON, ENTITY */
	const struct schema_namespace *ns; /* ACTION */
	const struct cedar_type *builtin;
};

/* A name as seen from a namespace (RFC 24 and 70). wanted: any of COMMON and ENTITY. */
struct schema_found schema_look_up(const struct cedar_schema_tree *tree,
				   const struct schema_namespace *ns, struct span name,
				   unsigned wanted);
/* An action as seen from a namespace: its number, or SIZE_MAX. */
size_t schema_look_up_action(const struct cedar_schema_tree *tree,
			     const struct schema_namespace *ns,
			     const struct schema_action_ref *ref);
/* Bool, Long, String and the extension types; NULL for other names. */
const struct cedar_type *schema_builtin(struct span name);
/* "NS::name" in the arena; name.p is NULL when it is exhausted. */
struct span schema_full_name(struct arena *arena, const struct schema_namespace *ns,
			     struct span name);
/* Reports a name that was not found, with what was probably meant. */
int resolver_unknown_name(struct resolver *r, const struct schema_namespace *ns, struct span name,
			  struct cedar_range range, unsigned wanted);
int resolver_unknown_action(struct resolver *r, const struct schema_namespace *ns,
			    const struct schema_action_ref *ref);
/* Names in a namespace that hide one outside of all (RFC 70). */
void resolver_check_shadowing(struct resolver *r);

/* ---- Types -------------------------------------------------------------- */

/* All common types, each after those it refers to. */
int resolver_common_types(struct resolver *r);
/* A type as written in the namespace; made once per node. */
int resolver_type(struct resolver *r, const struct schema_namespace *ns,
		  const struct schema_type *type, const struct cedar_type **ret);
/* As above, but must be a record; NULL is the empty one. what is for the message. */
int resolver_record(struct resolver *r, const struct schema_namespace *ns,
		    const struct schema_type *type, const char *what,
		    const struct cedar_type **ret);
/* The list, made once. */
int resolver_entity_list(struct resolver *r, const struct schema_namespace *ns,
			 const struct schema_names *names, struct resolved_entities *ret);

/* ---- Declarations ------------------------------------------------------- */

/* Names first, since everything may refer to everything. */
int resolver_name_entities(struct resolver *r);
int resolver_name_actions(struct resolver *r);
/* The rest, after the common types. Entity types come first. */
int resolver_entities(struct resolver *r);
int resolver_actions(struct resolver *r);
