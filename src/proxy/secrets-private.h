/*
 * The set of secrets, shared by secrets.c (what is in it) and secrets-rewrite.c
 * (what becomes of a request).
 */
#pragma once

#include "proxy/secrets.h"

struct secret_entry {
	struct secret_rule rule; /* points into text */
	struct secret memory;	 /* value, placeholder, and their forms */
	struct buf text;	 /* name, path, header, hosts */
};

struct secrets {
	VEC(struct secret_entry *) entries;
	const struct secrets_instruction *instructions;
	size_t n_instructions;
	VEC(struct secret) literals; /* of instructions, each with what stands in its place */
	struct needles values, placeholders;
};

/* The part of an instruction's value from there on: text, or the name of a secret. */
struct secrets_piece {
	struct span text;
	bool is_secret;
};

/* Cuts the next piece off; false at the end. */
bool secrets_next_piece(struct span *rest, struct secrets_piece *ret);
/* NULL where there is none of that name. */
const struct secret_entry *secrets_find(const struct secrets *s, struct span name);
bool secret_place_holds(const struct secret_place *place, const struct secrets_destination *to);
