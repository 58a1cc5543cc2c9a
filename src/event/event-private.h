/*
 * What the files of this room share about events: their texts as a table, and
 * their JSON in parts, of which those that repeat are made once.
 */
#pragma once

#include "base/sha256.h"
#include "event/event.h"

/* Where the texts are in struct event; argv is the first. The ring's format has this order. */
#define EVENT_N_TEXTS 18
extern const size_t event_text_offsets[EVENT_N_TEXTS];

static inline struct span *event_text(struct event *e, size_t i)
{
	return (struct span *)(void *)((char *)e + event_text_offsets[i]);
}

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
	const char *session, *prev_hex; /* prev_hex has SHA256_HEX_LEN digits */
};

/* As event_to_json. made NULL makes everything; else its members are taken from there. */
int event_to_json_with(const struct event *e, const struct event_fragments *made,
		       const struct event_chain *at, struct buf *out);
