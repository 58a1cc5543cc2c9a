#include "policy/image-atoms.h"

#include <stdlib.h>

bool atoms_init(struct atoms *a)
{
	for (uint32_t i = 0; i < IMAGE_FIXED_ATOMS; i++) {
		const char number = (char)i;
		const struct test flag = { TEST_FLAG, IMAGE_NO_SUBJECT, ANY_PORT, { &number, 1 } };
		uint32_t test, atom;

		if (!atoms_test(a, &flag, &test) || !atoms_any(a, &test, 1, &atom) || atom != i)
			return false;
	}
	return true;
}

void atoms_done(struct atoms *a)
{
	vec_done(&a->tests);
	vec_done(&a->items);
	map_done(&a->by_test, NULL);
	map_done(&a->by_tests, NULL);
	arena_done(&a->arena);
}

/* The value stored for the key less one, or a new number that is stored for it. */
static uint32_t number_of(struct map *m, struct span key, size_t next)
{
	void *known = map_get(m, key);

	if (known)
		return (uint32_t)((uintptr_t)known - 1);
	(void)map_put(m, key, (void *)(uintptr_t)(next + 1));
	return (uint32_t)next;
}

bool atoms_test(struct atoms *a, const struct test *t, uint32_t *ret)
{
	struct {
		uint8_t kind, subject, zero[2];
		uint32_t port;
	} head = { .kind = (uint8_t)t->kind, .subject = (uint8_t)t->subject, .port = t->port };
	size_t len = sizeof(head) + t->text.len;
	char *key = arena_alloc(&a->arena, len);

	if (!key)
		return false;
	memcpy(key, &head, sizeof(head));
	if (t->text.len)
		memcpy(key + sizeof(head), t->text.p, t->text.len);
	*ret = number_of(&a->by_test, span_make(key, len), a->tests.len);
	if (*ret == a->tests.len) {
		vec_push(&a->tests, *t);
		a->tests.items[*ret].text = span_make(key + sizeof(head), t->text.len);
	}
	return true;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The flag without which no test on the subject holds. */
static uint32_t definer_of(enum image_subject subject)
{
	switch (subject) {
	case IMAGE_PORT:
		return IMAGE_HAS_PORT;
	case IMAGE_ADDRESS_V4:
	case IMAGE_ADDRESS_V6:
		return IMAGE_HAS_IP;
	case IMAGE_PROTOCOL:
		return IMAGE_HAS_PROTOCOL;
	case IMAGE_HOST:
		return IMAGE_HAS_HOST;
	case IMAGE_PATH:
	case IMAGE_EXE:
	case IMAGE_COMM:
	case IMAGE_CWD:
	case IMAGE_ANCESTORS:
	case IMAGE_ARGS:
	case IMAGE_ARGV:
	case IMAGE_TOOL:
	case IMAGE_SERVER:
	case IMAGE_NO_SUBJECT:
		break;
	}
	return 0;
}

static uint32_t common_definer(const struct atoms *a, const uint32_t *tests, size_t n)
{
	uint32_t definer = definer_of(a->tests.items[tests[0]].subject);

	for (size_t i = 1; i < n; i++)
		if (definer_of(a->tests.items[tests[i]].subject) != definer)
			return 0;
	return definer;
}

bool atoms_any(struct atoms *a, uint32_t *tests, size_t n, uint32_t *ret)
{
	size_t n_unique = 0;
	uint32_t *copy;

	qsort(tests, n, sizeof(*tests), by_number);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || tests[i] != tests[i - 1])
			tests[n_unique++] = tests[i];
	*ret = number_of(&a->by_tests, span_make(tests, n_unique * sizeof(*tests)), a->items.len);
	if (*ret < a->items.len)
		return true;
	copy = arena_alloc_array(&a->arena, n_unique, sizeof(*copy));
	if (!copy)
		return false;
	memcpy(copy, tests, n_unique * sizeof(*copy));
	vec_push(&a->items, (struct atom){ copy, (uint32_t)n_unique,
					  common_definer(a, copy, n_unique) });
	return true;
}

bool atoms_union(struct atoms *a, const uint32_t *atoms, size_t n, struct arena *scratch,
		 uint32_t *ret)
{
	size_t n_tests = 0;
	uint32_t *tests;

	for (size_t i = 0; i < n; i++)
		n_tests += a->items.items[atoms[i]].n_tests;
	tests = arena_alloc_array(scratch, n_tests, sizeof(*tests));
	if (!tests)
		return false;
	n_tests = 0;
	for (size_t i = 0; i < n; i++) {
		const struct atom *atom = &a->items.items[atoms[i]];

		memcpy(tests + n_tests, atom->tests, atom->n_tests * sizeof(*tests));
		n_tests += atom->n_tests;
	}
	return atoms_any(a, tests, n_tests, ret);
}

bool atom_can_join(const struct atoms *a, uint32_t atom)
{
	const struct atom *it = &a->items.items[atom];
	enum test_kind kind = a->tests.items[it->tests[0]].kind;

	return kind != TEST_FLAG && kind != TEST_CHECK;
}
