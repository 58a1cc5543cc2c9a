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
};

struct dictionary {
	struct dictionary_entry *entries, *last;
	size_t n_sets; /* a power of two */
	uint64_t clock;
	int64_t n_ids;
	struct buf key; /* the key to find is put together here */
};

void dictionary_init(struct dictionary *d, size_t n_sets);
void dictionary_done(struct dictionary *d);
void dictionary_begin_key(struct dictionary *d);
void dictionary_add_number(struct dictionary *d, uint64_t n);
void dictionary_add_text(struct dictionary *d, struct span text);
/* The key's entry, valid until the next call; is_new: with the next id, not yet in the table. */
struct dictionary_entry *dictionary_find(struct dictionary *d, bool *ret_is_new);
