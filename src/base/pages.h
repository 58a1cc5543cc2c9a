/*
 * Pages of memory with wishes that not every system can fulfil: pages-linux.c and
 * pages-posix.c, one of which is built.
 */
#pragma once

#include "base/attributes.h"

/*
 * Zeroed pages for so many bytes, which are nobody else's. Kept out of swap, of core dumps and of
 * a forked child as far as the system has that. NULL where there is no memory.
 */
void *pages_alloc(size_t len) _must_check_;
void pages_free(void *p, size_t len);
/* A wish; without it, or where the kernel refuses it, everything works the same. */
void pages_prefer_large(void *p, size_t size);
