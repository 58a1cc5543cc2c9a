/*
 * A child that does not outlive its parent, as far as the system has that:
 * bound-linux.c and bound-posix.c, one of which is built.
 */
#pragma once

#include <sys/types.h>

#include "base/attributes.h"

/*
 * In the child of that process: it is killed when that ends. False where it has ended already, or
 * where the system refuses that. A system that knows no such thing promises nothing: an engine's
 * client ends there with its input, which the parent holds.
 */
bool bound_to(pid_t parent) _must_check_;
