/*
 * Is a store's chain whole? Every record's bytes are made again from the rows,
 * so that no row can be changed without being noticed, dictionaries included.
 */
#include <errno.h>

#include "event/reader-private.h"

struct verifier {
	struct event_reader *reader;
	struct event_store_report *report;
	struct err *err;
};

static int bad_record(const struct verifier *v, const char *why)
{
	v->report->bad_seq = v->report->n_records + 1;
	return err_say(v->err, -EBADMSG, "record %llu: %s",
		       (unsigned long long)v->report->bad_seq, why);
}

static int verify_row(const struct verifier *v, sqlite3_stmt *row)
{
	struct event_store_report *report = v->report;
	struct event_reader *r = v->reader;
	uint64_t seq = (uint64_t)sqlite3_column_int64(row, 0);
	unsigned char stored[SHA256_LEN], made[SHA256_LEN];
	struct event e;

	if (seq != report->n_records + 1)
		return bad_record(v, "not the record that follows: records are missing, added or "
				     "in another order");
	reader_restore(r, row, &e);
	buf_reset(&r->json);
	if (!reader_row_hash(row, stored) ||
	    event_to_json(&e, seq, r->session, report->head_hex, &r->json) < 0)
		return bad_record(v, "not a record of an event store");
	sha256_of(buf_span(&r->json), made);
	if (memcmp(stored, made, SHA256_LEN) != 0)
		return bad_record(v, "it does not give the hash that was kept of it: it, or the "
				     "record before, was changed");
	report->n_records++;
	report->is_stopped = e.kind == EVENT_SESSION_STOP;
	sha256_to_hex(made, report->head_hex);
	return 0;
}

static int verify_rows(const struct verifier *v)
{
	sqlite3_stmt *row = v->reader->upward;
	int code = SQLITE_ROW;
	int r = 0;

	(void)sqlite3_bind_int64(row, 1, INT64_MIN);
	(void)sqlite3_bind_int64(row, 2, INT64_MAX);
	while (r == 0 && (code = sqlite3_step(row)) == SQLITE_ROW)
		r = verify_row(v, row);
	(void)sqlite3_reset(row);
	if (r == 0 && code != SQLITE_DONE) {
		r = sql_errno(v->reader->db, code);
		r = r == -EBADMSG ? bad_record(v, "the database is damaged here") :
				    reader_fail(v->err, r);
	}
	return r;
}

/* Details of no record: nobody sees them, but they were not written by leash. */
static int verify_details(const struct verifier *v)
{
	int64_t n;
	int r = sql_number(v->reader->db,
			   "SELECT count(*) FROM detail WHERE seq NOT IN (SELECT seq FROM event)",
			   &n);

	if (r < 0)
		return reader_fail(v->err, r);
	return n ? err_say(v->err, -EBADMSG,
			   "the database has details of records that are not there: records are "
			   "missing, or these were added") :
		   0;
}

/* What finds records must find them all: indexes hold what the tables hold. */
static int verify_structure(const struct verifier *v)
{
	sqlite3_stmt *row = NULL;
	int r = sql_prepare(v->reader->db, "PRAGMA integrity_check(1)", &row);
	struct span said = { 0 };

	if (r == 0 && sqlite3_step(row) == SQLITE_ROW)
		said = sql_text(row, 0);
	if (r == 0 && !span_eq_str(said, "ok"))
		r = err_say(v->err, -EBADMSG, "the database is damaged: %.*s",
			    (int)MIN(said.len, (size_t)200), said.len ? said.p : "");
	else if (r < 0)
		r = reader_fail(v->err, r);
	(void)sqlite3_finalize(row);
	return r;
}

int event_reader_verify(struct event_reader *r, struct event_store_report *ret, struct err *err)
{
	const struct verifier v = { r, ret, err };
	int code;

	*ret = (struct event_store_report){ 0 };
	memset(ret->head_hex, '0', SHA256_HEX_LEN);
	code = reader_begin(r, err);
	if (code <= 0)
		return code;
	code = verify_rows(&v);
	if (code == 0)
		code = verify_details(&v);
	if (code == 0)
		code = verify_structure(&v);
	reader_end(r);
	return code;
}
