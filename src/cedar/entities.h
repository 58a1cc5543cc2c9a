/*
 * What the plain store is made of, for those who check and write all of it.
 */
#pragma once

#include "cedar/cedar.h"

enum entity_mark {
	MARK_NEW,
	MARK_OPEN, /* on the path from where the search began: meeting it again is a cycle */
	MARK_DONE,
};

struct entity {
	struct cedar_entity_uid uid;
	const struct cedar_value *attributes, *tags;
	struct cedar_entity_uid *parents; /* sorted */
	size_t n_parents;
	struct cedar_entity_uid *ancestors; /* sorted, once closed */
	size_t n_ancestors;
	enum entity_mark mark;
	size_t next_parent;   /* of the search */
	struct entity *below; /* on the search's path */
	struct entity *next;  /* in the bucket */
	struct entity *older; /* of all entities */
};

struct cedar_entities {
	struct arena arena;
	struct entity **buckets;
	size_t n_buckets; /* a power of two */
	size_t len;
	struct entity *newest;
};

const struct entity *entities_find(const struct cedar_entities *e, struct cedar_entity_uid uid);

static inline void cleanup_entity_store(struct cedar_entities **e)
{
	cedar_entities_free(*e);
}
