/*
 * An arena: many small allocations with one lifetime (one request, one policy
 * load, one document), freed as a whole. It knows how large it may become, so
 * input from a peer cannot exhaust memory: past the limit it returns NULL.
 * Not thread-safe; one owner.
 */
#pragma once

#include "base/span.h"

#pragma GCC visibility push(default)

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* newest first */
	char *next, *end;	   /* free room in the newest chunk */
	size_t used, max;	   /* bytes in all chunks; max 0 means unlimited */
};

#define ARENA_INIT(limit) { .max = (limit) }

/* Zeroed memory, aligned for any type; NULL when the limit or memory is exhausted. */
void *arena_alloc(struct arena *a, size_t size) _must_check_;
/* As arena_alloc, for n elements; NULL also when n * size overflows. */
void *arena_alloc_array(struct arena *a, size_t n, size_t size) _must_check_;
/* Copies the bytes and adds a NUL (not counted in len); NULL as above. */
char *arena_dup(struct arena *a, struct span s) _must_check_;
/* Forgets all allocations but keeps the first chunk for the next round. */
void arena_reset(struct arena *a);
/* Frees everything; the arena may be used again. */
void arena_done(struct arena *a);

#define _cleanup_arena_ _cleanup_(arena_done)
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

#pragma GCC visibility pop
