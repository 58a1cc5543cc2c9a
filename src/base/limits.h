/*
 * Every limit that a peer can run into, in one place, each with its reason.
 */
#pragma once

/* A message between our processes: an event batch or a policy report; policies themselves go by memfd. */
#define LIMIT_IPC_PAYLOAD ((size_t)128 * 1024)
/* Linux's PATH_MAX: longer paths cannot be given to the kernel in one call. */
#define LIMIT_PATH ((size_t)4096)
/* argv as events and policies see it; the kernel's own bound is 2 MiB or more. */
#define LIMIT_ARGV ((size_t)64 * 1024)
/* Policy text of all layers together. */
#define LIMIT_POLICY_TEXT ((size_t)8 * 1024 * 1024)
