/*
 * The bundle: one block of bytes with everything a process needs to decide.
 *
 *   struct bundle_header
 *   struct bundle_policy[n_policies]
 *   string bytes, which the two above point into by offset from the start
 *   the decision image (image-format.h), which most requests are decided by
 *
 * The policies' normalised text is Cedar, one policy per entry in order. No
 * pointer, only offsets; the checksum finds damage, not forgery (the memory
 * file is sealed and comes from our own daemon).
 */
#pragma once

#include "base/buf.h"
#include "policy/policy-private.h"

#define BUNDLE_MAGIC "LEASHPB\n"
#define BUNDLE_VERSION 5
#define BUNDLE_MAX_POLICIES 100000

struct bundle_string {
	uint32_t offset, len;
};

/* What can be said of an action without reading the policies. */
struct bundle_action {
	uint32_t keys, flags;
};

#define BUNDLE_ACTION_UNCACHEABLE 1u
#define BUNDLE_ACTION_RESTRICTED 2u
#define BUNDLE_ACTION_FLAGS 3u

struct bundle_header {
	char magic[8];
	uint32_t version, n_policies;
	uint64_t total_len;
	uint64_t checksum; /* of all bytes, this field taken as zero */
	uint64_t generation;
	uint32_t mode;
	uint32_t has_actions; /* 1: the table below is filled, and reading the policies can wait */
	struct bundle_action actions[POLICY_ACTION_MAX];
	struct bundle_string agent, profile;
	struct bundle_string cedar; /* the whole set, normalised */
	struct bundle_string instructions; /* struct bundle_instruction[] */
	struct bundle_string image; /* the decision image, at a multiple of 8; empty: none */
};

struct bundle_policy {
	uint32_t layer, line;
	uint32_t passes_tls; /* 1: a permit with @tls("passthrough") */
	uint32_t reserved;   /* 0 */
	struct bundle_string id, file, text;
};

struct bundle_instruction {
	struct bundle_string policy, host, header, value;
	uint32_t port;
};

/* One policy to put into a bundle. */
struct bundle_item {
	enum policy_layer layer;
	size_t line;
	struct span id, file, text, normalised;
	bool passes_tls;
};

struct bundle_description {
	uint64_t generation;
	enum policy_mode mode;
	struct span agent, profile;
	const struct bundle_item *items;
	size_t n_items;
	const struct policy_instruction *instructions;
	size_t n_instructions;
	struct span image; /* of these very policies, or empty */
	const struct action_rules *actions; /* likewise, POLICY_ACTION_MAX of them; or NULL */
};

/* Appends the bundle to out, which must be empty. -EMSGSIZE when it would pass the limits. */
int bundle_write(const struct bundle_description *d, struct buf *out) _must_check_;
/* The checksum that a bundle of these bytes, at least a header, must carry. */
uint64_t bundle_checksum(struct span bytes);
/* Checks the bytes in full and makes the policy, which does not refer to them. -EBADMSG for damage. */
int bundle_read(struct span bytes, struct policy **ret, struct err *err) _must_check_;
