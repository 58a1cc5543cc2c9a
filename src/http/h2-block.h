/*
 * The fields of one HTTP/2 head or trailer as they come out of their compression,
 * and the message's head that they make. Stricter than HTTP/2's library: what
 * could be read in two ways, or could not be written as HTTP/1, is an error.
 */
#pragma once

#include "base/buf.h"
#include "base/limits.h"
#include "http/message.h"

enum {
	H2_PSEUDO_FIELDS = 5,
	H2_BLOCK_FIELDS = LIMIT_HTTP_FIELDS + H2_PSEUDO_FIELDS,
};

struct h2_part {
	size_t at, name_len, value_len;
	bool is_secret;
};

struct h2_block {
	struct buf text;
	struct buf cookie; /* its pieces put together (RFC 9113 §8.2.3) */
	struct h2_part parts[H2_BLOCK_FIELDS];
	size_t n_parts;
	const char *error; /* what is wrong, for people; static */
	/* What the parts make; spans into text and cookie, until the next h2_block_reset. */
	struct http_field fields[H2_BLOCK_FIELDS];
	struct http_head head;
};

struct h2_block *h2_block_new(void) _must_check_;
void h2_block_free(struct h2_block *b);
void h2_block_reset(struct h2_block *b);
void h2_block_add(struct h2_block *b, struct span name, struct span value, bool is_secret);
/* Is there a pseudo field of that name? */
bool h2_block_has(const struct h2_block *b, const char *name);
/* All have come: makes the head, or sets error. Trailers are a head without anything else. */
void h2_block_finish_request(struct h2_block *b);
void h2_block_finish_response(struct h2_block *b);
void h2_block_finish_trailers(struct h2_block *b);
