/*
 * A hash map from bytes to a pointer, open addressing, seeded per process so
 * that a peer who chooses keys cannot choose collisions. The map copies its
 * keys; values belong to the caller. Not thread-safe.
 */
#pragma once

#include "base/span.h"

struct map_slot;

struct map {
	struct map_slot *slots;
	size_t n_slots, len, n_used; /* n_used counts tombstones too */
};

/* SipHash-1-3 under a key drawn once per process. */
uint64_t hash_bytes(const void *p, size_t len);

/* The value, or NULL. */
void *map_get(const struct map *m, struct span key);
/* Stores value (not NULL) and returns the one it replaced, or NULL. */
void *map_put(struct map *m, struct span key, void *value);
/* Removes the key and returns its value, or NULL. */
void *map_remove(struct map *m, struct span key);
/* Calls fn for each entry; fn must not change the map. */
void map_each(const struct map *m, void (*fn)(struct span key, void *value, void *ctx), void *ctx);
/* Frees the map; calls free_value (may be NULL) for each value. */
void map_done(struct map *m, void (*free_value)(void *value));
