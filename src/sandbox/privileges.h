/*
 * Giving up every privilege, for good.
 */
#pragma once

#include "base/err.h"
#include "sandbox/sandbox.h"

/* For the command: no capability is left, and none can be had again by executing anything. */
int privileges_drop_all(struct err *err) _must_check_;

/*
 * For the command in a container of many users: becomes that one. Root keeps what changes owners
 * and ids; whoever is not root, or ceases to be, has nothing, and nobody can gain it by execve.
 */
int privileges_become(const struct sandbox_user *u, struct err *err) _must_check_;

/*
 * For init: as above, but one capability stays in the permitted set, unused
 * and harmless (CAP_WAKE_ALARM, in the container's user namespace only). The
 * kernel lets nobody trace, or look into the memory and descriptors of, a
 * process that holds a capability which he does not (cap_ptrace_access_check),
 * so no process of the container can reach init. Making init "not dumpable"
 * would do the same, but also keep the supervisor from joining its namespaces.
 * Where the command may become other users, init may still signal them.
 */
int privileges_drop_for_init(bool has_many_users, struct err *err) _must_check_;
