/*
 * Subtypes and least upper bounds. Joins of compound types are remembered:
 * types share their parts, so that without it the same pair could be met
 * exponentially often.
 */
#include "base/alloc.h"
#include "cedar/types.h"

struct join_slot {
	const struct cedar_type *a, *b, *join;
	bool is_used;
};

static size_t join_at(const struct types *t, const struct cedar_type *a, const struct cedar_type *b)
{
	uint64_t h = ((uint64_t)(uintptr_t)a * 0x9e3779b97f4a7c15ULL) ^
		     ((uint64_t)(uintptr_t)b * 0xc2b2ae3d27d4eb4fULL);
	size_t at = (size_t)(h ^ (h >> 31)) & (t->n_joins - 1);

	while (t->joins[at].is_used && (t->joins[at].a != a || t->joins[at].b != b))
		at = (at + 1) & (t->n_joins - 1);
	return at;
}

static void grow_joins(struct types *t)
{
	struct types old = *t;

	t->n_joins = old.n_joins ? old.n_joins * 2 : 64;
	t->joins = xnew_array(struct join_slot, t->n_joins);
	for (size_t i = 0; i < old.n_joins; i++)
		if (old.joins[i].is_used)
			t->joins[join_at(t, old.joins[i].a, old.joins[i].b)] = old.joins[i];
	xfree(old.joins);
}

/* Strict: the same attributes, each required in both or in neither. */
static const struct cedar_type *join_records_strictly(struct types *t, const struct cedar_type *a,
						      const struct cedar_type *b)
{
	struct cedar_attribute_type *joined;

	if (a->n_attributes != b->n_attributes)
		return NULL;
	joined = arena_alloc_array(&t->arena, a->n_attributes, sizeof(*joined));
	if (!joined) {
		t->is_limited = true;
		return NULL;
	}
	for (size_t i = 0; i < a->n_attributes; i++) {
		joined[i] = a->attributes[i];
		if (!span_eq(joined[i].name, b->attributes[i].name) ||
		    joined[i].is_required != b->attributes[i].is_required)
			return NULL;
		joined[i].type = type_join(t, joined[i].type, b->attributes[i].type);
		if (!joined[i].type)
			return NULL;
	}
	return type_record(t, joined, a->n_attributes, false);
}

/* Permissive: what both have and can be joined; open where something was lost. */
static const struct cedar_type *join_records(struct types *t, const struct cedar_type *a,
					     const struct cedar_type *b)
{
	struct cedar_attribute_type *joined;
	size_t n = 0, i = 0, j = 0;

	joined = arena_alloc_array(&t->arena, MIN(a->n_attributes, b->n_attributes),
				   sizeof(*joined));
	if (!joined) {
		t->is_limited = true;
		return NULL;
	}
	while (i < a->n_attributes && j < b->n_attributes) {
		const struct cedar_attribute_type *x = &a->attributes[i];
		const struct cedar_attribute_type *y = &b->attributes[j];
		int order = span_cmp(x->name, y->name);
		const struct cedar_type *type;

		i += order <= 0;
		j += order >= 0;
		if (order)
			continue;
		type = type_join(t, x->type, y->type);
		if (type)
			joined[n++] = (struct cedar_attribute_type){
				.name = x->name,
				.type = type,
				.is_required = x->is_required && y->is_required,
			};
	}
	return type_record(t, joined, n,
			   a->is_open || b->is_open || n != a->n_attributes ||
				   n != b->n_attributes);
}

static const struct cedar_type *join_entities(struct types *t, const struct cedar_type *a,
					      const struct cedar_type *b)
{
	const struct span *x, *y;
	size_t n_x = type_entity_names(a, &x), n_y = type_entity_names(b, &y);
	size_t n = 0, i = 0, j = 0;
	struct span *all;

	if (n_x == 0 || n_y == 0)
		return type_basic(t, CEDAR_TYPE_ANY_ENTITY);
	all = arena_alloc_array(&t->arena, n_x + n_y, sizeof(*all));
	if (!all) {
		t->is_limited = true;
		return NULL;
	}
	while (i < n_x || j < n_y) {
		int order = i == n_x ? 1 : j == n_y ? -1 : span_cmp(x[i], y[j]);

		all[n++] = order <= 0 ? x[i] : y[j];
		i += order <= 0;
		j += order >= 0;
	}
	return n == n_x ? a : n == n_y ? b : type_union(t, all, n);
}

static const struct cedar_type *join_sets(struct types *t, const struct cedar_type *a,
					  const struct cedar_type *b)
{
	const struct cedar_type *element = type_join(t, a->element, b->element);

	return element ? type_set(t, element) : NULL;
}

static const struct cedar_type *join_compound(struct types *t, const struct cedar_type *a,
					      const struct cedar_type *b)
{
	if (a->kind == CEDAR_TYPE_SET)
		return join_sets(t, a, b);
	return t->mode == CEDAR_STRICT ? join_records_strictly(t, a, b) : join_records(t, a, b);
}

const struct cedar_type *type_join(struct types *t, const struct cedar_type *a,
				   const struct cedar_type *b)
{
	const struct cedar_type *join;
	size_t at;

	if (a == b || b->kind == CEDAR_TYPE_NEVER)
		return a;
	if (a->kind == CEDAR_TYPE_NEVER)
		return b;
	if (type_is_bool(a) && type_is_bool(b))
		return type_basic(t, CEDAR_TYPE_BOOL);
	if (t->mode == CEDAR_PERMISSIVE && type_is_entity(a) && type_is_entity(b))
		return join_entities(t, a, b);
	if (a->kind != b->kind || (a->kind != CEDAR_TYPE_SET && a->kind != CEDAR_TYPE_RECORD))
		return NULL;
	if ((t->joins_len + 1) * 2 > t->n_joins)
		grow_joins(t);
	at = join_at(t, a, b);
	if (t->joins[at].is_used)
		return t->joins[at].join;
	join = join_compound(t, a, b);
	if ((t->joins_len + 1) * 2 > t->n_joins)
		grow_joins(t);
	at = join_at(t, a, b);
	if (!t->joins[at].is_used)
		t->joins_len++;
	t->joins[at] = (struct join_slot){ a, b, join, true };
	return join;
}

/* ---- Attributes ------------------------------------------------------------ */

/* Of a union of entity types: what all of them have. */
static const struct cedar_type *union_shape(struct types *t, const struct cedar_type *type)
{
	const struct cedar_type *shape = NULL;

	for (size_t i = 0; i < type->n_entities; i++) {
		const struct cedar_entity_type *e =
			cedar_schema_entity(t->schema, type->entities[i]);
		const struct cedar_type *one =
			e ? type_shape(t, e) : type_record(t, NULL, 0, false);

		if (!one)
			return NULL;
		shape = shape ? type_join(t, shape, one) : one;
		if (!shape)
			return NULL;
	}
	return shape;
}

void type_find_attribute(struct types *t, const struct cedar_type *type, struct span name,
			 const struct cedar_type **ret, bool *ret_is_required, bool *ret_may_exist)
{
	const struct cedar_type *shape = NULL;
	const struct cedar_attribute_type *found = NULL;

	if (type->kind == CEDAR_TYPE_RECORD)
		shape = type;
	else if (type->kind == CEDAR_TYPE_ENTITY && type->entity)
		shape = type_shape(t, type->entity);
	else if (type->kind == CEDAR_TYPE_ANY_ENTITY && type->n_entities)
		shape = union_shape(t, type);
	if (shape)
		found = cedar_type_attribute(shape, name);
	*ret = found ? found->type : NULL;
	*ret_is_required = found && found->is_required;
	*ret_may_exist = found || (shape && shape->is_open) ||
			 (type->kind == CEDAR_TYPE_ANY_ENTITY && !type->n_entities);
}
