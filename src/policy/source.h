/*
 * A policy_source from the inside: the layers added so far, each policy with
 * its text as written and as leash reads it.
 */
#pragma once

#include "base/map.h"
#include "base/vec.h"
#include "cedar/cedar.h"
#include "policy/bundle.h"
#include "policy/policy.h"
#include "policy/validate.h"

struct source_text {
	struct cedar_policy_set *set;
	char *file, *text;
	size_t len;
	enum policy_layer layer;
};

struct source_policy {
	const struct cedar_policy *cedar; /* rewritten; in one of the texts' sets */
	size_t text_index;
	bool is_impossible; /* and people were told */
	bool passes_tls;    /* @tls("passthrough") */
	enum policy_layer layer;
	size_t line;
	char *id, *file, *text, *normalised;
};

struct policy_source {
	struct policy_environment env; /* own copies of the strings */
	char **own_paths;
	VEC(struct source_policy) policies;
	VEC(struct source_text) texts;
	struct map ids;			    /* taken */
	size_t n_in_layer[LAYER_MAX];	    /* for ids of policies without @id */
	struct policy_validator *validator; /* made when first needed */
	struct policy_findings *findings;   /* not ours; or NULL */
	bool skip_validation, is_project_trusted;
	size_t n_ignored;
};

/* The policies as the deciding processes will read them, without an image. */
int source_read_back(const struct policy_source *s, uint64_t generation, struct policy **ret,
		     struct err *err) _must_check_;
