/*
 * Which row of a dictionary table holds a value: a bounded cache in front of a
 * table that only grows. A value that fell out of the cache gets another row;
 * the table is a way to write things once, not a set. Nothing grows with what
 * an agent does, and its hash is keyed, so nobody chooses collisions.
 */
#pragma once

#include "base/buf.h"

struct dictionary_entry {
	uint64_t hash, used;
	int64_t id; /* 0: free */
	char *key;
	size_t key_len;
	/* The owner's, cleared when the entry gets another value. */
	struct buf text; /* members of JSON made once; split_at parts it */
	size_t split_at;
	uint64_t block; /* the last one in which the value was noted; UINT64_MAX: none */
	struct dictionary_entry *next_taken;
};

struct dictionary {
	struct dictionary_entry *entries, *last;
	struct dictionary_entry *taken; /* those that are not free, by next_taken */
	size_t n_sets;			/* a power of two */
	uint64_t clock;
	int64_t n_ids;
	struct buf key; /* the key to find is put together here */
};

void dictionary_init(struct dictionary *d, size_t n_sets);
void dictionary_done(struct dictionary *d);
/* Makes room for a key of n_parts numbers and texts, with that many bytes of text in all. */
void dictionary_begin_key(struct dictionary *d, size_t n_parts, size_t text_len);

static inline void dictionary_add_number(struct dictionary *d, uint64_t n)
{
	memcpy(d->key.data + d->key.len, &n, sizeof(n));
	d->key.len += sizeof(n);
}

static inline void dictionary_add_text(struct dictionary *d, struct span text)
{
	dictionary_add_number(d, text.len);
	if (text.len)
		memcpy(d->key.data + d->key.len, text.p, text.len);
	d->key.len += text.len;
}

/* The key's entry, valid until the next call; is_new: with the next id, not yet in the table. */
struct dictionary_entry *dictionary_find(struct dictionary *d, bool *ret_is_new);
