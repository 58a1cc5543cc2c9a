/*
 * SQLite's write-ahead log, as https://www.sqlite.org/fileformat2.html §4 has it: for a
 * database that is read as a copy, since its locks and its shared memory are another
 * kernel's.
 */
#pragma once

#include "base/buf.h"

#define WAL_HEADER_LEN ((size_t)32)

/*
 * Puts what is committed in the log into the database's bytes, which then need no log. Frames
 * that are damaged or half written end it, as they do for SQLite. -EBADMSG where the log is none,
 * -EMSGSIZE where the database would pass the buffer's limit.
 */
int wal_apply(struct buf *database, struct span wal) _must_check_;
