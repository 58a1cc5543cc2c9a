/* A database and its log, as SQLite writes them, come to what SQLite reads. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "event/wal.h"
#include "unit.h"

#define N_COMMITS 20
#define MAX_BYTES ((size_t)64 * 1024 * 1024)

static char folder[] = "/tmp/leash-wal-XXXXXX";
static char file[64], log_file[80];

static void exec(sqlite3 *db, const char *sql)
{
	char *message = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
}

static int count(sqlite3 *db)
{
	sqlite3_stmt *s;
	int n;

	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &s, NULL) != SQLITE_OK)
		return 0; /* the table is not committed yet */
	n = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
	(void)sqlite3_finalize(s);
	return n;
}

/* How many rows a copy has; -1 where SQLite takes it for damaged. */
static int count_copy(struct span database, struct span wal)
{
	_cleanup_buf_ struct buf copy = BUF_INIT(MAX_BYTES);
	unsigned char *bytes;
	sqlite3 *db;
	int n;

	assert_int_equal(buf_append_span(&copy, database), 0);
	assert_int_equal(wal_apply(&copy, wal), 0);
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	bytes = sqlite3_malloc64(copy.len);
	memcpy(bytes, copy.data, copy.len);
	assert_int_equal(sqlite3_deserialize(db, "main", bytes, (sqlite3_int64)copy.len,
					     (sqlite3_int64)copy.len,
					     SQLITE_DESERIALIZE_FREEONCLOSE),
			 SQLITE_OK);
	n = count(db);
	(void)sqlite3_close(db);
	return n;
}

static void read_both(struct buf *database, struct buf *wal)
{
	buf_reset(database);
	buf_reset(wal);
	assert_int_equal(file_read_at(AT_FDCWD, file, database), 0);
	assert_int_equal(file_read_at(AT_FDCWD, log_file, wal), 0);
}

static sqlite3 *make(void)
{
	sqlite3 *db;

	(void)unlink(file);
	(void)unlink(log_file);
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	exec(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
	exec(db, "CREATE TABLE t(x)");
	for (int i = 0; i < N_COMMITS; i++)
		exec(db, "BEGIN; INSERT INTO t VALUES(randomblob(3000));"
			 "INSERT INTO t VALUES(randomblob(9000)); COMMIT");
	return db;
}

static void test_all(void **state)
{
	_cleanup_buf_ struct buf database = BUF_INIT(MAX_BYTES), wal = BUF_INIT(MAX_BYTES);
	sqlite3 *db = make();

	(void)state;
	read_both(&database, &wal);
	assert_int_equal(count_copy(buf_span(&database), buf_span(&wal)), 2 * N_COMMITS);
	/* What is in the database already is put there once more. */
	exec(db, "PRAGMA wal_checkpoint(PASSIVE)");
	read_both(&database, &wal);
	assert_int_equal(count_copy(buf_span(&database), buf_span(&wal)), 2 * N_COMMITS);
	/* The log begins again, with what it had before behind. */
	exec(db, "INSERT INTO t VALUES(1)");
	read_both(&database, &wal);
	assert_int_equal(count_copy(buf_span(&database), buf_span(&wal)), 2 * N_COMMITS + 1);
	/* A database that has become smaller. */
	exec(db, "DELETE FROM t WHERE rowid > 3; VACUUM");
	read_both(&database, &wal);
	assert_int_equal(count_copy(buf_span(&database), buf_span(&wal)), 3);
	(void)sqlite3_close(db);
}

/* Wherever it is cut off, the commits before that are there, each whole. */
static void test_cut(void **state)
{
	_cleanup_buf_ struct buf database = BUF_INIT(MAX_BYTES), wal = BUF_INIT(MAX_BYTES);
	sqlite3 *db = make();
	int last = 0;

	(void)state;
	read_both(&database, &wal);
	for (size_t len = 0; len <= wal.len; len += len < 64 ? 1 : 1021) {
		int n = count_copy(buf_span(&database), span_make(wal.data, len));

		if (n < last || n % 2)
			fail_msg("%d rows after %d with %zu bytes", n, last, len);
		last = n;
	}
	assert_true(last >= 2 * N_COMMITS - 2);
	(void)sqlite3_close(db);
}

static void test_damaged(void **state)
{
	_cleanup_buf_ struct buf database = BUF_INIT(MAX_BYTES), wal = BUF_INIT(MAX_BYTES);
	_cleanup_buf_ struct buf copy = BUF_INIT(MAX_BYTES);
	sqlite3 *db = make();

	(void)state;
	read_both(&database, &wal);
	for (size_t at = 0; at < wal.len; at += at < 64 ? 1 : 997) {
		int n;

		wal.data[at] ^= 0x10;
		buf_reset(&copy);
		(void)buf_append_span(&copy, buf_span(&database));
		n = wal_apply(&copy, buf_span(&wal)) < 0
			    ? 0
			    : count_copy(buf_span(&database), buf_span(&wal));
		if (n < 0 || n >= 2 * N_COMMITS)
			fail_msg("%d rows with byte %zu damaged", n, at);
		wal.data[at] ^= 0x10;
	}
	(void)sqlite3_close(db);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/events.db", folder);
	(void)snprintf(log_file, sizeof(log_file), "%s-wal", file);
	return 0;
}

static int clear(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, set_up, clear);
}
