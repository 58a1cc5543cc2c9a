#include <errno.h>

#include "event/store-private.h"

/* A reader waits so long for the moment in which a writer changes the form of the files. */
#define BUSY_MS 2000

/* Before the first use; a second call says MISUSE, which does no harm. */
static void configure(void)
{
	static bool is_done;

	if (is_done)
		return;
	is_done = true;
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

int sql_errno(sqlite3 *db, int code)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
	case SQLITE_ERROR:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_TOOBIG:
		return -EMSGSIZE;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return system ? -system : -EIO;
	default:
		return -EIO;
	}
}

int sql_open(const char *path, int flags, sqlite3 **ret)
{
	sqlite3 *db = NULL;
	int r;

	configure();
	r = sql_errno(NULL, sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
					    NULL));
	if (r < 0) {
		r = db && sqlite3_system_errno(db) ? -sqlite3_system_errno(db) : r;
		(void)sqlite3_close(db);
		return r;
	}
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	*ret = db;
	return 0;
}

int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	return sql_errno(db,
			 sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL));
}

int sql_exec(sqlite3 *db, const char *sql)
{
	return sql_errno(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int sql_run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);
	int r = sql_errno(sqlite3_db_handle(statement), code);

	(void)sqlite3_reset(statement);
	return r;
}

int sql_number(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement;
	int r = sql_prepare(db, sql, &statement);
	int code;

	if (r < 0)
		return r;
	code = sqlite3_step(statement);
	r = sql_errno(db, code);
	*ret = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	(void)sqlite3_finalize(statement);
	return r;
}
