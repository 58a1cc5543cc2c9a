/*
 * What the machine knows of entities: from the store by number, else from the
 * hierarchy by uid.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/value-private.h"
#include "cedar/vm-private.h"

/* ---- in ------------------------------------------------------------------ */

static const struct store_entity *stored(const struct cedar_machine *m, const struct vm_value *x)
{
	return x->ref == SYMBOL_NONE ? NULL : m->store->entities[x->ref];
}

/* One of the request's own entities, or NULL. */
static struct subject *subject_of(struct cedar_machine *m, const struct vm_value *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(m->subjects); i++)
		if (vm_equal(x, &m->registers[i]))
			return &m->subjects[i];
	return NULL;
}

void cedar_ancestors_add(struct cedar_ancestors *to, struct cedar_entity_uid uid)
{
	uint32_t ref = symbols_find(&to->store->uids, uid);

	if (ref == SYMBOL_NONE)
		return;
	if (to->n == to->cap) {
		to->cap = to->cap ? to->cap * 2 : 32;
		to->refs = xrealloc_array(to->refs, to->cap, sizeof(*to->refs));
	}
	to->refs[to->n++] = ref;
}

/* Few, and usually ascending or descending; a repetition does no harm. */
static void sort_refs(uint32_t *refs, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		uint32_t ref = refs[i];
		uint32_t j = i;

		for (; j > 0 && refs[j - 1] > ref; j--)
			refs[j] = refs[j - 1];
		refs[j] = ref;
	}
}

static int compare_refs(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

void vm_ask_ancestors(struct cedar_machine *m, struct subject *s)
{
	struct cedar_ancestors *found = &s->virtual;

	found->store = m->store;
	found->n = 0;
	found->is_complete = true;
	if (!m->hierarchy || !m->hierarchy->ancestors)
		return;
	m->hierarchy->ancestors(m->hierarchy->ctx, s->value.uid, found);
	if (found->n > 64)
		qsort(found->refs, found->n, sizeof(*found->refs), compare_refs);
	else
		sort_refs(found->refs, found->n);
}

/* x is not stored, and is not y. */
static bool is_virtually_in(struct cedar_machine *m, const struct vm_value *x, uint32_t ref,
			    struct cedar_entity_uid parent)
{
	struct subject *s;
	const uint32_t *refs;
	uint32_t n;

	if (!m->hierarchy)
		return false;
	s = ref == SYMBOL_NONE || !m->hierarchy->ancestors ? NULL : subject_of(m, x);
	if (!s)
		return m->hierarchy->is_in &&
		       m->hierarchy->is_in(m->hierarchy->ctx, x->value->uid, parent);
	vm_ancestors(m, s, &refs, &n);
	return refs_contain(refs, n, ref);
}

bool vm_in_uid(struct cedar_machine *m, const struct vm_value *x, uint32_t ref)
{
	const struct store_entity *entity;

	if (x->ref == ref)
		return true;
	entity = stored(m, x);
	if (entity)
		return refs_contain(entity->ancestors, entity->n_ancestors, ref);
	return is_virtually_in(m, x, ref, m->store->uids.items[ref]->value.uid);
}

static bool in_entity(struct cedar_machine *m, const struct vm_value *x, const struct vm_value *y)
{
	if (y->ref != SYMBOL_NONE)
		return vm_in_uid(m, x, y->ref);
	/* All ancestors of stored entities have numbers. */
	if (stored(m, x))
		return false;
	return vm_equal(x, y) || is_virtually_in(m, x, SYMBOL_NONE, y->value->uid);
}

/* Is any ancestor of x, or x itself, in the set? Walks the shorter and searches the longer. */
static bool in_uids(struct cedar_machine *m, const struct vm_value *x, const struct vm_set *set)
{
	const struct store_entity *entity = stored(m, x);

	if (x->ref != SYMBOL_NONE && refs_contain(set->refs, set->n, x->ref))
		return true;
	if (entity && entity->n_ancestors < set->n) {
		for (uint32_t i = 0; i < entity->n_ancestors; i++)
			if (refs_contain(set->refs, set->n, entity->ancestors[i]))
				return true;
		return false;
	}
	for (uint32_t i = 0; i < set->n; i++)
		if (vm_in_uid(m, x, set->refs[i]))
			return true;
	return false;
}

/* All members must be entities, also those after a match. */
static int in_set(struct cedar_machine *m, const struct vm_value *x, const struct cedar_value *set)
{
	for (size_t i = 0; i < set->set.len; i++)
		if (set->set.items[i]->kind != CEDAR_ENTITY)
			return vm_fail(m, VM_TYPE, PART_RIGHT);
	for (size_t i = 0; i < set->set.len; i++) {
		struct vm_value item = vm_import(m, set->set.items[i]);

		if (in_entity(m, x, &item))
			return 1;
	}
	return 0;
}

int vm_in(struct cedar_machine *m, const struct vm_value *x, const struct vm_value *y)
{
	if (y->kind == CEDAR_ENTITY)
		return in_entity(m, x, y);
	if (y->kind != CEDAR_SET)
		return vm_fail(m, VM_TYPE, PART_RIGHT);
	if (y->ref == VM_UIDS)
		return in_uids(m, x, (const struct vm_set *)(const void *)y->value);
	return in_set(m, x, y->value);
}

bool vm_is(const struct cedar_machine *m, const struct vm_value *x, uint32_t type)
{
	if (x->ref != SYMBOL_NONE)
		return m->store->uids.items[x->ref]->type == type;
	return span_eq(x->value->uid.type, m->program->types.items[type]->value.uid.id);
}

/* ---- Attributes and tags -------------------------------------------------- */

static int absent(struct vm_value *ret, uint8_t why)
{
	*ret = (struct vm_value){ .kind = why };
	return 0;
}

static int find_in_record(const struct cedar_machine *m, const struct cedar_value *record,
			  struct span name, struct vm_value *ret)
{
	const struct cedar_value *v = value_find(record, name);

	if (!v)
		return absent(ret, VM_ABSENT);
	*ret = vm_import(m, v);
	return 1;
}

static int find_stored(const struct store_entity *entity, uint32_t name, struct vm_value *ret)
{
	for (uint32_t low = 0, high = entity->n_attributes; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (entity->names[middle] == name) {
			*ret = entity->attributes[middle];
			return 1;
		}
		if (entity->names[middle] < name)
			low = middle + 1;
		else
			high = middle;
	}
	return absent(ret, VM_ABSENT);
}

/* What a hierarchy answered, where it can stay. */
static int take(struct cedar_machine *m, int answer, const struct cedar_value *v,
		struct cedar_value *keep, struct vm_value *ret)
{
	if (answer <= 0)
		return absent(ret, answer == 0 ? VM_ABSENT : VM_NO_ENTITY);
	if (!keep)
		keep = memory_alloc(&m->memory, 1, sizeof(*keep));
	if (!keep)
		return VM_NO_MEMORY;
	*keep = *v;
	*ret = vm_import(m, keep);
	return 1;
}

int vm_find(struct cedar_machine *m, const struct vm_value *x, uint32_t name,
	    struct cedar_value *keep, struct vm_value *ret)
{
	const struct cedar_hierarchy *h = m->hierarchy;
	const struct store_entity *entity;
	struct cedar_value v = { 0 };
	struct span text = m->program->names.items[name]->value.uid.id;

	if (x->kind == CEDAR_RECORD)
		return find_in_record(m, x->value, text, ret);
	if (x->kind != CEDAR_ENTITY)
		return vm_fail(m, VM_TYPE, PART_LEFT);
	entity = stored(m, x);
	if (entity)
		return find_stored(entity, name, ret);
	if (!h || !h->attribute)
		return absent(ret, VM_NO_ENTITY);
	return take(m, h->attribute(h->ctx, x->value->uid, name, text, &v), &v, keep, ret);
}

int vm_remember(struct cedar_machine *m, uint32_t memo)
{
	const struct vm_memo *what = &m->program->memos[memo];
	int r = vm_find(m, &m->registers[what->var], what->name, &m->memo_values[memo],
			&m->memos[memo]);

	if (r >= 0)
		m->memo_decisions[memo] = m->decision;
	return r;
}

int vm_find_tag(struct cedar_machine *m, const struct vm_value *x, struct span name,
		struct vm_value *ret)
{
	const struct cedar_hierarchy *h = m->hierarchy;
	const struct store_entity *entity = stored(m, x);
	struct cedar_value v = { 0 };

	if (entity)
		return entity->tags ? find_in_record(m, entity->tags, name, ret)
				    : absent(ret, VM_ABSENT);
	if (!h || !h->tag)
		return absent(ret, VM_NO_ENTITY);
	return take(m, h->tag(h->ctx, x->value->uid, name, &v), &v, NULL, ret);
}
