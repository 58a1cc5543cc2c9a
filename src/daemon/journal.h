/*
 * Where a session's events end up: the rings of supervisor and proxy are
 * drained into the hash-chained store, counted, and the daemon's own events are
 * put between them. What is written has passed the redactor: nobody who reads
 * the record, or is told of it, sees a secret's value.
 */
#pragma once

#include <uv.h>

#include "base/err.h"
#include "daemon/causes.h"
#include "daemon/redactor.h"
#include "event/event.h"
#include "event/ring.h"
#include "event/store.h"

/* One writing process: the descriptors it is given and our side of its ring. */
struct journal_source {
	int memory_fd, wake_fd;
	struct event_ring *ring;
	uv_poll_t wake;
	struct journal *journal;
};

enum {
	JOURNAL_SUPERVISOR,
	JOURNAL_PROXY,
	JOURNAL_N_SOURCES,
};

/*
 * Told of each record just appended, in order and without a gap: its seq, its
 * JSON and the event, valid during the call. Must not write to the journal.
 */
typedef void (*journal_subscriber_fn)(uint64_t seq, struct span json, const struct event *e,
				      void *ctx);

struct journal {
	struct event_store *store;
	struct causes *causes;
	struct redactor *redactor; /* not ours; NULL: there are no secrets */
	struct journal_source sources[JOURNAL_N_SOURCES];
	uv_timer_t drain_timer;
	bool is_polling, has_written;
	uint64_t n_events, n_denied, n_would_deny, n_lost;
	struct event last_denied; /* only its kind is kept */
	const char *mode;
	journal_subscriber_fn subscriber; /* may be NULL */
	void *subscriber_ctx;
	int failure; /* errno of a store that cannot be written; the session must end */
	/* Told of it once, maybe in the middle of a call of the journal's. */
	void (*on_failure)(int code, void *ctx);
	void *on_failure_ctx;
};

/* Creates store and rings. There must be none in the directory. */
int journal_open(struct journal *j, const char *directory, const char *session, const char *mode,
		 struct err *err) _must_check_;
/* Starts draining by the loop. */
int journal_start(struct journal *j, uv_loop_t *loop, struct err *err) _must_check_;
/*
 * Makes the database. Not before the command runs: until then what is written
 * waits in memory, and the start does not wait for the disk.
 */
void journal_begin(struct journal *j);
/* An event of the daemon's own. */
void journal_write(struct journal *j, const struct event *e);
/* Takes over all that the rings hold now; it is written out soon. */
void journal_drain(struct journal *j);
/*
 * Writes out what was appended, so that a reader sees every record that the
 * subscriber was told of. Failure ends the session, as always.
 */
void journal_flush(struct journal *j);
/* Drains, writes out and syncs; nothing is taken any more. The first error there was. */
int journal_finish(struct journal *j) _must_check_;
/* Frees everything. */
void journal_close(struct journal *j);
