#include "event/dictionary.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"

#define N_WAYS 4

void dictionary_init(struct dictionary *d, size_t n_sets)
{
	*d = (struct dictionary){ .entries = xnew_array(struct dictionary_entry, n_sets * N_WAYS),
				  .n_sets = n_sets };
}

void dictionary_done(struct dictionary *d)
{
	/* Most are free, and have no memory yet. */
	for (struct dictionary_entry *e = d->taken; e; e = e->next_taken) {
		xfree(e->key);
		buf_done(&e->text);
	}
	xfree(d->entries);
	buf_done(&d->key);
	*d = (struct dictionary){ 0 };
}

void dictionary_begin_key(struct dictionary *d, size_t n_parts, size_t text_len)
{
	buf_reset(&d->key);
	if (!buf_reserve(&d->key, n_parts * sizeof(uint64_t) + text_len))
		abort();
}

static bool holds(const struct dictionary_entry *e, struct span key)
{
	return e->id && e->key_len == key.len && memcmp(e->key, key.p, key.len) == 0;
}

static void replace(struct dictionary *d, struct dictionary_entry *e, uint64_t hash)
{
	if (!e->id) {
		e->next_taken = d->taken;
		d->taken = e;
	}
	xfree(e->key);
	buf_reset(&e->text);
	e->hash = hash;
	e->id = ++d->n_ids;
	e->key = xmemdup0(d->key.data, d->key.len);
	e->key_len = d->key.len;
	e->split_at = 0;
	e->block = UINT64_MAX;
}

struct dictionary_entry *dictionary_find(struct dictionary *d, bool *ret_is_new)
{
	struct span key = buf_span(&d->key);
	struct dictionary_entry *set, *oldest;
	uint64_t hash;

	*ret_is_new = false;
	/* Most often it is the one that was meant just before. */
	if (d->last && holds(d->last, key))
		return d->last;
	hash = hash_bytes(key.p, key.len);
	set = oldest = &d->entries[(hash & (d->n_sets - 1)) * N_WAYS];
	for (size_t i = 0; i < N_WAYS; i++) {
		if (set[i].hash == hash && holds(&set[i], key)) {
			set[i].used = ++d->clock;
			return d->last = &set[i];
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*ret_is_new = true;
	replace(d, oldest, hash);
	oldest->used = ++d->clock;
	return d->last = oldest;
}
