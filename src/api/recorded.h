/*
 * Recorded events as the operations that they were: what policies can be asked
 * about them again, and what a policy about one of them says.
 */
#pragma once

#include "api/operation.h"
#include "event/event.h"

/* -ENOENT: it was nothing that a policy decides. Else the operation is to be done with. */
int recorded_make(const struct event *e, struct operation *ret) _must_check_;

enum breadth {
	BREADTH_FILE,
	BREADTH_DIRECTORY,
	BREADTH_PATTERN, /* files with the same ending in the directory */
	BREADTH_HOST,
	BREADTH_ZONE, /* a domain that somebody registered, with all names below it */
	N_BREADTHS,
};

const char *breadth_name(enum breadth b);
int breadth_from_name(struct span name, enum breadth *ret) _must_check_;
/* Is there a policy of that breadth for such an operation? */
bool breadth_fits(enum breadth b, const struct policy_request *r);
/* Appends the policy. -EINVAL: there is none of that breadth, or the host's name is none. */
int breadth_write(enum breadth b, const struct policy_request *r, bool is_forbid,
		  struct buf *out) _must_check_;
