/*
 * The validator's types. Each is interned: two types are equal exactly when
 * their pointers are, however often a schema's types share their parts. The
 * universe belongs to one validation and is not thread-safe; the schema it
 * reads is.
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar-validate.h"

struct type_slot;
struct join_slot;

struct types {
	const struct cedar_schema *schema;
	enum cedar_validation_mode mode;
	struct arena arena;
	struct type_slot *slots; /* all types by content */
	size_t n_slots, len;
	struct join_slot *joins; /* what was joined before */
	size_t n_joins, joins_len;
	const struct cedar_type *
		*imported_from; /* the schema's types by address, and what they became */
	const struct cedar_type **imported_to;
	size_t n_imported, imported_len;
	const struct cedar_type *basic[CEDAR_TYPE_ANY_ENTITY + 1]; /* those without parts */
	const struct cedar_type **entities; /* by index in the schema; made when first used */
	const struct cedar_type **shapes;
	const struct cedar_type **tags;
	bool is_limited; /* memory or depth is exhausted: no answer counts */
};

int types_init(struct types *t, const struct cedar_schema *schema,
	       enum cedar_validation_mode mode) _must_check_;
void types_done(struct types *t);

/* All of these return NULL once is_limited. */
const struct cedar_type *type_entity(struct types *t, const struct cedar_entity_type *entity);
/* The type of an action, which is no entity type of the schema. */
const struct cedar_type *type_action(struct types *t, struct span name);
const struct cedar_type *type_set(struct types *t, const struct cedar_type *element);
/* Sorts the attributes, which may not repeat a name. */
const struct cedar_type *type_record(struct types *t, struct cedar_attribute_type *attributes,
				     size_t n, bool is_open);
/* One of several entity types, whose sorted names are given. */
const struct cedar_type *type_union(struct types *t, const struct span *names, size_t n);
/* The interned form of one of the schema's types. */
const struct cedar_type *type_import(struct types *t, const struct cedar_type *type);
const struct cedar_type *type_shape(struct types *t, const struct cedar_entity_type *entity);
/* NULL also where the entity type has no tags. */
const struct cedar_type *type_tags(struct types *t, const struct cedar_entity_type *entity);

static inline const struct cedar_type *type_basic(const struct types *t, enum cedar_type_kind kind)
{
	return t->basic[kind];
}

static inline bool type_is_bool(const struct cedar_type *type)
{
	return type->kind == CEDAR_TYPE_BOOL || type->kind == CEDAR_TYPE_TRUE ||
	       type->kind == CEDAR_TYPE_FALSE;
}

static inline bool type_is_entity(const struct cedar_type *type)
{
	return type->kind == CEDAR_TYPE_ENTITY || type->kind == CEDAR_TYPE_ANY_ENTITY;
}

/* The names of the entity types that a value of the type may have; n is 0 for any. */
size_t type_entity_names(const struct cedar_type *type, const struct span **ret);

/*
 * The least type that both are of, or NULL where there is none (or a limit was
 * passed). In strict mode only True and False differ and still have one.
 */
const struct cedar_type *type_join(struct types *t, const struct cedar_type *a,
				   const struct cedar_type *b);

/*
 * The type of an attribute of an entity or a record: *ret is NULL where it has
 * none. may_exist tells whether a value of the type could have it all the same.
 */
void type_find_attribute(struct types *t, const struct cedar_type *type, struct span name,
			 const struct cedar_type **ret, bool *ret_is_required, bool *ret_may_exist);

/* Appends the type as a person would write it in a schema; cut when long. */
void type_print(const struct cedar_type *type, struct buf *out);
