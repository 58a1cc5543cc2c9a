/*
 * Interning: entity uids, and names alone (with an empty type), become numbers
 * from 0 on. Built once, then only looked up, so what a request names cannot
 * make the table grow. The hash is keyed: who chooses names cannot choose
 * collisions.
 */
#pragma once

#include "base/arena.h"
#include "cedar/cedar.h"

/* Found nowhere; differs from every known symbol. */
#define SYMBOL_NONE UINT32_MAX

struct symbol {
	struct cedar_value value; /* an entity; names use the id alone */
	uint64_t hash;
	uint32_t type; /* of a uid: the number of its type among the program's types */
};

struct symbols {
	struct symbol **items; /* each stays where it is */
	uint32_t len, cap;
	uint64_t *slots;  /* high half of the hash, and the number + 1 */
	uint32_t n_slots; /* a power of two */
	uint64_t seed[2];
};

void symbols_init(struct symbols *s);
/* The number, or SYMBOL_NONE. */
uint32_t symbols_find(const struct symbols *s, struct cedar_entity_uid uid);
/* The number, which may be new; -ENOMEM. The uid's text is not copied. */
int symbols_add(struct symbols *s, struct arena *arena, struct cedar_entity_uid uid,
		uint32_t *ret) _must_check_;
/* A table that begins with the same symbols (shared) and has room for n more. */
int symbols_extend(const struct symbols *from, struct arena *arena, size_t n,
		   struct symbols *ret) _must_check_;

static inline struct cedar_entity_uid symbol_name(struct span name)
{
	return (struct cedar_entity_uid){ .id = name };
}
