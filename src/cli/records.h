/*
 * The records of one session, found by what the user called it, and opened.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "event/store.h"

struct records {
	char *id, *directory; /* owned */
	struct event_reader *reader;
};

/* name NULL means the newest session. */
int records_open(const char *name, struct records *ret, struct err *err) _must_check_;
/* Is the last record a session.stop? 1, 0, or a negative errno. */
int records_is_stopped(struct event_reader *reader, struct err *err) _must_check_;
void records_done(struct records *r);
/* session.json in the session's directory, NULL where it is missing or damaged; lives in the arena.
 */
const struct json *records_summary(const char *directory, struct arena *a);
