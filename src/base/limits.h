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
/* Brackets inside brackets in Cedar text: deeper than any person writes, shallow for any stack. */
#define LIMIT_CEDAR_NESTING ((size_t)200)
/* Levels of one Cedar expression tree; a chain of 900 `||` still fits, and recursion over it is cheap. */
#define LIMIT_CEDAR_DEPTH ((size_t)1000)
/* Findings of one parse: nobody reads further, and hostile text could cause one per byte. */
#define LIMIT_CEDAR_DIAGNOSTICS ((size_t)100)
/* Memory of one parsed policy set: LIMIT_POLICY_TEXT of ordinary policies needs about a fifth. */
#define LIMIT_CEDAR_ARENA ((size_t)512 * 1024 * 1024)
/* Memory of one plain entity store. */
#define LIMIT_CEDAR_ENTITIES ((size_t)512 * 1024 * 1024)
/* Annotations of one Cedar policy; people write a handful. */
#define LIMIT_CEDAR_ANNOTATIONS ((size_t)256)
