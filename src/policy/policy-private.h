/*
 * What the files of this room share about a policy in use: the decision image
 * and, for what that leaves open, each policy of the set with what was found out
 * about it, and per action the lists to go through. Most processes never need
 * the latter, so it is read when it is first asked for (policy_prepare); nothing
 * changes after that.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "cedar/cedar.h"
#include "policy/names.h"
#include "policy/policy.h"

struct rule {
	size_t number; /* position in the policy */
	const struct cedar_policy *cedar;
	const char *id;	  /* with the layer's name before it */
	const char *file; /* as people know it */
	size_t line;
	struct span text; /* as it was written */
	enum policy_layer layer;
	uint32_t keys; /* context keys it mentions */
	bool uses_whole_context;
	bool mentions_action; /* in its conditions */
	uint32_t actions;     /* bit per enum policy_action its scope matches */
};

struct image;

struct rule_list {
	const struct rule **rules;
	size_t len;
};

struct action_rules {
	struct rule_list forbids, permits; /* forbids: leash's own first; see policy_prepare */
	uint32_t keys;
	bool is_uncacheable;
	bool is_restricted; /* some request is, or may be, not allowed; leash's own rules aside */
};

/*
 * Which rules can apply to a path at all: those bounded by one of its
 * directories or by itself, and those that no place bounds.
 */
struct rule_index {
	struct map places;   /* text of a place to struct rule_numbers */
	uint64_t *unbounded; /* bit per rule */
	size_t n_words;
};

struct policy {
	atomic_uint n_refs;
	struct arena arena;
	size_t n_rules;
	struct action_rules actions[POLICY_ACTION_MAX];
	uint64_t generation;
	enum policy_mode mode;
	struct span agent, profile; /* text */
	struct policy_instruction *instructions;
	size_t n_instructions;
	struct image *image;	    /* NULL: every request is evaluated */
	const char **ids;	    /* of the rules by rank: leash's own first */
	const char **ids_in_order;  /* the same pointers, by number */
	const char **tls_ids;	    /* the same, of those with @tls("passthrough") */
	size_t n_tls_ids;
	struct span mapped; /* what image and evaluator are read from, to be unmapped; or empty */
	/* To be used after policy_prepare. */
	struct cedar_policy_set *set;
	struct rule *rules;
	struct rule_index index;
	pthread_mutex_t prepare_lock;
	atomic_int prepared; /* 0: not yet; 1: ready; negative: could not be read */
};

/* Reads what evaluating needs, once. False: it cannot be had, and nothing may be allowed. */
bool policy_prepare(const struct policy *p) _must_check_;

/* Fills keys, uses_whole_context and actions. */
void rule_analyse(struct rule *r, struct span agent);
/* Does the scope match the action, as the action tree has it? */
bool scope_matches_action(const struct cedar_scope *s, int action);
bool scope_matches_agent(const struct cedar_scope *s, struct span agent);

/* Indexes the policy's rules; false when memory is exhausted. */
bool rule_index_make(struct rule_index *index, const struct policy *p, struct arena *arena);
void rule_index_done(struct rule_index *index);
/* A bit per rule that may apply to the path (text form), in the arena; NULL: out of memory. */
const uint64_t *rule_index_find(const struct rule_index *index, struct span path,
				struct arena *arena);

#define LAYER_MAX (POLICY_LAYER_SESSION + 1)
const char *layer_name(enum policy_layer layer);
