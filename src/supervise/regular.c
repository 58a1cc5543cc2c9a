#include "supervise/regular.h"

#include <stdatomic.h>
#include <string.h>

#include "base/map.h"
#include "supervise/supervisor.h"

static size_t place(uint64_t hash)
{
	return hash & (REGULAR_NAMES - 1);
}

uint64_t regular_hash(struct span path)
{
	return hash_bytes(path.p, path.len) | 1;
}

bool regular_is_known(struct regular_names *r, const struct supervisor *s, uint64_t hash)
{
	uint32_t generation = atomic_load(&s->n_odd_names);

	if (generation != r->generation)
		memset(r->hashes, 0, sizeof(r->hashes));
	r->generation = generation;
	return r->hashes[place(hash)] == hash;
}

void regular_add(struct regular_names *r, uint64_t hash)
{
	r->hashes[place(hash)] = hash;
}

void regular_remove(struct regular_names *r, uint64_t hash)
{
	if (r->hashes[place(hash)] == hash)
		r->hashes[place(hash)] = 0;
}

void regular_void(struct supervisor *s)
{
	atomic_fetch_add(&s->n_odd_names, 1);
}
