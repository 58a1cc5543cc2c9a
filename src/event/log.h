/*
 * The session's event log: JSON lines, each with a sequence number without
 * gaps and a hash chain (SHA-256 over the previous record's hash and this
 * record's bytes), 0600. Written by the daemon alone, batched; flushed when
 * asked. Also reads logs back, for `leash events` and `leash verify`.
 */
#pragma once

#include "base/err.h"
#include "event/event.h"

struct event_log;

/* Creates the file (must not exist). session is the id put into each record. */
int event_log_create(const char *path, const char *session, struct event_log **ret,
		     struct err *err) _must_check_;
/* Buffers one record. Returns its seq, or 0 when writing has failed (see event_log_error). */
uint64_t event_log_append(struct event_log *l, const struct event *e);
/* Writes out what is buffered; with sync, fdatasync too. */
int event_log_flush(struct event_log *l, bool sync) _must_check_;
void event_log_free(struct event_log *l);

/* Appends the record's JSON object without a final newline. prev_hex may be NULL. */
int event_to_json(const struct event *e, uint64_t seq, const char *session, const char *prev_hex,
		  struct buf *out);

/* Checks the chain of a log. Returns 0, or -EBADMSG with the first bad line number and why. */
int event_log_verify(int fd, uint64_t *ret_bad_line, struct err *err) _must_check_;
