/*
 * What there is to say of the differences between two policies, for `leash policy
 * diff` and for the API alike: which policies only one of them has, and which
 * requests they decide differently.
 */
#pragma once

#include "base/json-writer.h"
#include "policy/compare.h"

typedef void (*policy_item_fn)(const struct policy_item *item, void *ctx);

/*
 * The policies of here that there has none like, but for leash's own. Policies are
 * alike when leash reads the same, whatever they are called and however they look.
 */
void difference_only(const struct policy_source *here, const struct policy_source *there,
		     policy_item_fn fn, void *ctx);

/* Appends what the request is about; a directory with a slash behind it. */
void difference_write_object(const struct difference *d, struct buf *out);
/* Appends "exe=/usr/bin/cat argv=cat,-n": of the facts those that a policy names. */
void difference_write_facts(const struct difference *d, struct buf *out);
/* The policy that decides the new way, or decided the old; or NULL. */
const char *difference_policy(const struct difference *d);

struct difference_side {
	const struct policy_source *source;
	const struct policy *policy; /* made of it */
};

struct difference_options {
	size_t max_decisions;	    /* that are written; all are counted */
	void (*breathe)(void *ctx); /* as policy_compare has it */
	void *ctx;
};

/* Writes policies, decisions, requests, differences and complete into an open object. */
void difference_json(struct json_writer *w, const struct difference_side *before,
		     const struct difference_side *after, const struct difference_options *options,
		     struct comparison *ret);
