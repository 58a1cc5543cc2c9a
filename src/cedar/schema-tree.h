/*
 * A schema's declarations as written: what both readers make, both printers
 * write, and resolving reads. Everything lives in the tree's arena, text
 * included. A declaration of several names (entity A, B ...) gives each its own
 * node; they share what they have in common, so a tree is never larger than
 * its text. What can be shared carries an index, under which a user of the
 * tree may keep what it made of it.
 */
#pragma once

#include "base/arena.h"
#include "cedar/cedar-schema.h"

struct schema_annotations {
	struct cedar_annotation *items; /* sorted by key */
	size_t len;
};

enum schema_type_kind {
	SCHEMA_TYPE_NAME,      /* name: a common or an entity type (JSON: EntityOrCommon) */
	SCHEMA_TYPE_ENTITY,    /* name; JSON only */
	SCHEMA_TYPE_COMMON,    /* name; JSON, and the context of an action */
	SCHEMA_TYPE_EXTENSION, /* name; JSON only, as the next three */
	SCHEMA_TYPE_BOOL,
	SCHEMA_TYPE_LONG,
	SCHEMA_TYPE_STRING,
	SCHEMA_TYPE_SET,    /* element */
	SCHEMA_TYPE_RECORD, /* attributes */
};

struct schema_type {
	enum schema_type_kind kind;
	struct cedar_range range;
	size_t index; /* among all types of the tree */
	struct span name;
	struct schema_type *element;
	struct schema_attribute *attributes; /* sorted by name, each once */
	size_t n_attributes;
};

struct schema_attribute {
	struct span name;
	struct cedar_range range; /* of the name */
	struct schema_type *type;
	bool is_required;
	struct schema_annotations annotations;
};

/* Names of entity types, as written. */
struct schema_name {
	struct span text; /* normalised path */
	struct cedar_range range;
};

struct schema_names {
	struct schema_name *items;
	size_t len;
	size_t index; /* among all lists of the tree */
};

/* What an action is a member of. */
struct schema_action_ref {
	struct span type; /* "NS::Action"; empty where only the id is written */
	struct span id;
	struct cedar_range range;
};

struct schema_action_refs {
	struct schema_action_ref *items;
	size_t len;
	bool is_written; /* in JSON an empty list differs from none */
	size_t index;	 /* likewise */
};

struct schema_applies_to {
	struct schema_names principals, resources;
	struct schema_type *context; /* NULL: the empty record */
};

struct schema_entity {
	struct span name;	  /* one component */
	struct cedar_range range; /* of the name, as below */
	struct schema_annotations annotations;
	struct schema_names parents;
	struct schema_type *shape; /* NULL: the empty record */
	struct schema_type *tags;  /* NULL: none */
	bool is_enum;
	struct span *enum_ids; /* in their order */
	size_t n_enum_ids;
};

struct schema_common {
	struct span name;
	struct cedar_range range;
	struct schema_annotations annotations;
	struct schema_type *type;
};

struct schema_action {
	struct span id;
	struct cedar_range range;
	struct schema_annotations annotations;
	struct schema_action_refs parents;
	const struct schema_applies_to *applies_to; /* NULL: none, as only JSON can say */
};

struct schema_namespace {
	struct span name; /* empty: what is declared outside of all */
	bool is_written;  /* the empty one is there in any case */
	struct cedar_range range;
	struct schema_annotations annotations;
	struct schema_entity **entities; /* sorted by name once the tree is finished */
	struct schema_common **commons;	 /* likewise */
	struct schema_action **actions;	 /* by id */
	size_t n_entities, n_commons, n_actions;
	size_t cap_entities, cap_commons, cap_actions; /* while it is read */
	/* Numbers of the first of each, counted through all namespaces. */
	size_t first_entity, first_common, first_action;
};

struct cedar_schema_tree {
	struct arena arena;
	struct schema_namespace *
		*namespaces; /* sorted, the empty one first, which is always there */
	size_t n_namespaces, cap_namespaces;
	size_t n_types, n_lists; /* how many indices were given */
	size_t n_entities, n_commons, n_actions;
};

struct cedar_schema_tree *schema_tree_new(void);
void schema_tree_cleanup(struct cedar_schema_tree **tree);

/* Nodes with their indices; NULL when the arena is exhausted. */
struct schema_type *schema_type_new(struct cedar_schema_tree *tree, enum schema_type_kind kind,
				    size_t begin);
/* Sorts a record's attributes; of equal names the last stays, and the first is reported. */
void schema_type_sort_attributes(struct schema_type *record, struct cedar_diagnostics *diags);
/* Sorts by key; reports those that occur twice. */
void schema_annotations_sort(struct schema_annotations *annotations,
			     struct cedar_diagnostics *diags);
/* Report names that nothing of this kind may have, with -EINVAL. */
int schema_check_entity_name(struct span name, struct cedar_range range,
			     struct cedar_diagnostics *diags);
int schema_check_common_name(struct span name, struct cedar_range range,
			     struct cedar_diagnostics *diags);
/* Room for one more pointer in *items; -ENOMEM. */
int schema_list_grow(struct arena *arena, void **items, size_t len, size_t *cap, size_t size);
/* The namespace, made if need be; NULL when the arena is exhausted. */
struct schema_namespace *schema_tree_namespace_new(struct cedar_schema_tree *tree, struct span name,
						   struct cedar_range range);
int schema_namespace_add_entity(struct cedar_schema_tree *tree, struct schema_namespace *ns,
				const struct schema_entity *entity);
int schema_namespace_add_common(struct cedar_schema_tree *tree, struct schema_namespace *ns,
				const struct schema_common *common);
int schema_namespace_add_action(struct cedar_schema_tree *tree, struct schema_namespace *ns,
				const struct schema_action *action);
/* Sorts, numbers, and reports what is declared twice. */
void schema_tree_finish(struct cedar_schema_tree *tree, struct cedar_diagnostics *diags);

/* Look-ups in a finished tree; NULL where there is none. */
const struct schema_namespace *schema_tree_namespace(const struct cedar_schema_tree *tree,
						     struct span name);
/* The position in the namespace's sorted list, or SIZE_MAX. */
size_t schema_namespace_entity(const struct schema_namespace *ns, struct span name);
size_t schema_namespace_common(const struct schema_namespace *ns, struct span name);
size_t schema_namespace_action(const struct schema_namespace *ns, struct span id);

/* "A::B::C" into "A::B" and "C"; prefix is empty where there is none. */
void schema_split_name(struct span name, struct span *ret_prefix, struct span *ret_last);
/* The reference's order of namespaces: the last component counts first. */
int schema_compare_namespaces(struct span a, struct span b);
