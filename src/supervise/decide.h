/*
 * Asking the policy, and recording what came of it. A governed call asks one
 * or more questions with decide_*; the first one that is not permitted ends
 * it. The record of the whole call is written once, by decide_record.
 */
#pragma once

#include "event/event.h"
#include "policy/policy.h"

#include <sys/stat.h>

struct worker;

/* What has been decided about the current call so far; the last decision that matters is kept. */
struct verdict {
	struct policy_decision decision;
	enum event_decision outcome;
	struct policy_address address; /* kept here for the event */
};

/* One question about a file or program. True if the operation may go ahead. */
bool decide_path(struct worker *w, enum policy_action action, struct span path, bool is_directory,
		 bool also_reads, struct verdict *v);
/* May something of this type (S_IFDIR, S_IFLNK, ...) come into being under the name? */
bool decide_create(struct worker *w, struct span path, mode_t type, struct verdict *v);
/* Any question; the facts about the process are filled in. */
bool decide_request(struct worker *w, struct policy_request *r, struct verdict *v);
/* As decide_path, but nothing depends on it and nothing is kept. */
bool decide_would_permit(struct worker *w, enum policy_action action, struct span path,
			 bool is_directory);

/* Fills in decision, process and time, and writes the event. */
void decide_record(struct worker *w, struct event *e, const struct verdict *v);
/* An event that no policy decided. */
void decide_note(struct worker *w, struct event *e, enum event_decision outcome);
