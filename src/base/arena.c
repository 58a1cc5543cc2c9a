#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/pages.h"

#define CHUNK_MIN ((size_t)4096)
/* Chunks double up to this, from where on large pages pay: small ones cost more to get than to
 * fill. */
#define CHUNK_MAX ((size_t)4 << 20)

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of data */
	alignas(max_align_t) char data[];
};

static size_t align_up(size_t n)
{
	const size_t a = alignof(max_align_t);

	return (n + a - 1) & ~(a - 1);
}

static int add_chunk(struct arena *a, size_t size)
{
	size_t room = a->chunk ? MIN(a->chunk->size * 2, CHUNK_MAX) : CHUNK_MIN;
	struct arena_chunk *c;

	room = MAX(room, size);
	if (a->max && room > a->max - a->used)
		room = size;
	if (a->max && room > a->max - a->used)
		return -1;
	c = calloc(1, sizeof(*c) + room);
	if (!c)
		return -1;
	if (sizeof(*c) + room >= CHUNK_MAX)
		pages_prefer_large(c, sizeof(*c) + room);
	c->older = a->chunk;
	c->size = room;
	a->chunk = c;
	a->used += room;
	a->next = c->data;
	a->end = c->data + room;
	return 0;
}

void *arena_alloc(struct arena *a, size_t size)
{
	void *p;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = align_up(size ? size : 1);
	if (size > (size_t)(a->end - a->next) && add_chunk(a, size) < 0)
		return NULL;
	p = a->next;
	a->next += size;
	return p;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(a, total);
}

char *arena_dup(struct arena *a, struct span s)
{
	char *copy = arena_alloc(a, s.len + 1);

	if (copy && s.len)
		memcpy(copy, s.p, s.len);
	return copy;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *c = a->chunk;
	size_t n_used;

	if (!c)
		return;
	/* Of a chunk that is the only one the rest was never written. */
	n_used = c->older ? SIZE_MAX : (size_t)(a->next - c->data);
	while (c->older) {
		struct arena_chunk *older = c->older;

		a->used -= c->size;
		free(c);
		c = older;
	}
	memset(c->data, 0, MIN(n_used, c->size));
	a->chunk = c;
	a->next = c->data;
	a->end = c->data + c->size;
}

void arena_done(struct arena *a)
{
	while (a->chunk) {
		struct arena_chunk *c = a->chunk;

		a->chunk = c->older;
		free(c);
	}
	a->next = a->end = NULL;
	a->used = 0;
}
