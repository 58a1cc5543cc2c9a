/*
 * What a store's records come to: counts, and the processes.
 */
#include <errno.h>

#include "event/reader-private.h"

static void add_count(struct event_counts *counts, int64_t mark, int64_t n)
{
	int64_t kind = mark >> EVENT_MARK_BITS;
	int64_t decision = mark & ((1 << EVENT_MARK_BITS) - 1);

	if (mark >= 0 && kind < EVENT_KIND_MAX && decision < EVENT_DECISION_MAX)
		counts->n[kind][decision] += (uint64_t)n;
}

/* By the index of marks; what has none is the rest. */
static int read_counts(struct event_reader *r, struct event_counts *ret)
{
	sqlite3_stmt *row = NULL;
	int64_t n_marked = 0;
	uint64_t n_all = 0;
	int code = SQLITE_ROW;
	int result = reader_last_seq(r, &n_all);

	if (result == 0)
		result = sql_prepare(r->db,
				     "SELECT mark, count(*) FROM event WHERE mark IS NOT NULL"
				     " GROUP BY mark",
				     &row);
	while (result == 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		add_count(ret, sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1));
		n_marked += sqlite3_column_int64(row, 1);
	}
	if (result == 0)
		result = sql_errno(r->db, code);
	(void)sqlite3_finalize(row);
	if (result == 0 && n_all > (uint64_t)n_marked)
		add_count(ret, EVENT_MARK_BULK, (int64_t)n_all - n_marked);
	return result;
}

int event_reader_counts(struct event_reader *r, struct event_counts *ret, struct err *err)
{
	int code = reader_begin(r, err);

	*ret = (struct event_counts){ 0 };
	if (code <= 0)
		return code;
	code = read_counts(r, ret);
	reader_end(r);
	return code < 0 ? reader_fail(err, code) : 0;
}

static int count_decision(struct event_reader *r, enum event_decision d, uint64_t *ret)
{
	sqlite3_stmt *row = NULL;
	int code = SQLITE_DONE;
	int result = sql_prepare(r->db, "SELECT count(*) FROM event WHERE mark = ?1", &row);

	for (int kind = 0; kind < EVENT_KIND_MAX && result == 0; kind++) {
		(void)sqlite3_bind_int(row, 1, kind << EVENT_MARK_BITS | (int)d);
		code = sqlite3_step(row);
		if (code == SQLITE_ROW)
			*ret += (uint64_t)sqlite3_column_int64(row, 0);
		result = sql_errno(r->db, code);
		(void)sqlite3_reset(row);
	}
	(void)sqlite3_finalize(row);
	return result;
}

int event_reader_count_decision(struct event_reader *r, enum event_decision d, uint64_t *ret,
				struct err *err)
{
	struct event_counts counts;
	int code;

	*ret = 0;
	if (d == EVENT_ALLOW) {
		code = event_reader_counts(r, &counts, err);
		for (int kind = 0; kind < EVENT_KIND_MAX && code == 0; kind++)
			*ret += counts.n[kind][d];
		return code;
	}
	code = reader_begin(r, err);
	if (code <= 0)
		return code;
	code = count_decision(r, d, ret);
	reader_end(r);
	return code < 0 ? reader_fail(err, code) : 0;
}

/* Of several rows of one process the last one tells what it is. */
#define SELECT_PROCESSES                                                                           \
	"SELECT l.pid, l.ppid, l.uid, l.exe, l.comm, l.cwd, t.first, t.last, t.n, t.denied,"       \
	" t.would_deny FROM (SELECT max(p.id) AS id, min(c.first) AS first, max(c.last) AS last,"  \
	" sum(c.n) AS n, sum(c.denied) AS denied, sum(c.would_deny) AS would_deny"                 \
	" FROM (SELECT process, min(seq) AS first, max(seq) AS last, count(*) AS n,"               \
	" total(mark & 7 = 2) AS denied, total(mark & 7 = 3) AS would_deny"                        \
	" FROM event GROUP BY process) c JOIN process p ON p.id = c.process"                       \
	" WHERE p.pid <> 0 GROUP BY p.pid) t JOIN process l ON l.id = t.id ORDER BY t.first"
_Static_assert(EVENT_DENY == 2 && EVENT_WOULD_DENY == 3 && EVENT_MARK_BITS == 3,
	       "the select counts by these numbers");

static void restore_process(sqlite3_stmt *row, struct event_process *ret)
{
	*ret = (struct event_process){
		.pid = sqlite3_column_int(row, 0),
		.ppid = sqlite3_column_int(row, 1),
		.has_uid = sqlite3_column_type(row, 2) != SQLITE_NULL,
		.uid = (uint32_t)sqlite3_column_int64(row, 2),
		.exe = sql_text(row, 3),
		.comm = sql_text(row, 4),
		.cwd = sql_text(row, 5),
		.first_seq = (uint64_t)sqlite3_column_int64(row, 6),
		.last_seq = (uint64_t)sqlite3_column_int64(row, 7),
		.n_events = (uint64_t)sqlite3_column_int64(row, 8),
		.n_denied = (uint64_t)sqlite3_column_int64(row, 9),
		.n_would_deny = (uint64_t)sqlite3_column_int64(row, 10),
	};
}

static int read_processes(struct event_reader *r, event_process_fn fn, void *ctx)
{
	struct event_process process;
	sqlite3_stmt *row = NULL;
	int code = SQLITE_ROW;
	int result = sql_prepare(r->db, SELECT_PROCESSES, &row);

	while (result == 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		restore_process(row, &process);
		if (fn(&process, ctx) != 0)
			break;
	}
	if (result == 0)
		result = sql_errno(r->db, code);
	(void)sqlite3_finalize(row);
	return result;
}

int event_reader_processes(struct event_reader *r, event_process_fn fn, void *ctx, struct err *err)
{
	int code = reader_begin(r, err);

	if (code <= 0)
		return code;
	code = read_processes(r, fn, ctx);
	reader_end(r);
	return code < 0 ? reader_fail(err, code) : 0;
}
