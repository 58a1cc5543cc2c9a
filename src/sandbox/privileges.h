/*
 * Giving up every privilege, for good.
 */
#pragma once

#include "base/err.h"

/* For the command: no capability is left, and none can be had again by executing anything. */
int privileges_drop_all(struct err *err) _must_check_;

/*
 * For init: as above, but one capability stays in the permitted set, unused
 * and harmless (CAP_WAKE_ALARM, in the container's user namespace only). The
 * kernel lets nobody trace, or look into the memory and descriptors of, a
 * process that holds a capability which he does not (cap_ptrace_access_check),
 * so no process of the container can reach init. Making init "not dumpable"
 * would do the same, but also keep the supervisor from joining its namespaces.
 */
int privileges_drop_for_init(struct err *err) _must_check_;
