/*
 * What a policy can ask about one request, as the compiler of the decision
 * image numbers it. A test is one question about one fact ("does the path
 * equal this text"); an atom is true when any of its tests is, and is what
 * formulas are made of.
 */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "policy/image-format.h"

enum test_kind {
	TEST_FLAG,    /* text: one byte, the fixed atom's number */
	TEST_CHECK,   /* text: enum image_check_kind and an int64_t */
	TEST_EQUAL,   /* text */
	TEST_DIR,     /* text: a directory without final slash */
	TEST_BELOW,   /* HOST: names that end in "." and the text */
	TEST_PREFIX,  /* strings: text is the beginning */
	TEST_SUFFIX,  /* text is the end */
	TEST_SEGMENT, /* text occurs */
	TEST_PATTERN, /* text: the pieces, see pattern_encode */
	TEST_BITS,    /* addresses: text is a byte of length in bits, then the bytes */
	TEST_RANGE,   /* PORT: text is low and high, two bytes each */
};

#define ANY_PORT UINT32_MAX

struct test {
	enum test_kind kind;
	enum image_subject subject;
	uint32_t port; /* only where the request's port is this one; or ANY_PORT */
	struct span text;
};

struct atom {
	const uint32_t *tests; /* ascending */
	uint32_t n_tests;
	uint32_t definer; /* the flag that is set wherever this atom is, or 0 */
};

struct atoms {
	struct arena arena;
	VEC(struct test) tests;
	VEC(struct atom) items;
	struct map by_test, by_tests; /* values are numbers plus one */
};

/* Numbers the fixed atoms. False: out of memory, here and below. */
bool atoms_init(struct atoms *a) _must_check_;
void atoms_done(struct atoms *a);
/* The number of the test; its text is copied. */
bool atoms_test(struct atoms *a, const struct test *t, uint32_t *ret) _must_check_;
/* The atom of these tests, which are sorted in place; at least one. */
bool atoms_any(struct atoms *a, uint32_t *tests, size_t n, uint32_t *ret) _must_check_;
/* The atom that is true when any of these is. */
bool atoms_union(struct atoms *a, const uint32_t *atoms, size_t n, struct arena *scratch,
		 uint32_t *ret) _must_check_;
/* Flags and checks are never part of a union. */
bool atom_can_join(const struct atoms *a, uint32_t atom);
