/*
 * The least that permits what was observed. A name stands for others only where
 * there is evidence that it does: a directory after several of its files were
 * used, a zone after several of its names. Each line says what it was made of.
 */
#pragma once

#include "base/buf.h"
#include "base/vec.h"
#include "policy/policy.h"

/* Files of one directory, and directories of one directory, from which on all of it is permitted. */
#define SUGGEST_FILES 4
#define SUGGEST_DIRECTORIES 3
/* Names that somebody registered together, likewise. */
#define SUGGEST_NAMES 3

struct suggest;

/* roots: directories that are not generalised away, NULL-terminated: the home directory. */
struct suggest *suggest_new(const char *const *roots);
void suggest_free(struct suggest *s);
/* One operation that was observed; of the same ones all seqs are kept. False: it is none that a
 * policy permits, or there were too many. */
bool suggest_add(struct suggest *s, const struct policy_request *r, uint64_t seq);

struct suggestion {
	struct buf text;
	const uint64_t *seqs; /* in the order in which they were added */
	size_t n_seqs;
};

typedef void (*suggestion_fn)(const struct suggestion *line, void *ctx);

/* Calls fn for each line, sorted; what is given lives during the call. */
void suggest_each(struct suggest *s, suggestion_fn fn, void *ctx);
