#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/alloc.h"

struct map_slot {
	char *key; /* NULL: free, or removed when value is &tombstone */
	size_t key_len;
	uint64_t hash;
	void *value;
};

static char tombstone;
static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
	if (getentropy(seed, sizeof(seed)) < 0)
		abort();
}

static uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* Inline, so that v stays in registers: maps are most of what compiling a policy does. */
static inline __attribute__((always_inline)) void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t hash_bytes(const void *p, size_t len)
{
	const unsigned char *at = p;
	uint64_t v[4], word;
	size_t left = len;

	(void)pthread_once(&seed_once, draw_seed);
	v[0] = seed[0] ^ 0x736f6d6570736575u;
	v[1] = seed[1] ^ 0x646f72616e646f6du;
	v[2] = seed[0] ^ 0x6c7967656e657261u;
	v[3] = seed[1] ^ 0x7465646279746573u;
	for (; left >= 8; at += 8, left -= 8) {
		memcpy(&word, at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)at[i] << (8 * i);
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool is_key(const struct map_slot *s, uint64_t hash, struct span key)
{
	return s->key && s->hash == hash && span_eq(span_make(s->key, s->key_len), key);
}

/* The slot that holds the key, or NULL. */
static struct map_slot *find(const struct map *m, struct span key)
{
	uint64_t hash;

	if (!m->n_slots)
		return NULL;
	hash = hash_bytes(key.p, key.len);
	for (size_t i = hash & (m->n_slots - 1);; i = (i + 1) & (m->n_slots - 1)) {
		struct map_slot *s = &m->slots[i];

		if (!s->key && !s->value)
			return NULL;
		if (is_key(s, hash, key))
			return s;
	}
}

/* Puts an entry into a table that has room and does not hold its key. */
static void place(struct map *m, struct map_slot entry)
{
	size_t i = entry.hash & (m->n_slots - 1);

	while (m->slots[i].key || m->slots[i].value)
		i = (i + 1) & (m->n_slots - 1);
	m->slots[i] = entry;
	m->n_used++;
}

static void rehash(struct map *m)
{
	struct map old = *m;

	m->n_slots = 16;
	while (m->n_slots < (old.len + 1) * 2)
		m->n_slots *= 2;
	m->slots = xnew_array(struct map_slot, m->n_slots);
	m->n_used = 0;
	for (size_t i = 0; i < old.n_slots; i++)
		if (old.slots[i].key)
			place(m, old.slots[i]);
	free(old.slots);
}

void *map_get(const struct map *m, struct span key)
{
	const struct map_slot *s = find(m, key);

	return s ? s->value : NULL;
}

void *map_put(struct map *m, struct span key, void *value)
{
	struct map_slot *s = find(m, key);

	if (s) {
		void *old = s->value;

		s->value = value;
		return old;
	}
	if ((m->n_used + 1) * 4 > m->n_slots * 3)
		rehash(m);
	place(m, (struct map_slot){ .key = xmemdup0(key.p, key.len),
				    .key_len = key.len,
				    .hash = hash_bytes(key.p, key.len),
				    .value = value });
	m->len++;
	return NULL;
}

void *map_remove(struct map *m, struct span key)
{
	struct map_slot *s = find(m, key);
	void *value;

	if (!s)
		return NULL;
	value = s->value;
	free(s->key);
	s->key = NULL;
	s->value = &tombstone;
	m->len--;
	return value;
}

void map_each(const struct map *m, void (*fn)(struct span key, void *value, void *ctx), void *ctx)
{
	for (size_t i = 0; i < m->n_slots; i++)
		if (m->slots[i].key)
			fn(span_make(m->slots[i].key, m->slots[i].key_len), m->slots[i].value, ctx);
}

void map_done(struct map *m, void (*free_value)(void *value))
{
	for (size_t i = 0; i < m->n_slots; i++) {
		if (!m->slots[i].key)
			continue;
		if (free_value)
			free_value(m->slots[i].value);
		free(m->slots[i].key);
	}
	free(m->slots);
	*m = (struct map){ 0 };
}
