/*
 * What a server sends, on its way to the agent: secrets in it become their
 * placeholders, across any pieces, without a change of length. Only what looks
 * like the beginning of a secret is held back, by nothing else than its outline
 * (see needles.h), and never its first bytes, which are the same in both.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "http/message.h"
#include "proxy/needles.h"

struct scrub {
	const struct needles *needles; /* not ours; NULL: everything passes */
	struct buf held;
	size_t n_told; /* bytes of held that were passed on already */
	struct buf out;
};

/* Takes bytes; *ret are those that may go on, valid until the next call. Negative errno. */
int scrub_feed(struct scrub *s, struct span bytes, struct span *ret) _must_check_;
/* Nothing follows: *ret is what was held back. The scrub is then as new. */
int scrub_finish(struct scrub *s, struct span *ret) _must_check_;
/* So many bytes were taken and have not gone on. */
static inline size_t scrub_n_held(const struct scrub *s)
{
	return s->held.len - s->n_told;
}
void scrub_done(struct scrub *s);

/* One text that is there as a whole: a copy in the arena, where anything must be replaced. -ENOMEM.
 */
int scrub_text(const struct needles *n, struct arena *a, struct span *text) _must_check_;
/* Names and values of a head's fields. */
int scrub_fields(const struct needles *n, struct arena *a, struct http_field *fields,
		 size_t n_fields) _must_check_;
