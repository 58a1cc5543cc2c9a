/* The plain store as others of this room read it: entity by entity. */
#pragma once

#include "cedar/cedar.h"

struct entity_view {
	struct cedar_entity_uid uid;
	const struct cedar_value *attributes; /* a record */
	const struct cedar_value *tags;	      /* a record, or NULL */
	const struct cedar_entity_uid *ancestors;
	size_t n_ancestors;
};

typedef int (*entity_fn)(const struct entity_view *entity, void *ctx);

size_t entities_len(const struct cedar_entities *e);
/* Calls fn for each entity, in no particular order, until it returns a negative value; returns that. */
int entities_each(const struct cedar_entities *e, entity_fn fn, void *ctx);
