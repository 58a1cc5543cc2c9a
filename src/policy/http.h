/*
 * A request of HTTP as policies see it.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "cedar/cedar.h"
#include "policy/policy.h"

/*
 * Can policies be asked about it? Not where a server might read it otherwise
 * than they do; policy.h says when.
 */
bool http_is_sound(const struct policy_http *http);

/* RFC 9110 §5.6.2: can it be a method, or the name of a header? */
bool policy_is_token(struct span s);
/* The headers as a record by name, one value each. NULL: out of memory. */
const struct cedar_value *http_headers_value(const struct policy_http *http, struct arena *arena);
