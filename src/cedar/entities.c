/* The plain store: a hash table of entities, each with its sorted ancestors. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "cedar/entities.h"

static const struct cedar_value no_attributes = { .kind = CEDAR_RECORD };

struct cedar_entities *cedar_entities_new(void)
{
	struct cedar_entities *e = xnew(struct cedar_entities);

	e->arena.max = LIMIT_CEDAR_ENTITIES;
	e->n_buckets = 64;
	e->buckets = xnew_array(struct entity *, e->n_buckets);
	return e;
}

void cedar_entities_free(struct cedar_entities *e)
{
	if (!e)
		return;
	arena_done(&e->arena);
	xfree(e->buckets);
	xfree(e);
}

struct arena *cedar_entities_arena(struct cedar_entities *e)
{
	return &e->arena;
}

static struct entity **bucket(const struct cedar_entities *e, struct cedar_entity_uid uid)
{
	uint64_t h = hash_bytes(uid.type.p, uid.type.len) * 31 + hash_bytes(uid.id.p, uid.id.len);

	return &e->buckets[h & (e->n_buckets - 1)];
}

static struct entity *find(const struct cedar_entities *e, struct cedar_entity_uid uid)
{
	struct entity *it = *bucket(e, uid);

	while (it && !cedar_uid_eq(it->uid, uid))
		it = it->next;
	return it;
}

static void grow(struct cedar_entities *e)
{
	xfree(e->buckets);
	e->n_buckets *= 2;
	e->buckets = xnew_array(struct entity *, e->n_buckets);
	for (struct entity *it = e->newest; it; it = it->older) {
		struct entity **b = bucket(e, it->uid);

		it->next = *b;
		*b = it;
	}
}

static int compare_uids(const void *a, const void *b)
{
	const struct cedar_entity_uid *x = a;
	const struct cedar_entity_uid *y = b;
	int c = span_cmp(x->type, y->type);

	return c ? c : span_cmp(x->id, y->id);
}

static size_t sort_unique(struct cedar_entity_uid *uids, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(uids, n, sizeof(*uids), compare_uids);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !cedar_uid_eq(uids[kept - 1], uids[i]))
			uids[kept++] = uids[i];
	return kept;
}

static bool same_value(const struct cedar_value *a, const struct cedar_value *b)
{
	return cedar_value_eq(a ? a : &no_attributes, b ? b : &no_attributes);
}

static bool same_entity(const struct entity *a, const struct entity *b)
{
	if (a->n_parents != b->n_parents || !same_value(a->attributes, b->attributes) ||
	    !same_value(a->tags, b->tags))
		return false;
	for (size_t i = 0; i < a->n_parents; i++)
		if (!cedar_uid_eq(a->parents[i], b->parents[i]))
			return false;
	return true;
}

static struct entity *make(struct cedar_entities *e, struct cedar_entity_uid uid,
			   const struct cedar_entity_uid *parents, size_t n_parents)
{
	struct entity *it = arena_new(&e->arena, struct entity);

	if (!it)
		return NULL;
	it->uid = uid;
	it->parents = arena_alloc_array(&e->arena, n_parents, sizeof(*parents));
	if (!it->parents)
		return NULL;
	for (size_t i = 0; i < n_parents; i++)
		it->parents[i] = parents[i];
	it->n_parents = sort_unique(it->parents, n_parents);
	return it;
}

int cedar_entities_add(struct cedar_entities *e, struct cedar_entity_uid uid,
		       const struct cedar_value *attributes, const struct cedar_value *tags,
		       const struct cedar_entity_uid *parents, size_t n_parents, struct err *err)
{
	struct entity *it = make(e, uid, parents, n_parents);
	const struct entity *known = find(e, uid);
	struct entity **b;

	if (!it)
		return err_say(err, -ENOMEM, "the entities need more memory than is allowed");
	it->attributes = attributes ? attributes : &no_attributes;
	it->tags = tags;
	if (known && same_entity(known, it))
		return 0;
	if (known)
		return err_say(err, -EEXIST, "entity %.*s::\"%.*s\" is given twice, differently",
			       SPAN_ARG(uid.type), SPAN_ARG(uid.id));
	if (e->len >= e->n_buckets)
		grow(e);
	b = bucket(e, uid);
	it->next = *b;
	*b = it;
	it->older = e->newest;
	e->newest = it;
	e->len++;
	return 0;
}

/* One parent, as most have: its ancestors are sorted already, it goes between them. */
static void insert_parent(struct entity *it, const struct entity *parent)
{
	struct cedar_entity_uid uid = it->parents[0];
	size_t n = parent ? parent->n_ancestors : 0;
	size_t at = 0;

	while (at < n && compare_uids(&parent->ancestors[at], &uid) < 0)
		at++;
	if (at)
		memcpy(it->ancestors, parent->ancestors, at * sizeof(uid));
	it->ancestors[at] = uid;
	if (at < n)
		memcpy(it->ancestors + at + 1, parent->ancestors + at, (n - at) * sizeof(uid));
	it->n_ancestors = n + 1;
	it->mark = MARK_DONE;
}

/* All parents are done: their ancestors and they themselves are the ancestors. */
static int finish(struct cedar_entities *e, struct entity *it)
{
	size_t n = it->n_parents;
	size_t at = 0;

	for (size_t i = 0; i < it->n_parents; i++) {
		const struct entity *parent = find(e, it->parents[i]);

		n += parent ? parent->n_ancestors : 0;
	}
	it->ancestors = arena_alloc_array(&e->arena, n, sizeof(*it->ancestors));
	if (!it->ancestors)
		return -ENOMEM;
	if (it->n_parents == 1) {
		insert_parent(it, find(e, it->parents[0]));
		return 0;
	}
	for (size_t i = 0; i < it->n_parents; i++) {
		const struct entity *parent = find(e, it->parents[i]);

		it->ancestors[at++] = it->parents[i];
		for (size_t j = 0; parent && j < parent->n_ancestors; j++)
			it->ancestors[at++] = parent->ancestors[j];
	}
	it->n_ancestors = sort_unique(it->ancestors, n);
	it->mark = MARK_DONE;
	return 0;
}

/* The next parent that is in the store and not done, or NULL. */
static struct entity *next_open_parent(const struct cedar_entities *e, struct entity *it)
{
	while (it->next_parent < it->n_parents) {
		struct entity *parent = find(e, it->parents[it->next_parent++]);

		if (parent && parent->mark != MARK_DONE)
			return parent;
	}
	return NULL;
}

/* Depth first, without recursion: the path is linked through `below`. */
static int close_from(struct cedar_entities *e, struct entity *it, struct err *err)
{
	it->below = NULL;
	it->mark = MARK_OPEN;
	while (it) {
		struct entity *parent = next_open_parent(e, it);

		if (!parent) {
			if (finish(e, it) < 0)
				return err_say(err, -ENOMEM,
					       "the entities need more memory than is allowed");
			it = it->below;
			continue;
		}
		if (parent->mark == MARK_OPEN)
			return err_say(err, -ELOOP, "entity %.*s::\"%.*s\" is its own ancestor",
				       SPAN_ARG(parent->uid.type), SPAN_ARG(parent->uid.id));
		parent->mark = MARK_OPEN;
		parent->below = it;
		it = parent;
	}
	return 0;
}

int cedar_entities_close(struct cedar_entities *e, struct err *err)
{
	for (struct entity *it = e->newest; it; it = it->older) {
		int r = it->mark == MARK_NEW ? close_from(e, it, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static bool store_is_in(void *ctx, struct cedar_entity_uid child, struct cedar_entity_uid parent)
{
	const struct entity *it = find(ctx, child);

	return it && it->n_ancestors &&
	       bsearch(&parent, it->ancestors, it->n_ancestors, sizeof(parent), compare_uids);
}

static const struct cedar_value *store_attributes(void *ctx, struct cedar_entity_uid uid)
{
	const struct entity *it = find(ctx, uid);

	return it ? it->attributes : NULL;
}

static const struct cedar_value *store_tags(void *ctx, struct cedar_entity_uid uid)
{
	const struct entity *it = find(ctx, uid);

	return it ? it->tags : NULL;
}

struct cedar_entity_source cedar_entities_source(struct cedar_entities *e)
{
	return (struct cedar_entity_source){
		.ctx = e,
		.is_in = store_is_in,
		.attributes = store_attributes,
		.tags = store_tags,
	};
}

const struct entity *entities_find(const struct cedar_entities *e, struct cedar_entity_uid uid)
{
	return find(e, uid);
}
