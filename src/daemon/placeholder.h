/*
 * What the agent has in place of a secret: as long, of the same outline, with
 * the same beginning, so that tools which look at a key's shape are content; and
 * random behind that.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"

/* -EINVAL for a secret that is too short to be told apart, or cannot stand in a header. */
int placeholder_make(struct span secret, struct secret *ret, struct err *err) _must_check_;
