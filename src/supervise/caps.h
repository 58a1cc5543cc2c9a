/*
 * Capabilities of the supervisor's threads. After start only CAP_SYS_PTRACE is
 * permitted, and it is not even effective except around the few steps that
 * need it: what the supervisor does on behalf of the agent must be checked by
 * the kernel as if the plain user had asked, or the agent could borrow power
 * (the confused deputy).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"

/*
 * Keeps CAP_SYS_PTRACE as permitted and drops everything else, for good; where the container has
 * many users also what caps_become needs. 0 or negative errno.
 */
int caps_drop(bool has_many_users) _must_check_;
/* Makes CAP_SYS_PTRACE effective for this thread, and takes it back. */
void caps_raise(void);
void caps_lower(void);
/*
 * This thread becomes a caller, in a container of many users: his ids and groups, and of his
 * effective capabilities those that root may have there. Never more. 0, or a negative errno: then
 * it has none.
 */
int caps_become(uid_t uid, gid_t gid, size_t n_groups, const gid_t *groups,
		uint64_t effective) _must_check_;
