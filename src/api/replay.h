/*
 * The operations of recorded events, decided again under another policy: what
 * would be decided otherwise than it was. Like operations are one line with a
 * count. A record has not all that a policy may look at (the programs above,
 * headers of HTTP): such conditions hold as for a request without them.
 */
#pragma once

#include "base/json-writer.h"
#include "base/vec.h"
#include "event/store.h"
#include "policy/policy.h"

struct replay_change {
	enum event_kind kind;
	enum decision before, after;
	char *object;  /* as a policy names it: path, host with port; of HTTP method and URL */
	char *access;  /* of an open: "read", ...; or empty */
	char *program; /* of the first such event */
	char *reasons; /* the policies that decide now, separated by ", "; "default": none */
	uint64_t first_seq, n;
};

struct replay {
	VEC(struct replay_change) changes; /* in the order in which events were read */
	uint64_t n_decided;		   /* events that were asked about again */
	uint64_t n_changed;		   /* of them, those that would be decided otherwise */
	uint64_t n_left_out; /* of those, the ones that are in no line: there were too many
				different ones */
};

#define REPLAY_MAX_CHANGES 10000

struct replay_options {
	uint64_t limit; /* the newest so many events, the newest first; 0: all, in their order */
	size_t max_changes;	    /* different ones that are told */
	void (*breathe)(void *ctx); /* called now and then; or NULL */
	void *ctx;
};

/* replay_done in any case. */
int replay_run(struct event_reader *reader, const struct policy *policy,
	       const struct replay_options *options, struct replay *ret,
	       struct err *err) _must_check_;
void replay_done(struct replay *r);
/* Its members, in an object that is open. */
void replay_json(const struct replay *r, struct json_writer *w);
