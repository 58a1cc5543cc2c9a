/*
 * cedar-corpus: runs conformance data and counts. A check is one thing that
 * the reference said (a decision, a value, a formatted text ...). What cannot
 * be checked with what is there counts as skipped, never as passed.
 */
#pragma once

#include "base/arena.h"
#include "data-file.h"
#include "json-view.h"

struct cedar_machine;
struct cedar_policy;

struct runner {
	size_t passed, failed, skipped;
	struct arena arena;	       /* of one line or test; reset between them */
	const char *name;	       /* of the file that is run, for messages */
	size_t line;		       /* in it, from 1; 0 where there are no lines */
	struct buf corpus;	       /* the pack with the policies that others refer to by id */
	struct map corpus_ids;	       /* id -> struct span *, a line of it */
	struct cedar_machine *machine; /* for compiled policies */
	bool want_all;		       /* --verbose: long texts are not cut */
};

/* Counts, and prints what failed behind the file and line. Returns ok. */
bool check(struct runner *r, bool ok, const char *fmt, ...) _printf_(3, 4);
void skip(struct runner *r, size_t n, const char *why);
/* Prints both texts of a failed comparison. */
bool check_text(struct runner *r, struct span got, struct span wanted, const char *what);
/* The corpus' line of this id, or an empty view. */
struct json_view corpus_line(const struct runner *r, struct span id);

/* One line of each pack. */
/* Does the policy come back the same through its JSON form? Counts. */
bool survives_json(struct runner *r, const struct cedar_policy *p);

void run_accept(struct runner *r, struct json_view line);
void run_eval(struct runner *r, struct json_view line);
void run_policies(struct runner *r, struct json_view line);
void run_go_validation(struct runner *r, struct json_view line);
void run_partial(struct runner *r, struct json_view line);
void run_schemas(struct runner *r, struct json_view line);
void run_json_schemas(struct runner *r, struct json_view line);
void run_corpus(struct runner *r, struct json_view line);

/* The tests of the official layout in a folder or archive. */
void run_tree(struct runner *r, const struct data_tree *tree);
