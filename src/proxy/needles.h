/*
 * Texts that are looked for in a stream, each with a text of the same length to
 * stand in its place. The two begin alike.
 *
 * An agent can have a server send it guesses at a secret. Whether bytes are held
 * back or compared must therefore not depend on what of the secret is not
 * known: a place is looked at by the outline of the replacement, which the agent
 * knows (its beginning, and for each byte behind whether it is a small letter, a
 * capital, a digit or that very byte), and compared in whole, in constant time.
 */
#pragma once

#include "base/span.h"
#include "base/vec.h"

/* So many bytes at their beginning are the same. */
#define NEEDLE_COMMON ((size_t)4)

/* What fits behind the beginning. */
enum needle_letters {
	NEEDLE_OUTLINE, /* see above */
	NEEDLE_BASE64,
	NEEDLE_BASE64URL,
	NEEDLE_HEX, /* in both cases */
};

struct needle {
	struct span text;
	const char *replacement; /* as long */
	enum needle_letters letters;
	size_t owner;
	/* needles_add fills these in. */
	size_t n_known; /* bytes at the beginning that text and replacement share */
	size_t next;	/* of the bucket: its place + 1, 0 ends */
};

#define NEEDLES_BUCKETS 256

struct needles {
	VEC(struct needle) all;
	uint64_t filter[64]; /* bit per hash of the first four bytes */
	uint64_t firsts[4];  /* bit per first byte */
	uint32_t buckets[NEEDLES_BUCKETS]; /* by the hash's upper bits */
};

/* Both texts must live as long as the needles. -EINVAL where their outlines differ. */
int needles_add(struct needles *n, const struct needle *needle) _must_check_;
void needles_done(struct needles *n);

/* The first place from there on where a needle may begin; text.len where there is none. */
size_t needles_next(const struct needles *n, struct span text, size_t from);
/* The longest needle that the text begins with, or NULL. */
const struct needle *needles_match(const struct needles *n, struct span text);
/*
 * The needle that the text, up to its end, is a beginning of, where that shows
 * NEEDLE_CUT_MIN bytes more than its replacement does, the shortest such; or
 * NULL. Not in constant time: for texts whose writer does not learn of it.
 */
#define NEEDLE_CUT_MIN ((size_t)4)
const struct needle *needles_match_cut(const struct needles *n, struct span text);
/* Could the whole text be the beginning of a longer needle? */
bool needles_may_begin(const struct needles *n, struct span text);
/* Does it look like a needle, or like the beginning of one? */
bool needles_has_outline(const struct needles *n, struct span text);
