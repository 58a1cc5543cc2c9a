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

/*
 * Appends the normal form of a path as a request has it: what need not be
 * encoded is not, hex digits are in upper case, "." and ".." are followed
 * (RFC 3986 §6.2.2). Slashes that follow each other stay: to servers they differ.
 */
int http_path_normalise(struct span path, struct buf *out);

/* The headers as a record by name, one value each. NULL: out of memory. */
const struct cedar_value *http_headers_value(const struct policy_http *http, struct arena *arena);
