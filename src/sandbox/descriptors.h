/*
 * Closing what a process of the container must not hold. A descriptor of the
 * host's that leaks in is a way out: a directory above the root, a socket.
 */
#pragma once

#include "base/attributes.h"

#define DESCRIPTORS_MAX_KEPT 16

/* Closes everything from 3 on except these (negative ones are skipped). */
int descriptors_keep(const int *fds, size_t n) _must_check_;
