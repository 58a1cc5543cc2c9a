/*
 * The certificates that the host trusts: servers are verified with them, and
 * with the session's own authority they are what the container trusts.
 */
#pragma once

#include "base/err.h"

/* The path of what roots_open would open, or NULL. */
const char *roots_path(void);
/* Takes the descriptor; returns one of a copy that nobody can change. */
int roots_seal(int fd, struct err *err) _must_check_;
/*
 * A read-only descriptor of them in PEM, of the first place that has them. Where
 * none has, of an empty file, so that no server is trusted; *ret_found is false.
 */
int roots_open(bool *ret_found, struct err *err) _must_check_;
