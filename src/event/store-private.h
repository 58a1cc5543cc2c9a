/*
 * The database's form, and what its writer and its readers share.
 *
 *   action     what was done and how it was decided: the parts of events that repeat
 *   process    who did it; exec is the seq of the proc.exec that began it, 0 where unknown
 *   directory  of paths; a path is its directory, '/', and the event's name
 *   event      one row a record; detail has what only some records have
 *   ..._seen   in which blocks of EVENT_BLOCK seqs a process or directory occurs
 *   block      when the events of a block happened
 *
 * The first three are dictionaries: rows are added, never changed, and the same
 * value may stand in several. Texts that are not there are NULL.
 */
#pragma once

#include <errno.h>
#include <sqlite3.h>

#include "base/err.h"
#include "base/span.h"
#include "event/event.h"

#define EVENT_DB_NAME "events.db"
#define EVENT_LOCK_NAME "lock"

/* PRAGMA application_id ("lsh1") and user_version: another form gets another number. */
#define EVENT_DB_APPLICATION 0x6c736831
#define EVENT_DB_VERSION 1

/*
 * An index row for each event would cost more than the event itself; one for
 * each value and block costs next to nothing, and a reader skips the blocks in
 * which there is nothing for it.
 */
#define EVENT_BLOCK_BITS 10
#define EVENT_BLOCK (UINT64_C(1) << EVENT_BLOCK_BITS)

/* What event.mark holds, so that what is rare is found at once: NULL for allowed opens. */
#define EVENT_MARK_BITS 3
static inline int event_mark(const struct event *e)
{
	return (int)e->kind << EVENT_MARK_BITS | (int)e->decision;
}
_Static_assert(EVENT_DECISION_MAX <= 1 << EVENT_MARK_BITS, "a decision fits its bits");
#define EVENT_MARK_BULK (EVENT_FILE_OPEN << EVENT_MARK_BITS | EVENT_ALLOW)

/* detail.cut */
enum {
	EVENT_CUT_ARGV = 1,
	EVENT_CUT_TEXT = 2,
	EVENT_CUT_SECRET = 4, /* is_redacted */
};

/* event.cause where it is the process's exec. */
#define EVENT_CAUSE_EXEC 0

#define EVENT_SCHEMA                                                                               \
	"CREATE TABLE session(id TEXT NOT NULL) STRICT;"                                           \
	"CREATE TABLE action(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"                       \
	" decision INTEGER NOT NULL, backend INTEGER NOT NULL, generation INTEGER NOT NULL,"       \
	" mode TEXT, policies TEXT, access TEXT, flags INTEGER, mode_bits INTEGER,"                \
	" error INTEGER NOT NULL) STRICT;"                                                         \
	"CREATE TABLE process(id INTEGER PRIMARY KEY, pid INTEGER NOT NULL,"                       \
	" ppid INTEGER NOT NULL, uid INTEGER, exe TEXT, comm TEXT, cwd TEXT,"                      \
	" exec INTEGER NOT NULL) STRICT;"                                                          \
	"CREATE TABLE directory(id INTEGER PRIMARY KEY, path TEXT NOT NULL) STRICT;"               \
	"CREATE TABLE event(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL,"                       \
	" action INTEGER NOT NULL, process INTEGER NOT NULL, directory INTEGER, name TEXT,"        \
	" latency_us INTEGER NOT NULL, cause INTEGER, mark INTEGER, hash BLOB NOT NULL) STRICT;"   \
	"CREATE TABLE detail(seq INTEGER PRIMARY KEY, argv TEXT, cut INTEGER NOT NULL,"            \
	" target TEXT, host TEXT, ip TEXT, port INTEGER, protocol TEXT, family TEXT,"              \
	" bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL, method TEXT, url TEXT,"           \
	" header TEXT, secret TEXT, status INTEGER, count INTEGER NOT NULL, message TEXT) STRICT;" \
	"CREATE TABLE process_seen(process INTEGER NOT NULL, block INTEGER NOT NULL,"              \
	" PRIMARY KEY(process, block)) STRICT, WITHOUT ROWID;"                                     \
	"CREATE TABLE directory_seen(directory INTEGER NOT NULL, block INTEGER NOT NULL,"          \
	" PRIMARY KEY(directory, block)) STRICT, WITHOUT ROWID;"                                   \
	"CREATE TABLE block(id INTEGER PRIMARY KEY, first_time INTEGER NOT NULL,"                  \
	" last_time INTEGER NOT NULL) STRICT;"                                                     \
	"CREATE INDEX event_mark ON event(mark) WHERE mark IS NOT NULL;"                           \
	"CREATE INDEX detail_host ON detail(host) WHERE host IS NOT NULL;"                         \
	"CREATE INDEX detail_target ON detail(target) WHERE target IS NOT NULL;"

/* Opens with what a database from elsewhere must not be able to do switched off. */
int sql_open(const char *path, int flags, sqlite3 **ret) _must_check_;
/* The negative errno of a failed call. */
int sql_errno(sqlite3 *db, int code);
int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret) _must_check_;
int sql_exec(sqlite3 *db, const char *sql);
/* Runs a statement that gives no row, and makes it ready for the next time. */
int sql_run(sqlite3_stmt *statement) _must_check_;
/* The only number in the only row that a text gives; 0 where there is no row. */
int sql_number(sqlite3 *db, const char *sql, int64_t *ret) _must_check_;

/* Empty is NULL. The text must live until the statement has run. */
static inline void sql_bind_text(sqlite3_stmt *s, int i, struct span text)
{
	if (text.len)
		(void)sqlite3_bind_text(s, i, text.p, (int)text.len, SQLITE_STATIC);
	else
		(void)sqlite3_bind_null(s, i);
}

/* Valid until the statement steps on. */
static inline struct span sql_text(sqlite3_stmt *s, int i)
{
	const void *p = sqlite3_column_blob(s, i);

	return span_make(p, p ? (size_t)sqlite3_column_bytes(s, i) : 0);
}
