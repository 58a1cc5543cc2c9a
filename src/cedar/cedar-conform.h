/*
 * Does data conform to the schema: values, requests, entities.
 *
 * Entities and contexts that are read from JSON with a schema have been checked
 * already; this is for what an application built itself.
 */
#pragma once

#include "cedar/cedar-schema.h"
#include "cedar/cedar.h"

#pragma GCC visibility push(default)

/* All return 0, or -EINVAL and say in err what does not conform. */
int cedar_value_conform(const struct cedar_value *v, const struct cedar_type *type,
			struct err *err) _must_check_;
/*
 * The action is declared, principal and resource have types that it applies to
 * (and ids that exist, where the type is an enumeration), and the context has
 * the action's type.
 */
int cedar_request_conform(const struct cedar_schema *schema, const struct cedar_request *request,
			  struct err *err) _must_check_;

#pragma GCC visibility pop
