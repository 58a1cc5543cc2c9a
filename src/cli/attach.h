/* A terminal for a detached session. */
#pragma once

#include "cli/running.h"

/* Until it is over or left: the exit code of leash. */
int attach_to(const struct running *r, struct err *err) _must_check_;
/*
 * On Linux: the same in the container of a session whose leash outside cannot reach its
 * socket, as the session's user. The exit code.
 */
int attach_inside(const char *id) _must_check_;
