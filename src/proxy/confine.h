/*
 * What processes that read bytes of others give up before the first of them:
 * the steps that all such processes of this room have in common.
 */
#pragma once

#include "base/err.h"

/* No core file, no reading by other processes of the user, no new privileges, no capabilities. */
int confine_process(struct err *err) _must_check_;
/*
 * No file but those named (NULL-terminated), read-only; no listening, no signals
 * and abstract sockets of others. Kernels without Landlock leave all to the
 * system call filter.
 */
int confine_files(const char *const *readable, struct err *err) _must_check_;
