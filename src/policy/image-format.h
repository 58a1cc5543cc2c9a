/*
 * The bytes of a decision image: tables that answer most requests without
 * evaluating Cedar. One relocatable block, offsets only, little to interpret:
 *
 *   struct image_header
 *   slots     hash table of names: struct image_slot
 *   words     everything of varying length, as 32-bit words, see below
 *   tries     struct image_trie: prefixes and, read backwards, suffixes
 *   links     the same, with the least rank of a policy below each in place of
 *             a list: what forbids on making files say about places below
 *   states    struct image_state: Aho-Corasick automata over what may occur anywhere
 *   checks    struct image_check: comparisons with the clock
 *   bytes     what tries and automata compare with
 *
 * A request's facts ("subjects") are looked up; what is found are entries. An
 * entry sets an atom (a bit), satisfies a clause at once, or leads to a
 * pattern or to an entry that needs a certain port. A clause is a product of
 * atoms watched by one of them; where it holds, its policies apply.
 *
 * Words, each object at an offset of its own; offset 0 is no object:
 *   node:    header, text, then entries: of a directory, below, equal
 *   list:    number, entries
 *   clause:  header, literals, policies by rank
 *   pattern: subject, entry, number of pieces, then (offset in bytes, length) each
 *   gate:    port, entry
 *   atom:    in the table at header.atoms: offset of the list of its clauses
 */
#pragma once

#include <stdint.h>

#include "policy/policy.h"

#define IMAGE_MAGIC "LEASHIM\n"
#define IMAGE_VERSION 1
/* Areas begin at multiples of this; so do images where it should matter for speed. */
#define IMAGE_ALIGNMENT 64

/* Facts that can be looked up. */
enum image_subject {
	IMAGE_PATH,
	IMAGE_EXE,
	IMAGE_COMM,
	IMAGE_CWD,
	IMAGE_ANCESTORS, /* each of them */
	IMAGE_ARGS,
	IMAGE_ARGV, /* each of them */
	IMAGE_HOST, /* by labels from the right */
	IMAGE_PROTOCOL,
	IMAGE_TOOL,
	IMAGE_SERVER,
	IMAGE_PORT,
	IMAGE_ADDRESS_V4,
	IMAGE_ADDRESS_V6,
	IMAGE_N_SUBJECTS,
	IMAGE_NO_SUBJECT = IMAGE_N_SUBJECTS,
};

/* Atoms that are not looked up but follow from the request's form. */
enum image_fixed_atom {
	IMAGE_ATOM_MAYBE, /* the compiler's alone: never in an image */
	IMAGE_HAS_IP,
	IMAGE_HAS_PORT,
	IMAGE_HAS_PROTOCOL,
	IMAGE_HAS_HOST,
	IMAGE_FIXED_ATOMS,
};

enum image_check_kind {
	IMAGE_NOW_BEFORE,	 /* now < number */
	IMAGE_NOW_NOT_AFTER,	 /* now <= number */
	IMAGE_TIME_BEFORE,	 /* milliseconds since midnight < number */
	IMAGE_TIME_NOT_AFTER,
	IMAGE_N_CHECKS,
};

struct image_check {
	uint32_t kind, reserved;
	int64_t number;
};

struct image_slot {
	uint32_t tag;  /* the hash's upper half */
	uint32_t node; /* offset in words; 0: free */
};

/* A name that is looked up. Then its text, then the entries, the directory's first. */
#define IMAGE_NODE_WORDS 6
#define IMAGE_NODE_MAX_TEXT 0xffffu
struct image_node {
	uint32_t text_len : 16, subject : 16;
	uint32_t n_dir, n_below, n_equal;
	uint32_t prefixes; /* trie of what may follow the next separator, plus one; 0: none */
	uint32_t parent;   /* the node of the longest shorter name of this one; 0: none */
};

struct image_trie {
	uint32_t label, label_len;  /* in bytes */
	uint32_t bytes, n_children; /* the children's first bytes, ascending */
	uint32_t first_child;	    /* they lie side by side */
	uint32_t list;
};

struct image_state {
	uint32_t bytes, n_children, first_child;
	uint32_t fallback; /* a state before this one */
	uint32_t list;
	uint32_t next_output; /* the nearest state down the fallbacks that has a list; 0: none */
};

/* Entries: two bits of kind, then a number. */
enum image_entry_kind {
	IMAGE_ENTRY_ATOM,
	IMAGE_ENTRY_CLAUSE,
	IMAGE_ENTRY_PATTERN,
	IMAGE_ENTRY_GATE,
};
#define IMAGE_ENTRY(kind, number) ((uint32_t)(kind) << 30 | (uint32_t)(number))
#define IMAGE_ENTRY_KIND(e) ((enum image_entry_kind)((e) >> 30))
#define IMAGE_ENTRY_NUMBER(e) ((e) & 0x3fffffffu)

enum image_effect {
	IMAGE_PERMIT,
	IMAGE_PERMIT_ERRS,
	IMAGE_PERMIT_ASK,
	IMAGE_FORBID,
	IMAGE_FORBID_ERRS,
	IMAGE_FORBID_ASK,
	IMAGE_N_EFFECTS,
};

#define IMAGE_CLAUSE_WORDS 3
struct image_clause {
	uint32_t actions : 16, effect : 4, is_own : 1, mentions_action : 1, is_shared : 1,
		reserved : 9; /* is_shared: one of its policies has other clauses too */
	uint32_t n_literals, n_policies;
};

/* Literals: two bits of kind, then the number of an atom or a check. */
enum image_literal_kind {
	IMAGE_LITERAL_SET,
	IMAGE_LITERAL_CLEAR,
	IMAGE_LITERAL_CHECK,
	IMAGE_LITERAL_NOT_CHECK,
};
#define IMAGE_LITERAL(kind, number) ((uint32_t)(number) << 2 | (uint32_t)(kind))

struct image_subject_tables {
	uint32_t prefixes, suffixes; /* tries, plus one; 0: none */
	uint32_t automaton;	     /* a state, plus one; 0: none */
	uint32_t n_states;
	uint32_t start_table;  /* in words: per byte the state it leads to from the start, or 0 */
	uint32_t only_start;   /* the one byte that all of the automaton's texts begin with; or >255 */
	uint32_t followers[8]; /* of that byte: a bit per byte that goes on */
	uint32_t max_depth;    /* separators in the longest name */
};

struct image_action {
	uint32_t always;   /* list of clauses to look at in any case */
	uint32_t subjects; /* bit per subject that its policies ask about */
	uint32_t needs_host_name; /* its policies ask for the name even of an address */
	uint32_t automata; /* bit per subject whose automaton its policies need */
};

struct image_area {
	uint32_t offset, count;
};

struct image_header {
	char magic[8];
	uint32_t version, n_rules;
	uint64_t total_len;
	uint64_t checksum; /* of all bytes, this field taken as zero */
	uint64_t seed;	   /* of the names' hash */
	struct image_area slots, words, tries, links, states, checks, bytes;
	uint32_t link_paths, link_names; /* roots plus one; 0: none */
	uint32_t atoms, n_atoms; /* table in words */
	uint32_t probe_limit, reserved;
	uint32_t v4_lengths[2], v6_lengths[5], port_lengths; /* bit per length of prefix that occurs */
	struct image_subject_tables subjects[IMAGE_N_SUBJECTS];
	struct image_action actions[POLICY_ACTION_MAX];
};
