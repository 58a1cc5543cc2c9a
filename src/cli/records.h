/*
 * The records of one session, found by what the user called it, and opened.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

struct records {
	char *id, *directory, *log_path; /* owned */
	int log_fd;			 /* owned */
};

#define RECORDS_INIT                                                                               \
	{                                                                                          \
		.log_fd = -1                                                                       \
	}

/* name NULL means the newest session. */
int records_open(const char *name, struct records *ret, struct err *err) _must_check_;
void records_done(struct records *r);
/* session.json in the session's directory, NULL where it is missing or damaged; lives in the arena.
 */
const struct json *records_summary(const char *directory, struct arena *a);
