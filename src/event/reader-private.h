/*
 * A reader, and how a row becomes a record again.
 */
#pragma once

#include "base/buf.h"
#include "base/sha256.h"
#include "event/store-private.h"
#include "event/store.h"

/* Of a file: what changes when it does. */
struct reader_stamp {
	int64_t size, changed;
};

struct event_reader {
	char *file;
	sqlite3 *db;
	struct reader_stamp seen[2]; /* where db is a copy: of the database and its log */
	int64_t seen_at;
	char *session;
	bool is_ready; /* the database has its form, and the statements are made */
	sqlite3_stmt *upward, *downward, *numbers_upward, *numbers_downward, *hash;
	struct buf path, json;
};

/* Starts a reading transaction. Returns 1, or 0 where the database has no records yet. */
int reader_begin(struct event_reader *r, struct err *err) _must_check_;
void reader_end(struct event_reader *r);
int reader_last_seq(struct event_reader *r, uint64_t *ret) _must_check_;
/* The event in a row of upward or downward. Its path is in r->path, other texts in the row. */
void reader_restore(struct event_reader *r, sqlite3_stmt *row, struct event *ret);
/* The hash in such a row; false where it is not one. */
bool reader_row_hash(sqlite3_stmt *row, unsigned char ret[SHA256_LEN]);
int reader_fail(struct err *err, int code);

/*
 * Where the records come from: reader-source-linux.c has the files themselves, and
 * reader-source-posix.c a copy, whose writer may be in a virtual machine. One is built.
 */
int reader_source_open(struct event_reader *r) _must_check_;
/* Is the copy older than the files? */
bool reader_source_has_changed(const struct event_reader *r);
