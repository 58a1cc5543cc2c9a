/*
 * Whose processes leash's own in an engine's container are: those of the user
 * outside, so that the session's files are his, and none of root's power is
 * theirs.
 */
#pragma once

#include "base/err.h"

/*
 * Root becomes the owner of the session's directory. What remains is the power
 * to give a new user namespace all ids of this one; no program that is executed
 * inherits it.
 */
int owner_become(const char *directory, struct err *err) _must_check_;
/* Gives that up as well. */
int owner_drop(struct err *err) _must_check_;
