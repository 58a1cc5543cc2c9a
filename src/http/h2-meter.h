/*
 * Follows the frames of one HTTP/2 connection in one direction, before they are
 * read, and says when a peer sends too much of what costs it nothing: resets,
 * frames that carry nothing, endless heads. A push machine without I/O or memory.
 */
#pragma once

#include <stdint.h>

#include "base/span.h"

struct h2_bucket {
	uint32_t left;
	uint64_t at_ms;
};

struct h2_meter {
	unsigned char head[9]; /* of the frame that is being read */
	size_t head_len;
	size_t rest; /* of the frame's payload, or of the preface */
	bool is_from_client;
	bool is_in_block; /* the head's end has not come yet */
	size_t block_len;
	uint32_t n_continuations;
	struct h2_bucket resets, noise;
	/* Once too much has come: why, for people, and the code of the GOAWAY. */
	const char *error;
	uint32_t code;
};

/* The client's bytes begin with the preface. */
void h2_meter_init(struct h2_meter *m, bool is_from_client);
/* How many of the bytes may be read; if not all, error says why. */
size_t h2_meter_feed(struct h2_meter *m, struct span bytes, uint64_t now_ms);
/* A stream broke by what the peer sent, as if it had reset it. */
void h2_meter_count_reset(struct h2_meter *m);
/* Something of use was sent to the peer: what it says about the connection has a reason. */
void h2_meter_forgive(struct h2_meter *m);
