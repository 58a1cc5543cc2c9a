/*
 * Entities and requests of the conformance data, which come inside larger
 * documents, through the library's own readers.
 */
#pragma once

#include <jansson.h>

#include "cedar/cedar-json.h"

/* A list of entities into a closed store; NULL after saying why. schema may be NULL. */
struct cedar_entities *cedar_json_entities(const json_t *list, const struct cedar_schema *schema);
/* The same for a request; text is copied into the arena. */
bool cedar_json_request(const json_t *j, const struct cedar_schema *schema, struct arena *arena,
			struct cedar_request *r);
/* A value, of no particular type; NULL after saying why. */
const struct cedar_value *cedar_json_value(const json_t *j, struct arena *arena);
/* {"type", "id"} */
bool cedar_json_uid(const json_t *j, struct cedar_entity_uid *ret);
/* Parses and resolves; NULL after saying why. */
struct cedar_schema *cedar_json_schema(struct span text);

static inline void cleanup_entities(struct cedar_entities **e)
{
	cedar_entities_free(*e);
}

static inline void cleanup_schema(struct cedar_schema **s)
{
	cedar_schema_free(*s);
}
