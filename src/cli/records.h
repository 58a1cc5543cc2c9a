/*
 * The records of one session, found by what the user called it, and opened.
 */
#pragma once

#include "base/err.h"
#include "event/store.h"

struct records {
	char *id, *directory; /* owned */
	struct event_reader *reader;
};

/*
 * name NULL means the newest session. On failure id and directory may be there: -ENOENT with them
 * is a session that has no records, or none yet.
 */
int records_open(const char *name, struct records *ret, struct err *err) _must_check_;
void records_done(struct records *r);
