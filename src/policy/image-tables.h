/*
 * Tables of an image being made, grown in vectors and written out by
 * image-write.c: names, tries and automata, each from texts with entries.
 */
#pragma once

#include "policy/image-clauses.h"

/* A text that leads to an entry. */
struct lead {
	struct span text;
	uint32_t entry;
};

typedef VEC(struct lead) lead_list;
typedef VEC(uint32_t) entry_list;
typedef VEC(struct image_trie) trie_list;

struct name {
	enum image_subject subject;
	struct span text;
	entry_list dir, below, equal;
	lead_list prefixes;
	uint32_t offset; /* in words, once written */
};

struct tables {
	struct arena arena;
	VEC(uint32_t) words;
	trie_list tries, links;
	VEC(struct image_state) states;
	VEC(struct image_check) checks;
	struct buf bytes;
	VEC(struct name) names;
	struct map by_name; /* values are numbers plus one */
	struct buf key;	    /* of the last look-up there */
	lead_list prefixes[IMAGE_N_SUBJECTS], suffixes[IMAGE_N_SUBJECTS],
		segments[IMAGE_N_SUBJECTS];
	struct image_slot *slots;
	uint32_t n_slots, probe_limit;
	struct image_header head;
	bool is_out_of_memory;
};

void tables_done(struct tables *t);
/* Appends words, returns their offset. */
uint32_t tables_words(struct tables *t, const void *words, size_t n);
/* Appends a list; 0 where it would be empty. */
uint32_t tables_list(struct tables *t, const uint32_t *entries, size_t n);
/* The name with this text, added if it is new; valid until the next one is. NULL: out of memory. */
struct name *tables_name(struct tables *t, enum image_subject subject, struct span text);
/* All sort the leads; the number of the root plus one, or 0 where there are no leads. */
uint32_t tables_trie(struct tables *t, lead_list *leads);
/* The same of links, where entries are ranks. */
uint32_t tables_links(struct tables *t, lead_list *leads);
uint32_t tables_automaton(struct tables *t, lead_list *leads);
/* Writes all names as words and fills the slots. False: out of memory, or crowded under any seed. */
bool tables_write_names(struct tables *t);
/* Where the name's parts are divided, and by what; -1 where it has no parts. */
int subject_separator(enum image_subject subject);
/* The shorter names that one of this text may lie below, longest first; false at the end. Bits are
 * shortened in place. */
bool name_shorten(enum image_subject subject, struct span *text);
/* What forbids on making files name, for image_find_below. */
void tables_add_links(struct tables *t, const struct policy *p, const uint32_t *ranks);
