#include "cedar/symbols.h"

#include <errno.h>

#include "base/map.h"

#define SLOTS_MIN 64

__extension__ typedef unsigned __int128 wide;

/* Both halves of the product: every bit of a and b reaches every bit of the result. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* At most 16 bytes as two words; together with the length they tell texts apart. */
static inline void load_short(struct span s, uint64_t *a, uint64_t *b)
{
	if (s.len >= 8) {
		*a = load64(s.p);
		*b = load64(s.p + s.len - 8);
	} else if (s.len >= 4) {
		*a = load32(s.p);
		*b = load32(s.p + s.len - 4);
	} else if (s.len > 0) {
		*a = (unsigned char)s.p[0] | (uint64_t)(unsigned char)s.p[s.len / 2] << 8 |
		     (uint64_t)(unsigned char)s.p[s.len - 1] << 16;
		*b = 0;
	} else {
		*a = *b = 0;
	}
}

static inline uint64_t hash_span(const uint64_t seed[2], struct span s, uint64_t h)
{
	uint64_t a, b;

	h ^= mix(s.len ^ seed[0], seed[1]);
	for (; s.len > 16; s.p += 16, s.len -= 16)
		h = mix(load64(s.p) ^ seed[0], load64(s.p + 8) ^ h);
	load_short(s, &a, &b);
	return mix(a ^ seed[1], b ^ h);
}

static uint64_t hash_uid(const struct symbols *s, struct cedar_entity_uid uid)
{
	return hash_span(s->seed, uid.id, hash_span(s->seed, uid.type, s->seed[1]));
}

void symbols_init(struct symbols *s)
{
	/* base's hash is seeded once per process; what it makes of fixed texts is secret too. */
	*s = (struct symbols){ .seed = { hash_bytes("a", 1), hash_bytes("b", 1) } };
}

static uint64_t slot_of(uint64_t hash, uint32_t number)
{
	return (hash & ~(uint64_t)UINT32_MAX) | (number + 1);
}

static uint32_t find(const struct symbols *s, struct cedar_entity_uid uid, uint64_t hash)
{
	if (!s->n_slots)
		return SYMBOL_NONE;
	for (uint32_t i = (uint32_t)hash & (s->n_slots - 1);; i = (i + 1) & (s->n_slots - 1)) {
		uint64_t slot = s->slots[i];
		uint32_t number = (uint32_t)slot - 1;

		if (!slot)
			return SYMBOL_NONE;
		if ((slot ^ hash) >> 32 == 0 && cedar_uid_eq(s->items[number]->value.uid, uid))
			return number;
	}
}

uint32_t symbols_find(const struct symbols *s, struct cedar_entity_uid uid)
{
	return find(s, uid, hash_uid(s, uid));
}

static void place(struct symbols *s, uint64_t hash, uint32_t number)
{
	uint32_t i = (uint32_t)hash & (s->n_slots - 1);

	while (s->slots[i])
		i = (i + 1) & (s->n_slots - 1);
	s->slots[i] = slot_of(hash, number);
}

/* Makes both tables large enough for n symbols. */
static int reserve(struct symbols *s, struct arena *arena, size_t n)
{
	uint32_t n_slots = s->n_slots ? s->n_slots : SLOTS_MIN;
	struct symbol **items;

	if (n <= s->cap)
		return 0;
	if (n > UINT32_MAX / 4)
		return -ENOMEM;
	while (n_slots < 2 * n)
		n_slots *= 2;
	s->cap = n_slots / 2;
	items = arena_alloc_array(arena, s->cap, sizeof(struct symbol *));
	s->slots = arena_alloc_array(arena, n_slots, sizeof(*s->slots));
	if (!items || !s->slots)
		return -ENOMEM;
	s->n_slots = n_slots;
	for (uint32_t i = 0; i < s->len; i++) {
		items[i] = s->items[i];
		place(s, items[i]->hash, i);
	}
	s->items = items;
	return 0;
}

int symbols_add(struct symbols *s, struct arena *arena, struct cedar_entity_uid uid, uint32_t *ret)
{
	uint64_t hash = hash_uid(s, uid);
	uint32_t number = find(s, uid, hash);
	struct symbol *symbol;

	if (number == SYMBOL_NONE) {
		if (reserve(s, arena, (size_t)s->len + 1) < 0)
			return -ENOMEM;
		symbol = arena_new(arena, struct symbol);
		if (!symbol)
			return -ENOMEM;
		symbol->value.kind = CEDAR_ENTITY;
		symbol->value.uid = uid;
		symbol->hash = hash;
		symbol->type = SYMBOL_NONE;
		number = s->len++;
		s->items[number] = symbol;
		place(s, hash, number);
	}
	*ret = number;
	return 0;
}

int symbols_extend(const struct symbols *from, struct arena *arena, size_t n, struct symbols *ret)
{
	struct symbols s = *from;

	s.cap = 0;
	s.n_slots = 0;
	if (reserve(&s, arena, n + s.len) < 0)
		return -ENOMEM;
	*ret = s;
	return 0;
}
