/*
 * Does data conform to the schema? Each function returns 0, or -EINVAL with a
 * message that says what was expected and what is there.
 */
#pragma once

#include "cedar/cedar-conform.h"

/* "a long", "an entity of type `T`", "a set" */
const char *conform_type_name(const struct cedar_type *type);
/* An entity of an enumerated type must be one of those declared. */
int conform_enum(const struct cedar_entity_type *type, struct cedar_entity_uid uid,
		 struct err *err) _must_check_;
/* The kind of value, and for entities their type and id; not what is inside sets and records. */
int conform_leaf(const struct cedar_value *v, const struct cedar_type *type,
		 struct err *err) _must_check_;
