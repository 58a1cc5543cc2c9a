/*
 * Names that stood for a regular file when they were last opened. Opening a
 * FIFO, even for a moment, is seen at its other end, so a name is looked at
 * before it is opened; where it is known from the last time, that look is
 * saved, and the one afterwards too where the name may be opened whatever it
 * stands for. A name that is listed wrongly, because somebody outside made it a
 * FIFO's, lets the open wait for the other end, as it would without us.
 * One list per worker, of hashes, with one place for each.
 */
#pragma once

#include <stdint.h>

#include "base/span.h"

struct supervisor;

#define REGULAR_NAMES 1024 /* a power of two */

struct regular_names {
	uint64_t hashes[REGULAR_NAMES]; /* 0: none */
	uint32_t generation;		/* of the supervisor's counter when it was emptied */
};

uint64_t regular_hash(struct span path);
bool regular_is_known(struct regular_names *r, const struct supervisor *s, uint64_t hash);
void regular_add(struct regular_names *r, uint64_t hash);
void regular_remove(struct regular_names *r, uint64_t hash);
/* Something that may be a FIFO, or hold one, is about to get a name: what all lists say is void. */
void regular_void(struct supervisor *s);
