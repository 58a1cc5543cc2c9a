/*
 * A lock on an open file that ends with the last copy of its descriptor, and so with
 * whoever held it, however he ends. lock-linux.c and lock-posix.c, one of which is
 * built: locks of open file descriptions there, flock() elsewhere.
 */
#pragma once

#include "base/attributes.h"

/* 0, -EAGAIN where another has it, or another negative errno where there are no locks. */
int lock_take(int fd) _must_check_;
/* Has anybody? False where nobody can know. The descriptor may be for reading alone. */
bool lock_is_taken(int fd);
