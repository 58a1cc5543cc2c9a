/*
 * Cedar's entity JSON into values and the plain store, for the conformance
 * programs. Implicit entities ({type, id} alone) are taken for entities;
 * implicit extension values need a schema and stay strings.
 */
#pragma once

#include <jansson.h>

#include "cedar/cedar.h"

/* NULL for what Cedar refuses (null, reals). The value lives in the arena, strings included. */
const struct cedar_value *cedar_json_value(const json_t *j, struct arena *arena);
/* {type, id} or {"__entity": {type, id}} */
bool cedar_json_uid(const json_t *j, struct arena *arena, struct cedar_entity_uid *ret);
/* A list of entities into a closed store; NULL on any error. */
struct cedar_entities *cedar_json_entities(const json_t *list);
/* principal, action, resource and context of j; absent ones stay as they are. */
bool cedar_json_request(const json_t *j, struct arena *arena, struct cedar_request *r);

static inline void cleanup_entities(struct cedar_entities **e)
{
	cedar_entities_free(*e);
}
