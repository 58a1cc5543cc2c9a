/*
 * The database may be written in a virtual machine, whose locks and shared memory are
 * not ours: SQLite here would take the log for one that a dead writer has left, and
 * clear it away. So what is read is a copy in memory, and nothing is written beside it.
 *
 * The copy is whole without a lock. While the log's salts stay the same, pages go from
 * it into the database, but it loses none; so the database first and the log afterwards
 * give, with what the log has put in its place, the last commit that was seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "event/reader-private.h"
#include "event/wal.h"

#define MAX_BYTES ((size_t)2 * 1024 * 1024 * 1024)
#define MAX_TRIES 50
#define AGAIN_MS 10
#define FRESH_SECONDS 2
#define WAL_MODE 2 /* of byte 18 of the database's header */

static char *beside(const struct event_reader *r, const char *suffix)
{
	return xasprintf("%s%s", r->file, suffix);
}

static void see(const char *path, struct reader_stamp *ret)
{
	struct stat st;

	*ret = (struct reader_stamp){ .size = -1 };
	if (stat(path, &st) == 0)
		*ret = (struct reader_stamp){ st.st_size, st.st_mtime };
}

static void see_both(const struct event_reader *r, struct reader_stamp ret[2])
{
	_cleanup_free_ char *wal = beside(r, "-wal");

	see(r->file, &ret[0]);
	see(wal, &ret[1]);
}

/* The log's head; empty where there is none. */
static int read_head(const char *path, struct buf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char head[WAL_HEADER_LEN];
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, head, sizeof(head));
	if (n < 0)
		return -errno;
	return n == sizeof(head) ? buf_append(out, head, sizeof(head)) : 0;
}

static int read_log(const char *path, struct buf *out)
{
	int r = file_read_at(AT_FDCWD, path, out);

	return r == -ENOENT ? 0 : r;
}

static bool is_same_log(const struct buf *head, const struct buf *log)
{
	return head->len == 0
		       ? log->len < WAL_HEADER_LEN
		       : log->len >= head->len && memcmp(head->data, log->data, head->len) == 0;
}

static bool needs_log(const struct buf *database)
{
	return database->len > 18 && database->data[18] == WAL_MODE;
}

/* 1; 0 where it was changed meanwhile. */
static int copy_once(const struct event_reader *r, struct buf *database, struct buf *log)
{
	_cleanup_free_ char *wal = beside(r, "-wal");
	_cleanup_free_ char *journal = beside(r, "-journal");
	_cleanup_buf_ struct buf head = BUF_INIT(WAL_HEADER_LEN);
	struct reader_stamp before[2], after[2];
	bool has_journal = access(journal, F_OK) == 0;
	int code;

	see_both(r, before);
	code = read_head(wal, &head);
	if (code >= 0)
		code = file_read_at(AT_FDCWD, r->file, database);
	if (code >= 0)
		code = read_log(wal, log);
	see_both(r, after);
	if (code < 0 || needs_log(database))
		return code < 0 ? code : is_same_log(&head, log);
	/* Its form is being made, in a transaction that leaves no log. */
	has_journal = has_journal || access(journal, F_OK) == 0;
	return !has_journal && memcmp(before, after, sizeof(before)) == 0;
}

static int copy(struct event_reader *r, struct buf *database)
{
	_cleanup_buf_ struct buf log = BUF_INIT(MAX_BYTES);
	int code = 0;

	for (int i = 0; i < MAX_TRIES && code == 0; i++) {
		if (i)
			(void)poll(NULL, 0, AGAIN_MS);
		buf_reset(database);
		buf_reset(&log);
		see_both(r, r->seen);
		r->seen_at = (int64_t)(clock_real_ns() / NS_PER_SEC);
		code = copy_once(r, database, &log);
	}
	if (code < 0)
		return code;
	/* Who was killed while he made it has left nothing. */
	if (code == 0 && !needs_log(database)) {
		buf_reset(database);
		return 0;
	}
	return code == 0 ? -EBUSY : wal_apply(database, buf_span(&log));
}

static int load(sqlite3 *db, const struct buf *database)
{
	unsigned char *bytes = sqlite3_malloc64(database->len);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, database->data, database->len);
	/* Takes the memory, also where it fails. */
	return sql_errno(db, sqlite3_deserialize(db, "main", bytes, (sqlite3_int64)database->len,
						 (sqlite3_int64)database->len,
						 SQLITE_DESERIALIZE_FREEONCLOSE |
							 SQLITE_DESERIALIZE_READONLY));
}

int reader_source_open(struct event_reader *r)
{
	_cleanup_buf_ struct buf database = BUF_INIT(MAX_BYTES);
	int code = copy(r, &database);

	if (code >= 0)
		code = sql_open(":memory:", SQLITE_OPEN_READWRITE, &r->db);
	return code < 0 || database.len == 0 ? code : load(r->db, &database);
}

/* Times of files are whole seconds here: what was written in the same one shows no change. */
static bool is_fresh(const struct event_reader *r)
{
	int64_t then = r->seen_at - FRESH_SECONDS;

	return r->seen[0].changed >= then || r->seen[1].changed >= then;
}

bool reader_source_has_changed(const struct event_reader *r)
{
	struct reader_stamp now[2];

	see_both(r, now);
	return memcmp(now, r->seen, sizeof(now)) != 0 || is_fresh(r);
}
