/*
 * Waiting until something in a session's directory changes: watch-linux.c is told, and
 * watch-posix.c, for directories into which a virtual machine writes, looks again. One
 * is built.
 */
#pragma once

#include "base/err.h"

/* A descriptor to be closed, or a negative errno. */
int watch_open(const char *directory, struct err *err) _must_check_;
/* Not longer than that; and maybe for nothing. */
int watch_wait(int fd, int most_ms, struct err *err) _must_check_;
