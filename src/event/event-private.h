/*
 * What the files of this room share about events: copies of them, and their
 * JSON in parts, of which those that repeat are made once.
 */
#pragma once

#include "event/event.h"

/* A copy whose texts are its own, in one block; free it with xfree. */
struct event *event_copy(const struct event *e) _must_check_;

/* Members made before, each beginning with a comma or empty. */
struct event_fragments {
	struct span action;  /* kind ... generation */
	struct span process; /* pid ... cwd */
	struct span manner;  /* access, flags, mode_bits */
};

void event_fragment_action(const struct event *e, struct buf *out);
void event_fragment_process(const struct event *e, struct buf *out);
void event_fragment_manner(const struct event *e, struct buf *out);

/* Where a record stands: seq 0, session NULL and prev_hex NULL are left out. */
struct event_chain {
	uint64_t seq;
	const char *session, *prev_hex;
};

/* As event_to_json. made NULL makes everything; else its members are taken from there. */
int event_to_json_with(const struct event *e, const struct event_fragments *made,
		       const struct event_chain *at, struct buf *out);
