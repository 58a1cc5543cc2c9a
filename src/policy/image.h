/*
 * A decision image in use. Opening checks every offset, length and order that
 * reading relies on, so looking things up afterwards checks none: the bytes are
 * sealed against change.
 */
#pragma once

#include "policy/image-format.h"
#include "policy/image-hash.h"
#include "policy/request.h"

struct image {
	const struct image_header *head;
	const struct image_slot *slots;
	const uint32_t *words;
	const struct image_trie *tries, *links;
	const struct image_state *states;
	const struct image_check *checks;
	const unsigned char *bytes;
	uint32_t slot_mask;
	uint64_t starts[IMAGE_N_SUBJECTS]; /* of the names' hash */
};

/* bytes must outlive the image and be aligned to 8. -EBADMSG for what is damaged or foreign. */
int image_open(struct span bytes, size_t n_rules, struct image *ret) _must_check_;

#define IMAGE_MAX_CLAUSES 64
#define IMAGE_MAX_SORTED 64

/* What one decision needs; kept from one to the next, so that none allocates. */
struct image_run {
	const struct image *image;
	const struct policy_request *request;
	uint64_t *bits; /* of atoms; all clear between decisions */
	uint32_t *found; /* entries, atoms each once */
	size_t n_found, max_found;
	bool is_overrun; /* more was found than a sound image can lead to */
	/* The path is a directory's that policies name, but is none now. */
	const struct image_node *own_dir;
	int64_t now_ms;
	bool has_now;
	/* Text being looked up, readable and zero for IMAGE_TEXT_PADDING bytes behind its end. */
	unsigned char *text;
	size_t len, max_text;
	uint32_t automata; /* bit per subject: those that this action's policies need */
	struct buf converted, joined;
	/* Where parts of the text end (of a host's name: begin), and the hashes of what they close. */
	uint64_t hashes[IMAGE_MAX_DEPTH + 2];
	uint16_t cuts[IMAGE_MAX_DEPTH + 2];
	uint32_t sorted[IMAGE_MAX_SORTED];
	const uint32_t *forbids[IMAGE_MAX_CLAUSES], *permits[IMAGE_MAX_CLAUSES];
	size_t n_forbids, n_permits;
};

/* Makes room for decisions with the image; clears what was there. */
void image_run_start(struct image_run *run, const struct image *image);
void image_run_done(struct image_run *run);

/*
 * Decides. ids: of the policies, by rank. False: the evaluator has to be asked, and *ret holds
 * nothing; of it all is written but the generation, and reasons as far as there are any.
 * The request's facts about the process must be known as far as policies ask for them;
 * NULL where they ask for none.
 */
bool image_decide(struct image_run *run, const struct policy_request *r, const struct facts *facts,
		  const char *const *ids, struct policy_decision *ret);

/*
 * The least rank of a forbid on making files that names something below the
 * path (below.h), UINT32_MAX where none does. False: this cannot tell.
 */
bool image_find_below(const struct image *image, struct span path, uint32_t *ret_rank);

/* ---- Between the reader's files ------------------------------------------------------- */

/* Copies the bytes to where they can be looked up; false where they are too long. */
bool run_set_text(struct image_run *run, struct span bytes);
/* Looks the run's text up as the subject, by all tables; n bytes long. */
void run_match_text(struct image_run *run, enum image_subject subject, size_t len);
void run_match_path(struct image_run *run, size_t len);
/* A host's name in normal form, as the run's text. */
void run_match_host(struct image_run *run, size_t len);
void run_match_port(struct image_run *run, uint16_t port);
void run_match_address(struct image_run *run, const struct policy_address *a);
/* Only whether it equals a name. */
void run_match_element(struct image_run *run, enum image_subject subject, size_t len);
/* Sets one of the fixed atoms, to which nothing leads and which lead nowhere. */
static inline void run_set_flag(struct image_run *run, enum image_fixed_atom atom)
{
	run->bits[0] |= UINT64_C(1) << atom;
}
void run_add_entries(struct image_run *run, const uint32_t *entries, uint32_t n);
/* Adds what would be found if the path were a directory; and forgets what was found since then. */
void run_add_own_dir(struct image_run *run);
void run_forget_from(struct image_run *run, size_t n_found);

/* One round of questions: about the action, or about reading beside it. */
struct image_round {
	uint32_t action; /* a bit */
	uint32_t asked; /* actions already asked about; a policy that does not mention its action is
			   not asked twice */
	bool asks;	/* the evaluator has to be asked */
	bool forbid_errs, permit_errs, is_own;
	bool permit_asks;
	bool is_as_directory; /* asks only forbids, and those that did not hold before */
	size_t first_forbid;  /* of the run's */
};

void run_weigh(struct image_run *run, struct image_round *round, enum policy_action action);
/* Adds the policies of all clauses, each once, in their order. False: too many to tell. */
bool run_add_reasons(struct image_run *run, const uint32_t *const *clauses, size_t n_clauses,
		     const char *const *ids, struct policy_decision *d);
