/*
 * The session's event log: JSON lines, each with a sequence number without
 * gaps and the SHA-256 of the line before it (docs/EVENTS.md), 0600. Written by
 * the daemon alone, batched; flushed when asked or when much has gathered.
 */
#pragma once

#include "base/err.h"
#include "base/sha256.h"
#include "event/event.h"

struct event_log;

/* Creates the file (must not exist). session is the id put into each record. */
int event_log_create(const char *path, const char *session, struct event_log **ret,
		     struct err *err) _must_check_;
/*
 * Buffers one record; time_ns 0 means now. Returns its seq, or 0 once writing
 * has failed: the log takes no more then (see event_log_error).
 */
uint64_t event_log_append(struct event_log *l, const struct event *e);
/* Writes out what is buffered; with sync, fdatasync too. */
int event_log_flush(struct event_log *l, bool sync) _must_check_;
/* 0, or the negative errno that ended the log: whole records only are in the file. */
int event_log_error(const struct event_log *l);
/* The last record's seq (0: none) and the hash of its line, for session.json. */
uint64_t event_log_head(const struct event_log *l, char ret_hex[SHA256_HEX_LEN + 1]);
/* Does not flush: whoever frees a log decides what becomes of an error. */
void event_log_free(struct event_log *l);

/*
 * Is a process still writing this log? The writer holds a lock on it (fcntl
 * F_OFD_SETLK), which ends with the process; asking does not take one.
 */
bool event_log_is_open(int fd);

/* What event_log_verify found. */
struct event_log_report {
	uint64_t n_records;		    /* whole records with an unbroken chain */
	uint64_t bad_line;		    /* 0, or the number of the first bad line */
	bool is_cut;			    /* the bad line is the last and has no end */
	bool is_stopped;		    /* the last good record is a session.stop */
	char head_hex[SHA256_HEX_LEN + 1]; /* hash of the last good record's line */
};

/*
 * Checks the chain of a log from its start. Returns 0, or -EBADMSG with the
 * first bad line and why, or another errno where the file cannot be read.
 * The report holds what was good up to there. A log whose last records are
 * missing is a good chain: compare seq and hash with what was kept elsewhere.
 */
int event_log_verify(int fd, struct event_log_report *ret, struct err *err) _must_check_;
