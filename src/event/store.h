/*
 * The session's event store: one SQLite database, events.db, in the session's
 * directory, 0600. It holds every record as columns with dictionaries of what
 * repeats; the record's JSON is made from them byte for byte, and the SHA-256
 * of these bytes chains the records (docs/EVENTS.md).
 *
 * The daemon alone writes, through one struct event_store. Anybody who may read
 * the files reads, also meanwhile, through a struct event_reader of his own;
 * the daemon's API has one too. Both belong to the thread that opened them.
 */
#pragma once

#include "base/err.h"
#include "base/sha256.h"
#include "event/event.h"
#include "event/filter.h"

/* ---- Writing --------------------------------------------------------------- */

struct event_store;

/*
 * Claims the directory for this session: creates the files, which must not
 * exist, and takes the lock that says that the session runs. session is the id
 * put into each record. The database itself is made by event_store_begin; what
 * is appended before waits in memory.
 */
int event_store_create(const char *directory, const char *session, struct event_store **ret,
		       struct err *err) _must_check_;
/* Makes the database, and writes what has waited. Once; also done by a flush. */
int event_store_begin(struct event_store *s) _must_check_;
/*
 * Adds one record; time_ns 0 means now. Returns its seq, or 0 once writing has
 * failed: the store takes no more then (see event_store_error). Readers see it
 * after the next flush.
 */
uint64_t event_store_append(struct event_store *s, const struct event *e);
/* The JSON of the record appended last; valid until the next append. */
struct span event_store_last_json(const struct event_store *s);
/* Since when a record waits to be written out, by the monotonic clock; 0: none does. */
uint64_t event_store_waiting_since(const struct event_store *s);
/* Writes out what was appended. */
int event_store_flush(struct event_store *s) _must_check_;
/*
 * Writes out, syncs to the disk and closes the database: it is one file then,
 * unless somebody still reads it. Readers of the writing process go before.
 * The lock is held until event_store_free. Returns the first error there was.
 */
int event_store_finish(struct event_store *s) _must_check_;
/* 0, or the negative errno that ended the store; what was written before can be read. */
int event_store_error(const struct event_store *s);
/* The last record's seq (0: none) and hash, for session.json. */
uint64_t event_store_head(const struct event_store *s, char ret_hex[SHA256_HEX_LEN + 1]);
/* Does not write out: whoever frees a store decides what becomes of an error. */
void event_store_free(struct event_store *s);

/*
 * Is a session's daemon still there? It holds a lock (base/lock.h) on a file of its
 * own beside the database, which ends with the process. Where it is in a virtual
 * machine, that lock is another kernel's, and leash outside, whose end is the
 * session's, holds one on a second file. A session without either does not run.
 */
bool event_store_is_open(const char *directory);
/* The second file. */
#define EVENT_OUTSIDE_NAME "outside"

/* ---- Reading --------------------------------------------------------------- */

struct event_reader;

/*
 * Opens the store in a session's directory, also one that is being written, or
 * whose database is not made yet: it has no records then. -ENOENT: there is no
 * events.db.
 */
int event_reader_open(const char *directory, struct event_reader **ret,
		      struct err *err) _must_check_;
void event_reader_free(struct event_reader *r);
static inline void event_reader_freep(struct event_reader **r)
{
	event_reader_free(*r);
}
#define _cleanup_event_reader_ _cleanup_(event_reader_freep)

/* One record. Everything in it is valid during the call that gives it. */
struct event_record {
	uint64_t seq;
	struct event event;
	struct span json; /* the bytes that were hashed; empty where the query did not want them */
};

/* Return 0 to go on, 1 to stop. Must not use the same reader. */
typedef int (*event_record_fn)(const struct event_record *r, void *ctx);

struct event_query {
	struct event_filter filter;
	bool is_newest_first;
	bool want_json;
	uint64_t limit; /* 0: no limit */
};

/*
 * Calls fn for each record that the query selects, of those that are written
 * out at the time of the call. The next page begins after the last seq given:
 * filter.since_seq = seq, or, newest first, filter.until_seq = seq - 1 (and no
 * further page where that is 0). Returns how many were given, or a negative
 * errno with err filled.
 */
int64_t event_reader_query(struct event_reader *r, const struct event_query *q, event_record_fn fn,
			   void *ctx, struct err *err) _must_check_;

/* The highest seq that is written out; seqs have no gaps, so it is their number too. */
int event_reader_last_seq(struct event_reader *r, uint64_t *ret, struct err *err) _must_check_;

struct event_counts {
	uint64_t n[EVENT_KIND_MAX][EVENT_DECISION_MAX];
};

/* How many records of each kind there are by decision (EVENT_DECISION_NONE: without one). */
int event_reader_counts(struct event_reader *r, struct event_counts *ret,
			struct err *err) _must_check_;
/* How many were decided so. Cheaper than all counts for decisions other than allow. */
int event_reader_count_decision(struct event_reader *r, enum event_decision d, uint64_t *ret,
				struct err *err) _must_check_;

/* A process as it stood at its last event. Texts are valid during the call that gives it. */
struct event_process {
	int32_t pid, ppid; /* ppid 0: not known */
	uint32_t uid;
	bool has_uid;
	struct span exe, comm, cwd;
	uint64_t first_seq, last_seq; /* its events begin and end here */
	uint64_t n_events, n_denied, n_would_deny;
};

typedef int (*event_process_fn)(const struct event_process *p, void *ctx);

/* Calls fn for each process that has an event, in the order in which they appeared. */
int event_reader_processes(struct event_reader *r, event_process_fn fn, void *ctx,
			   struct err *err) _must_check_;

/* ---- Checking -------------------------------------------------------------- */

/* What event_reader_verify found. */
struct event_store_report {
	uint64_t n_records;		   /* whole records with an unbroken chain */
	uint64_t bad_seq;		   /* 0, or the seq at which the first bad record stands */
	bool is_stopped;		   /* the last good record is a session.stop */
	char head_hex[SHA256_HEX_LEN + 1]; /* hash of the last good record */
};

/*
 * Makes every record's bytes again, checks the chain from its start, and the
 * database's structure. Returns 0, or -EBADMSG with the first bad record and
 * why, or another errno where the database cannot be read. The report holds
 * what was good up to there. A store whose last records are missing is a good
 * chain: compare seq and hash with what was kept elsewhere.
 */
int event_reader_verify(struct event_reader *r, struct event_store_report *ret,
			struct err *err) _must_check_;
