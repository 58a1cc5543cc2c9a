/*
 * Schemas: which entity types, actions, attributes and contexts exist.
 *
 * A schema is written in Cedar's own syntax or in JSON. Both are read into one
 * tree of declarations (struct cedar_schema_tree), which can be written in
 * either form again; resolving the names in a tree makes the struct
 * cedar_schema that the validator, the entity reader and the partial evaluator
 * read. A resolved schema does not change and may be shared by threads.
 */
#pragma once

#include "cedar/cedar-ast.h"
#include "cedar/cedar.h"

#pragma GCC visibility push(default)

/* ---- Declarations as written ------------------------------------------- */

struct cedar_schema_tree; /* opaque here, see schema-tree.h; owns its arena and a copy of the text */

/* Cedar's schema syntax. -EINVAL with all errors in diags; -EMSGSIZE past a limit (also a diagnostic). */
int cedar_schema_tree_parse(struct span text, struct cedar_diagnostics *diags,
			    struct cedar_schema_tree **ret) _must_check_;
/* The JSON form; ranges in diags are bytes of the JSON text. */
int cedar_schema_tree_parse_json(struct span text, struct cedar_diagnostics *diags,
				 struct cedar_schema_tree **ret) _must_check_;
void cedar_schema_tree_free(struct cedar_schema_tree *tree);
/*
 * Append the tree in either form, as the reference's translation writes it.
 * -EMSGSIZE past the buffer's limit or LIMIT_CEDAR_SCHEMA_PRINT. Not all that
 * JSON can say has a form in Cedar's syntax: -ENOTSUP, and _check_print says
 * what and where.
 */
int cedar_schema_tree_check_print(const struct cedar_schema_tree *tree,
				  struct cedar_diagnostics *diags) _must_check_;
int cedar_schema_tree_print(const struct cedar_schema_tree *tree, struct buf *out) _must_check_;
int cedar_schema_tree_print_json(const struct cedar_schema_tree *tree, struct buf *out) _must_check_;

/* ---- Resolved ----------------------------------------------------------- */

enum cedar_type_kind {
	CEDAR_TYPE_NEVER, /* of the empty set's elements; only the validator makes it, as the next two */
	CEDAR_TYPE_TRUE,  /* a Bool known to be true */
	CEDAR_TYPE_FALSE,
	CEDAR_TYPE_BOOL,
	CEDAR_TYPE_LONG,
	CEDAR_TYPE_STRING,
	CEDAR_TYPE_ENTITY, /* entity: one type */
	CEDAR_TYPE_SET,	   /* element */
	CEDAR_TYPE_RECORD, /* attributes */
	CEDAR_TYPE_DECIMAL,
	CEDAR_TYPE_IPADDR,
	CEDAR_TYPE_DATETIME,
	CEDAR_TYPE_DURATION,
	/* What the validator alone makes, where it has to speak of several at once. */
	CEDAR_TYPE_ANY_ENTITY, /* a union of entity types, or any: `entities`, n_entities 0 for any */
};

struct cedar_type;

struct cedar_attribute_type {
	struct span name;
	const struct cedar_type *type;
	bool is_required;
};

struct cedar_type {
	enum cedar_type_kind kind;
	const struct cedar_entity_type *entity;		/* ENTITY; NULL: the type of a namespace's actions */
	struct span entity_name;			/* ENTITY: its full name, also for action types */
	const struct cedar_type *element;		/* SET; NULL: a set of anything */
	const struct cedar_attribute_type *attributes;	/* RECORD, sorted by name bytes */
	size_t n_attributes;
	bool is_open; /* RECORD: may have further attributes (permissive validation) */
	const struct span *entities; /* ANY_ENTITY, sorted */
	size_t n_entities;
};

struct cedar_entity_type {
	struct span name;     /* "NS::T" */
	size_t index;	      /* position in the schema's list */
	bool is_enum;
	const struct span *enum_ids; /* sorted */
	size_t n_enum_ids;
	const struct cedar_type *shape; /* a record, closed */
	const struct cedar_type *tags;	/* NULL: none */
	/*
	 * Types whose entities may be ancestors of such an entity, transitively; sorted by index.
	 * A type is its own ancestor where it is so declared, directly or in a cycle.
	 */
	const struct cedar_entity_type *const *ancestors;
	size_t n_ancestors;
	struct cedar_range range; /* of its name in the source, as for actions */
};

struct cedar_action_type {
	struct cedar_entity_uid uid; /* NS::Action::"id" */
	size_t index;
	const struct cedar_entity_type *const *principals; /* appliesTo; both empty: never applies */
	const struct cedar_entity_type *const *resources;
	size_t n_principals, n_resources;
	const struct cedar_type *context; /* a record */
	const struct cedar_action_type *const *parents;	  /* as declared */
	const struct cedar_action_type *const *ancestors; /* transitively; sorted by index */
	size_t n_parents, n_ancestors;
	struct cedar_range range;
};

struct cedar_schema {
	struct arena arena;
	const struct cedar_entity_type *const *entities; /* sorted by name */
	size_t n_entities;
	const struct cedar_action_type *const *actions; /* sorted by type, then id */
	size_t n_actions;
};

/* Resolves all names. The schema does not refer to the tree. Errors as in _parse. */
int cedar_schema_resolve(const struct cedar_schema_tree *tree, struct cedar_diagnostics *diags,
			 struct cedar_schema **ret) _must_check_;
/* Parse and resolve. */
int cedar_schema_parse(struct span text, struct cedar_diagnostics *diags, struct cedar_schema **ret)
	_must_check_;
int cedar_schema_parse_json(struct span text, struct cedar_diagnostics *diags,
			    struct cedar_schema **ret) _must_check_;
void cedar_schema_free(struct cedar_schema *s);

/* Binary search; NULL where there is none. */
const struct cedar_entity_type *cedar_schema_entity(const struct cedar_schema *s, struct span name);
const struct cedar_action_type *cedar_schema_action(const struct cedar_schema *s,
						    struct cedar_entity_uid uid);
/* The attribute of a record type, or NULL. */
const struct cedar_attribute_type *cedar_type_attribute(const struct cedar_type *record,
							struct span name);
/* May an entity of type a have one of type b as an ancestor? */
bool cedar_entity_type_is_in(const struct cedar_entity_type *a, const struct cedar_entity_type *b);

#pragma GCC visibility pop
