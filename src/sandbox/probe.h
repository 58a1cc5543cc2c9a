/*
 * Why this machine may refuse what the container needs.
 */
#pragma once

#include "base/attributes.h"

/* The setting that keeps users from making namespaces and how to change it, or NULL. */
const char *probe_restriction(void);
