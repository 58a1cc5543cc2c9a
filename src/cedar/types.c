/* Interning types, and taking over the schema's. */
#include "cedar/types.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"

struct type_slot {
	uint64_t hash;
	const struct cedar_type *type;
};

/* A type with what interning has to know of it. */
struct interned {
	struct cedar_type type; /* first: a pointer to it is a pointer to this */
	size_t depth;
};

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

static uint64_t hash_pointer(const void *p)
{
	return mix(0x2545f4914f6cdd1dULL, (uint64_t)(uintptr_t)p);
}

static uint64_t type_hash(const struct cedar_type *type)
{
	uint64_t h = mix(0, (uint64_t)type->kind * 2 + type->is_open);

	h = mix(h, hash_pointer(type->entity));
	if (type->kind == CEDAR_TYPE_ENTITY && !type->entity)
		h = mix(h, hash_bytes(type->entity_name.p, type->entity_name.len));
	h = mix(h, hash_pointer(type->element));
	for (size_t i = 0; i < type->n_attributes; i++) {
		const struct cedar_attribute_type *a = &type->attributes[i];

		h = mix(h, hash_bytes(a->name.p, a->name.len));
		h = mix(h, hash_pointer(a->type) + a->is_required);
	}
	for (size_t i = 0; i < type->n_entities; i++)
		h = mix(h, hash_bytes(type->entities[i].p, type->entities[i].len));
	return h;
}

/* By content, the parts by address. */
static bool is_same(const struct cedar_type *a, const struct cedar_type *b)
{
	if (a->kind != b->kind || a->is_open != b->is_open || a->entity != b->entity ||
	    a->element != b->element || a->n_attributes != b->n_attributes ||
	    a->n_entities != b->n_entities)
		return false;
	if (a->kind == CEDAR_TYPE_ENTITY && !span_eq(a->entity_name, b->entity_name))
		return false;
	for (size_t i = 0; i < a->n_attributes; i++)
		if (a->attributes[i].type != b->attributes[i].type ||
		    a->attributes[i].is_required != b->attributes[i].is_required ||
		    !span_eq(a->attributes[i].name, b->attributes[i].name))
			return false;
	for (size_t i = 0; i < a->n_entities; i++)
		if (!span_eq(a->entities[i], b->entities[i]))
			return false;
	return true;
}

static size_t depth_of(const struct cedar_type *type)
{
	size_t depth = 0;

	if (type->element)
		depth = ((const struct interned *)type->element)->depth;
	for (size_t i = 0; i < type->n_attributes; i++)
		depth = MAX(depth, ((const struct interned *)type->attributes[i].type)->depth);
	return depth + 1;
}

static void grow_slots(struct types *t)
{
	size_t n = t->n_slots ? t->n_slots * 2 : 64;
	struct type_slot *slots = xnew_array(struct type_slot, n);

	for (size_t i = 0; i < t->n_slots; i++) {
		size_t at = (size_t)t->slots[i].hash & (n - 1);

		if (!t->slots[i].type)
			continue;
		while (slots[at].type)
			at = (at + 1) & (n - 1);
		slots[at] = t->slots[i];
	}
	xfree(t->slots);
	t->slots = slots;
	t->n_slots = n;
}

static const struct cedar_type *limited(struct types *t)
{
	t->is_limited = true;
	return NULL;
}

/* Puts a type whose parts are interned and outlive the universe, or live in its arena. */
static const struct cedar_type *add_type(struct types *t, size_t at, uint64_t hash,
					 const struct cedar_type *wanted)
{
	struct interned *made = arena_new(&t->arena, struct interned);
	size_t depth = depth_of(wanted);

	if (!made || depth > LIMIT_CEDAR_DEPTH)
		return limited(t);
	made->type = *wanted;
	made->depth = depth;
	if (wanted->n_attributes) {
		struct cedar_attribute_type *copy =
			arena_alloc_array(&t->arena, wanted->n_attributes, sizeof(*copy));

		if (!copy)
			return limited(t);
		memcpy(copy, wanted->attributes, wanted->n_attributes * sizeof(*copy));
		made->type.attributes = copy;
	}
	if (wanted->n_entities) {
		struct span *copy = arena_alloc_array(&t->arena, wanted->n_entities, sizeof(*copy));

		if (!copy)
			return limited(t);
		memcpy(copy, wanted->entities, wanted->n_entities * sizeof(*copy));
		made->type.entities = copy;
	}
	t->slots[at] = (struct type_slot){ hash, &made->type };
	t->len++;
	return &made->type;
}

static const struct cedar_type *intern(struct types *t, const struct cedar_type *wanted)
{
	uint64_t hash = type_hash(wanted);
	size_t at;

	if ((t->len + 1) * 4 > t->n_slots * 3)
		grow_slots(t);
	at = (size_t)hash & (t->n_slots - 1);
	for (; t->slots[at].type; at = (at + 1) & (t->n_slots - 1))
		if (t->slots[at].hash == hash && is_same(t->slots[at].type, wanted))
			return t->slots[at].type;
	return add_type(t, at, hash, wanted);
}

int types_init(struct types *t, const struct cedar_schema *schema, enum cedar_validation_mode mode)
{
	*t = (struct types){ .schema = schema,
			     .mode = mode,
			     .arena = ARENA_INIT(LIMIT_CEDAR_TYPES) };
	t->entities =
		arena_alloc_array(&t->arena, schema->n_entities * 3 + 1, sizeof(*t->entities));
	if (!t->entities)
		return -ENOMEM;
	t->shapes = t->entities + schema->n_entities;
	t->tags = t->shapes + schema->n_entities;
	for (size_t i = 0; i < ARRAY_SIZE(t->basic); i++) {
		struct cedar_type type = { .kind = (enum cedar_type_kind)i };

		if (type.kind != CEDAR_TYPE_ENTITY && type.kind != CEDAR_TYPE_RECORD)
			t->basic[i] = intern(t, &type);
	}
	return t->is_limited ? -ENOMEM : 0;
}

void types_done(struct types *t)
{
	xfree(t->slots);
	xfree(t->joins);
	xfree(t->imported_from);
	xfree(t->imported_to);
	arena_done(&t->arena);
	*t = (struct types){ 0 };
}

const struct cedar_type *type_entity(struct types *t, const struct cedar_entity_type *entity)
{
	const struct cedar_type *type = t->entities[entity->index];

	if (!type) {
		struct cedar_type wanted = { .kind = CEDAR_TYPE_ENTITY,
					     .entity = entity,
					     .entity_name = entity->name };

		type = intern(t, &wanted);
		t->entities[entity->index] = type;
	}
	return type;
}

const struct cedar_type *type_action(struct types *t, struct span name)
{
	struct cedar_type wanted = { .kind = CEDAR_TYPE_ENTITY, .entity_name = name };

	return intern(t, &wanted);
}

const struct cedar_type *type_set(struct types *t, const struct cedar_type *element)
{
	struct cedar_type wanted = { .kind = CEDAR_TYPE_SET, .element = element };

	return intern(t, &wanted);
}

static int compare_attributes(const void *a, const void *b)
{
	return span_cmp(((const struct cedar_attribute_type *)a)->name,
			((const struct cedar_attribute_type *)b)->name);
}

const struct cedar_type *type_record(struct types *t, struct cedar_attribute_type *attributes,
				     size_t n, bool is_open)
{
	struct cedar_type wanted = { .kind = CEDAR_TYPE_RECORD,
				     .attributes = attributes,
				     .n_attributes = n,
				     .is_open = is_open };

	if (n > 1)
		qsort(attributes, n, sizeof(*attributes), compare_attributes);
	return intern(t, &wanted);
}

const struct cedar_type *type_union(struct types *t, const struct span *names, size_t n)
{
	struct cedar_type wanted = { .kind = CEDAR_TYPE_ANY_ENTITY,
				     .entities = names,
				     .n_entities = n };

	return intern(t, &wanted);
}

size_t type_entity_names(const struct cedar_type *type, const struct span **ret)
{
	*ret = type->kind == CEDAR_TYPE_ENTITY ? &type->entity_name : type->entities;
	return type->kind == CEDAR_TYPE_ENTITY ? 1 : type->n_entities;
}

/* ---- The schema's types --------------------------------------------------- */

/* Where the address is, or where it would be put. */
static size_t imported_at(const struct types *t, const struct cedar_type *type)
{
	size_t at = (size_t)hash_pointer(type) & (t->n_imported - 1);

	while (t->imported_from[at] && t->imported_from[at] != type)
		at = (at + 1) & (t->n_imported - 1);
	return at;
}

static void grow_imported(struct types *t)
{
	struct types old = *t;

	t->n_imported = old.n_imported ? old.n_imported * 2 : 64;
	t->imported_from = xnew_array(const struct cedar_type *, t->n_imported);
	t->imported_to = xnew_array(const struct cedar_type *, t->n_imported);
	for (size_t i = 0; i < old.n_imported; i++) {
		size_t at;

		if (!old.imported_from[i])
			continue;
		at = imported_at(t, old.imported_from[i]);
		t->imported_from[at] = old.imported_from[i];
		t->imported_to[at] = old.imported_to[i];
	}
	xfree(old.imported_from);
	xfree(old.imported_to);
}

static const struct cedar_type *import(struct types *t, const struct cedar_type *type,
				       size_t depth);

static const struct cedar_type *import_record(struct types *t, const struct cedar_type *type,
					      size_t depth)
{
	struct cedar_attribute_type *attributes;

	attributes = arena_alloc_array(&t->arena, type->n_attributes, sizeof(*attributes));
	if (!attributes)
		return limited(t);
	for (size_t i = 0; i < type->n_attributes; i++) {
		attributes[i] = type->attributes[i];
		attributes[i].type = import(t, type->attributes[i].type, depth + 1);
		if (!attributes[i].type)
			return NULL;
	}
	return type_record(t, attributes, type->n_attributes, type->is_open);
}

static const struct cedar_type *import_set(struct types *t, const struct cedar_type *type,
					   size_t depth)
{
	const struct cedar_type *element = import(t, type->element, depth + 1);

	return element ? type_set(t, element) : NULL;
}

static const struct cedar_type *import(struct types *t, const struct cedar_type *type, size_t depth)
{
	const struct cedar_type *made;
	size_t at;

	if (depth > LIMIT_CEDAR_DEPTH)
		return limited(t);
	if (type->kind == CEDAR_TYPE_ENTITY)
		return type->entity ? type_entity(t, type->entity)
				    : type_action(t, type->entity_name);
	if (type->kind != CEDAR_TYPE_SET && type->kind != CEDAR_TYPE_RECORD)
		return t->basic[type->kind];
	if ((t->imported_len + 1) * 2 > t->n_imported)
		grow_imported(t);
	at = imported_at(t, type);
	if (t->imported_from[at])
		return t->imported_to[at];
	made = type->kind == CEDAR_TYPE_SET ? import_set(t, type, depth)
					    : import_record(t, type, depth);
	if (!made)
		return NULL;
	if ((t->imported_len + 1) * 2 > t->n_imported)
		grow_imported(t);
	at = imported_at(t, type); /* the parts may have grown the table */
	t->imported_from[at] = type;
	t->imported_to[at] = made;
	t->imported_len++;
	return made;
}

const struct cedar_type *type_import(struct types *t, const struct cedar_type *type)
{
	return import(t, type, 0);
}

const struct cedar_type *type_shape(struct types *t, const struct cedar_entity_type *entity)
{
	const struct cedar_type **slot = &t->shapes[entity->index];

	if (!*slot)
		*slot = entity->shape ? import(t, entity->shape, 0)
				      : type_record(t, NULL, 0, false);
	return *slot;
}

const struct cedar_type *type_tags(struct types *t, const struct cedar_entity_type *entity)
{
	const struct cedar_type **slot = &t->tags[entity->index];

	if (!*slot && entity->tags)
		*slot = import(t, entity->tags, 0);
	return *slot;
}
