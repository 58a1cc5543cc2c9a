/*
 * Landlock for the command: whatever it may do to files and the network is
 * done for it by the supervisor, so by its own power it may do nothing. A
 * system call that slips past the seccomp filter still fails.
 *
 * Rights belong to a descriptor from the moment and the process that opened
 * it: descriptors which the supervisor hands in keep working. Reading,
 * listing and executing stay as they are, and so do message queues.
 */
#pragma once

#include "base/err.h"

/* The version of the kernel's Landlock, or 0 where it has none or has it switched off. */
int landlock_version(void);
/* Confines the calling process for good; needs no_new_privs. 0 also where there is no Landlock. */
int landlock_confine(struct err *err) _must_check_;
