/*
 * The processor's instructions for SHA-1 and SHA-256 (Intel SDM vol. 2). Code that
 * uses them stands behind __x86_64__ and a target attribute.
 */
#pragma once

#include <stdbool.h>

/* Are they there? Looked up once; any thread. */
bool sha_extensions_are_there(void);
