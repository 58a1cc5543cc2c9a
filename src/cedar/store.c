#include "cedar/store-private.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cedar/entities.h"

static void cleanup_store(struct cedar_store **s)
{
	cedar_store_free(*s);
}

void cedar_store_free(struct cedar_store *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	xfree(s);
}

static int intern(struct cedar_store *s, struct cedar_entity_uid uid, uint32_t *ret)
{
	struct symbol *symbol;
	int r = symbols_add(&s->uids, &s->arena, uid, ret);

	/* The program's symbols are shared and complete. */
	if (r < 0 || *ret < s->program->uids.len)
		return r;
	symbol = s->uids.items[*ret];
	symbol->type = symbols_find(&s->program->types, symbol_name(uid.type));
	return 0;
}

static int compare_refs(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

static int add_ancestors(struct cedar_store *s, const struct entity *from,
			 struct store_entity *entity)
{
	uint32_t *refs = arena_alloc_array(&s->arena, from->n_ancestors, sizeof(*refs));

	if (!refs)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_ancestors; i++)
		if (intern(s, from->ancestors[i], &refs[i]) < 0)
			return -ENOMEM;
	if (from->n_ancestors > 1)
		qsort(refs, from->n_ancestors, sizeof(*refs), compare_refs);
	entity->ancestors = refs;
	entity->n_ancestors = (uint32_t)from->n_ancestors;
	return 0;
}

/* *ret is NULL when some member is no entity. */
static int make_uid_set(struct cedar_store *s, const struct cedar_value *v,
			const struct vm_set **ret)
{
	struct vm_set *set;

	*ret = NULL;
	for (size_t i = 0; i < v->set.len; i++)
		if (v->set.items[i]->kind != CEDAR_ENTITY)
			return 0;
	set = arena_new(&s->arena, struct vm_set);
	if (!set)
		return -ENOMEM;
	set->value = *v;
	set->refs = arena_alloc_array(&s->arena, v->set.len, sizeof(*set->refs));
	if (!set->refs)
		return -ENOMEM;
	for (size_t i = 0; i < v->set.len; i++)
		if (intern(s, v->set.items[i]->uid, &set->refs[set->n++]) < 0)
			return -ENOMEM;
	if (set->n > 1)
		qsort(set->refs, set->n, sizeof(*set->refs), compare_refs);
	*ret = set;
	return 0;
}

static int make_value(struct cedar_store *s, const struct cedar_value *v, struct vm_value *ret)
{
	const struct vm_set *set = NULL;

	*ret = (struct vm_value){ .kind = (uint8_t)v->kind, .ref = SYMBOL_NONE, .value = v };
	switch (v->kind) {
	case CEDAR_BOOL:
		ret->integer = v->boolean;
		return 0;
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
		ret->integer = v->integer;
		return 0;
	case CEDAR_ENTITY:
		return intern(s, v->uid, &ret->ref);
	case CEDAR_SET:
		if (make_uid_set(s, v, &set) < 0)
			return -ENOMEM;
		if (set) {
			ret->ref = VM_UIDS;
			ret->value = &set->value;
		}
		return 0;
	case CEDAR_STRING:
	case CEDAR_RECORD:
	case CEDAR_IPADDR:
	case CEDAR_UNKNOWN:
		break;
	}
	return 0;
}

struct named {
	uint32_t name;
	const struct cedar_value *value;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a;
	const struct named *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

/* The attributes that the program names, by number; returns how many. */
static uint32_t select_attributes(const struct cedar_store *s, const struct cedar_value *record,
				  struct named *out)
{
	uint32_t n = 0;

	for (size_t i = 0; i < record->record.len; i++) {
		const struct cedar_record_entry *entry = &record->record.entries[i];
		uint32_t name = symbols_find(&s->program->names, symbol_name(entry->key));

		if (name != SYMBOL_NONE)
			out[n++] = (struct named){ name, entry->value };
	}
	if (n > 1)
		qsort(out, n, sizeof(*out), compare_named);
	return n;
}

static int add_attributes(struct cedar_store *s, const struct cedar_value *record,
			  struct store_entity *entity)
{
	_cleanup_free_ struct named *chosen = xnew_array(struct named, record->record.len + 1);
	uint32_t n = select_attributes(s, record, chosen);
	uint32_t *names = arena_alloc_array(&s->arena, n, sizeof(*names));
	struct vm_value *values = arena_alloc_array(&s->arena, n, sizeof(*values));

	if (!names || !values)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		names[i] = chosen[i].name;
		if (make_value(s, chosen[i].value, &values[i]) < 0)
			return -ENOMEM;
	}
	entity->names = names;
	entity->attributes = values;
	entity->n_attributes = n;
	return 0;
}

static int load(struct cedar_store *s, const struct entity *from, struct store_entity *to,
		uint32_t *ret_ref)
{
	to->tags = from->tags;
	if (intern(s, from->uid, ret_ref) < 0 || add_ancestors(s, from, to) < 0)
		return -ENOMEM;
	return add_attributes(s, from->attributes, to);
}

static int load_all(struct cedar_store *s, const struct cedar_entities *from)
{
	size_t n = from ? from->len : 0;
	_cleanup_free_ uint32_t *refs = xnew_array(uint32_t, n + 1);
	struct store_entity *entities = arena_alloc_array(&s->arena, n, sizeof(*entities));
	size_t i = 0;

	if (!entities || symbols_extend(&s->program->uids, &s->arena, n, &s->uids) < 0)
		return -ENOMEM;
	for (const struct entity *it = from ? from->newest : NULL; it; it = it->older, i++)
		if (load(s, it, &entities[i], &refs[i]) < 0)
			return -ENOMEM;
	s->entities = arena_alloc_array(&s->arena, s->uids.len, sizeof(struct store_entity *));
	if (!s->entities)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		s->entities[refs[i]] = &entities[i];
	return 0;
}

int cedar_store_new(const struct cedar_program *p, const struct cedar_entities *entities,
		    struct cedar_store **ret, struct err *err)
{
	_cleanup_(cleanup_store) struct cedar_store *s = xnew(struct cedar_store);
	int r;

	s->arena.max = LIMIT_CEDAR_STORE;
	s->program = p;
	r = load_all(s, entities);
	if (r < 0)
		return err_say(err, r, "the entities need more memory than is allowed");
	*ret = TAKE_PTR(s);
	return 0;
}
