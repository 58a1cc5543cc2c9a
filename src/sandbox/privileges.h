/*
 * Giving up power for good: capabilities, and by Landlock what is left of the
 * right to change files or to connect.
 */
#pragma once

#include "base/err.h"

/* Empties every capability set, forbids regaining any by exec, sets no_new_privs. */
int privileges_drop(struct err *err) _must_check_;
/*
 * Takes from the calling process and all its children the right to create, write,
 * rename, link or remove files, to bind or connect TCP sockets, and to signal
 * processes outside. What a policy permits is done by the supervisor for them.
 * 0 where the kernel has no Landlock: the other walls stand without it.
 */
int privileges_confine(struct err *err) _must_check_;
/* Landlock's ABI version, 0 without. */
int privileges_landlock_abi(void);
