/*
 * Capabilities of the supervisor's threads. After start only CAP_SYS_PTRACE is
 * permitted, and it is not even effective except around the few steps that
 * need it: what the supervisor does on behalf of the agent must be checked by
 * the kernel as if the plain user had asked, or the agent could borrow power
 * (the confused deputy).
 */
#pragma once

#include "base/attributes.h"

/* Keeps CAP_SYS_PTRACE as permitted and drops everything else, for good. 0 or negative errno. */
int caps_drop(void) _must_check_;
/* Makes CAP_SYS_PTRACE effective for this thread, and takes it back. */
void caps_raise(void);
void caps_lower(void);
