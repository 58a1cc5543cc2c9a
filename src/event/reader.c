#include "event/store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "event/narrow.h"
#include "event/reader-private.h"

#define JSON_MAX_LEN ((size_t)4 * 1024 * 1024)

/* The columns of a whole record, in the order of the select. */
enum column {
	SEQ,
	TIME,
	LATENCY,
	CAUSE,
	HASH,
	HAS_DIRECTORY,
	NAME,
	DIRECTORY,
	KIND,
	DECISION,
	BACKEND,
	GENERATION,
	MODE,
	POLICIES,
	ACCESS,
	FLAGS,
	MODE_BITS,
	ERROR,
	PID,
	PPID,
	UID,
	EXE,
	COMM,
	CWD,
	EXEC,
	ARGV,
	CUT,
	TARGET,
	HOST,
	IP,
	PORT,
	PROTOCOL,
	FAMILY,
	BYTES_IN,
	BYTES_OUT,
	METHOD,
	URL,
	HEADER,
	SECRET,
	STATUS,
	COUNT,
	MESSAGE,
};

#define SELECT_RECORDS                                                                             \
	"SELECT e.seq, e.time, e.latency_us, e.cause, e.hash, e.directory, e.name, d.path,"        \
	" a.kind, a.decision, a.backend, a.generation, a.mode, a.policies, a.access, a.flags,"     \
	" a.mode_bits, a.error, p.pid, p.ppid, p.uid, p.exe, p.comm, p.cwd, p.exec,"               \
	" x.argv, x.cut, x.target, x.host, x.ip, x.port, x.protocol, x.family, x.bytes_in,"        \
	" x.bytes_out, x.method, x.url, x.header, x.secret, x.status, x.count, x.message"          \
	" FROM event e LEFT JOIN action a ON a.id = e.action"                                      \
	" LEFT JOIN process p ON p.id = e.process LEFT JOIN directory d ON d.id = e.directory"     \
	" LEFT JOIN detail x ON x.seq = e.seq WHERE e.seq BETWEEN ?1 AND ?2 ORDER BY e.seq"
#define SELECT_NUMBERS                                                                             \
	"SELECT seq, action, process, directory FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY "  \
	"seq"

/* ---- Opening --------------------------------------------------------------- */

static int connect_source(struct event_reader *r)
{
	int code = reader_source_open(r);

	if (code == 0)
		(void)sql_exec(r->db, "PRAGMA query_only=ON;PRAGMA cell_size_check=ON");
	return code;
}

static void disconnect(struct event_reader *r)
{
	sqlite3_stmt **const statements[] = { &r->upward, &r->downward, &r->numbers_upward,
					      &r->numbers_downward, &r->hash };

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		(void)sqlite3_finalize(*statements[i]);
		*statements[i] = NULL;
	}
	(void)sqlite3_close(r->db);
	r->db = NULL;
	xfree(r->session);
	r->session = NULL;
	r->is_ready = false;
}

int event_reader_open(const char *directory, struct event_reader **ret, struct err *err)
{
	_cleanup_event_reader_ struct event_reader *r = xnew(struct event_reader);
	int code;

	r->file = path_join(directory, EVENT_DB_NAME);
	r->json.max = JSON_MAX_LEN;
	/* SQLite does not say which of many things was missing. */
	code = access(r->file, R_OK) < 0 ? -errno : connect_source(r);
	if (code < 0)
		return err_set(err, code, "open the session's events %s", r->file);
	*ret = TAKE_PTR(r);
	return 0;
}

void event_reader_free(struct event_reader *r)
{
	if (!r)
		return;
	disconnect(r);
	buf_done(&r->path);
	buf_done(&r->json);
	xfree(r->file);
	xfree(r);
}

int reader_fail(struct err *err, int code)
{
	if (code == -EBADMSG)
		return err_say(err, code, "the session's database is damaged or was changed");
	return err_set(err, code, "read the session's events");
}

static int read_session(struct event_reader *r)
{
	sqlite3_stmt *row = NULL;
	int code = sql_prepare(r->db, "SELECT id FROM session", &row);
	struct span id;

	if (code == 0 && sqlite3_step(row) == SQLITE_ROW) {
		id = sql_text(row, 0);
		r->session = xmemdup0(id.p, id.len);
	}
	(void)sqlite3_finalize(row);
	return code == 0 && !r->session ? -EBADMSG : code;
}

/* Returns 1, or 0 where the daemon has not made the form yet. */
static int check_form(struct event_reader *r, struct err *err)
{
	int64_t application, version, n_tables;
	int code = sql_number(r->db, "PRAGMA application_id", &application);

	if (code == 0)
		code = sql_number(r->db, "PRAGMA user_version", &version);
	if (code == 0)
		code = sql_number(r->db, "SELECT count(*) FROM sqlite_schema", &n_tables);
	if (code < 0)
		return reader_fail(err, code);
	if (n_tables == 0 && application == 0)
		return 0;
	if (application == EVENT_DB_APPLICATION && version == EVENT_DB_VERSION)
		return 1;
	return err_say(err, -EPROTONOSUPPORT,
		       "the session's database has a form that this leash does not know");
}

static int make_ready(struct event_reader *r, struct err *err)
{
	int code = check_form(r, err);

	if (code <= 0)
		return code;
	code = read_session(r);
	if (code == 0)
		code = sql_prepare(r->db, SELECT_RECORDS, &r->upward);
	if (code == 0)
		code = sql_prepare(r->db, SELECT_RECORDS " DESC", &r->downward);
	if (code == 0)
		code = sql_prepare(r->db, SELECT_NUMBERS, &r->numbers_upward);
	if (code == 0)
		code = sql_prepare(r->db, SELECT_NUMBERS " DESC", &r->numbers_downward);
	if (code == 0)
		code = sql_prepare(r->db, "SELECT hash FROM event WHERE seq = ?1", &r->hash);
	r->is_ready = code == 0;
	return code < 0 ? reader_fail(err, code) : 1;
}

static int refresh(struct event_reader *r)
{
	if (r->db && !reader_source_has_changed(r))
		return 0;
	disconnect(r);
	return connect_source(r);
}

int reader_begin(struct event_reader *r, struct err *err)
{
	int code = refresh(r);

	if (code == 0)
		code = sql_exec(r->db, "BEGIN");
	if (code < 0)
		return reader_fail(err, code);
	code = r->is_ready ? 1 : make_ready(r, err);
	if (code <= 0)
		reader_end(r);
	return code;
}

void reader_end(struct event_reader *r)
{
	(void)sql_exec(r->db, "COMMIT");
}

int reader_last_seq(struct event_reader *r, uint64_t *ret)
{
	int64_t n = 0;
	int code = sql_number(r->db, "SELECT max(seq) FROM event", &n);

	*ret = n > 0 ? (uint64_t)n : 0;
	return code == 0 && n < 0 ? -EBADMSG : code;
}

/* ---- A row ----------------------------------------------------------------- */

static bool is_there(sqlite3_stmt *row, int i)
{
	return sqlite3_column_type(row, i) != SQLITE_NULL;
}

static uint64_t number(sqlite3_stmt *row, int i)
{
	return (uint64_t)sqlite3_column_int64(row, i);
}

/* An enum's value, 0 where the number is none of its. */
static int one_of(sqlite3_stmt *row, int i, int n)
{
	int64_t value = sqlite3_column_int64(row, i);

	return value > 0 && value < n ? (int)value : 0;
}

static struct span restore_path(struct event_reader *r, sqlite3_stmt *row)
{
	if (!is_there(row, HAS_DIRECTORY))
		return sql_text(row, NAME);
	buf_reset(&r->path);
	(void)buf_append_span(&r->path, sql_text(row, DIRECTORY));
	(void)buf_append_char(&r->path, '/');
	(void)buf_append_span(&r->path, sql_text(row, NAME));
	return buf_span(&r->path);
}

static void restore_detail(sqlite3_stmt *row, struct event *e)
{
	int cut = sqlite3_column_int(row, CUT);

	e->argv = sql_text(row, ARGV);
	e->argv_cut = cut & EVENT_CUT_ARGV;
	e->is_cut = cut & EVENT_CUT_TEXT;
	e->is_redacted = cut & EVENT_CUT_SECRET;
	e->target = sql_text(row, TARGET);
	e->host = sql_text(row, HOST);
	e->ip = sql_text(row, IP);
	e->has_port = is_there(row, PORT);
	e->port = (uint16_t)number(row, PORT);
	e->protocol = sql_text(row, PROTOCOL);
	e->family = sql_text(row, FAMILY);
	e->bytes_in = number(row, BYTES_IN);
	e->bytes_out = number(row, BYTES_OUT);
	e->method = sql_text(row, METHOD);
	e->url = sql_text(row, URL);
	e->header = sql_text(row, HEADER);
	e->secret = sql_text(row, SECRET);
	e->has_status = is_there(row, STATUS);
	e->status = sqlite3_column_int(row, STATUS);
	e->count = number(row, COUNT);
	e->message = sql_text(row, MESSAGE);
}

static void restore_action(sqlite3_stmt *row, struct event *e)
{
	e->kind = (enum event_kind)one_of(row, KIND, EVENT_KIND_MAX);
	e->decision = (enum event_decision)one_of(row, DECISION, EVENT_DECISION_MAX);
	e->backend = (enum event_backend)one_of(row, BACKEND, EVENT_BACKEND_DAEMON + 1);
	e->generation = number(row, GENERATION);
	e->mode = sql_text(row, MODE);
	e->policies = sql_text(row, POLICIES);
	e->access = sql_text(row, ACCESS);
	e->has_flags = is_there(row, FLAGS);
	e->flags = (uint32_t)number(row, FLAGS);
	e->has_mode_bits = is_there(row, MODE_BITS);
	e->mode_bits = (uint32_t)number(row, MODE_BITS);
	e->error = sqlite3_column_int(row, ERROR);
}

void reader_restore(struct event_reader *r, sqlite3_stmt *row, struct event *ret)
{
	*ret = (struct event){ .time_ns = number(row, TIME),
			       .latency_us = (uint32_t)number(row, LATENCY),
			       .pid = sqlite3_column_int(row, PID),
			       .ppid = sqlite3_column_int(row, PPID),
			       .has_uid = is_there(row, UID),
			       .uid = (uint32_t)number(row, UID),
			       .exec = number(row, EXEC),
			       .exe = sql_text(row, EXE),
			       .comm = sql_text(row, COMM),
			       .cwd = sql_text(row, CWD),
			       .path = restore_path(r, row) };
	ret->cause = number(row, CAUSE);
	if (is_there(row, CAUSE) && ret->cause == EVENT_CAUSE_EXEC)
		ret->cause = ret->exec;
	restore_action(row, ret);
	if (is_there(row, CUT))
		restore_detail(row, ret);
}

bool reader_row_hash(sqlite3_stmt *row, unsigned char ret[SHA256_LEN])
{
	struct span hash = sql_text(row, HASH);

	if (hash.len != SHA256_LEN)
		return false;
	memcpy(ret, hash.p, SHA256_LEN);
	return true;
}

/* ---- Queries --------------------------------------------------------------- */

struct scan {
	struct event_reader *reader;
	const struct event_query *query;
	struct narrow narrow;
	event_record_fn fn;
	void *ctx;
	uint64_t first, last; /* seqs between which records are wanted */
	uint64_t n_given;
	bool is_stopped;
};

/* The hash of the record before, which this one's JSON ends in. */
static int find_prev(struct event_reader *r, uint64_t seq, char hex[SHA256_HEX_LEN + 1])
{
	struct span hash = { 0 };
	int code;

	if (seq <= 1) {
		memset(hex, '0', SHA256_HEX_LEN);
		hex[SHA256_HEX_LEN] = 0;
		return 0;
	}
	(void)sqlite3_bind_int64(r->hash, 1, (sqlite3_int64)seq - 1);
	code = sqlite3_step(r->hash);
	if (code == SQLITE_ROW)
		hash = sql_text(r->hash, 0);
	if (hash.len == SHA256_LEN)
		sha256_to_hex((const unsigned char *)hash.p, hex);
	code = hash.len == SHA256_LEN ? 0 : -EBADMSG;
	(void)sqlite3_reset(r->hash);
	return code;
}

static int give(struct scan *s, sqlite3_stmt *row)
{
	struct event_reader *r = s->reader;
	struct event_record record = { .seq = number(row, SEQ) };
	char prev[SHA256_HEX_LEN + 1];
	int code;

	reader_restore(r, row, &record.event);
	if (!event_filter_matches(&s->query->filter, record.seq, &record.event))
		return 0;
	if (s->query->want_json) {
		code = find_prev(r, record.seq, prev);
		buf_reset(&r->json);
		if (code == 0)
			code = event_to_json(&record.event, record.seq, r->session, prev, &r->json);
		if (code < 0)
			return code;
		record.json = buf_span(&r->json);
	}
	s->n_given++;
	s->is_stopped =
		s->fn(&record, s->ctx) != 0 || (s->query->limit && s->n_given >= s->query->limit);
	return 0;
}

static int scan_records(struct scan *s, uint64_t first, uint64_t last)
{
	sqlite3_stmt *row = s->query->is_newest_first ? s->reader->downward : s->reader->upward;
	int code = SQLITE_ROW;
	int r = 0;

	(void)sqlite3_bind_int64(row, 1, (sqlite3_int64)first);
	(void)sqlite3_bind_int64(row, 2, (sqlite3_int64)last);
	while (r == 0 && !s->is_stopped && (code = sqlite3_step(row)) == SQLITE_ROW)
		r = give(s, row);
	if (r == 0)
		r = sql_errno(s->reader->db, code);
	(void)sqlite3_reset(row);
	return r;
}

/* Reads whole records only where a row's numbers do not rule them out. */
static int scan_numbers(struct scan *s, uint64_t first, uint64_t last)
{
	sqlite3_stmt *row =
		s->query->is_newest_first ? s->reader->numbers_downward : s->reader->numbers_upward;
	int code = SQLITE_ROW;
	int r = 0;

	(void)sqlite3_bind_int64(row, 1, (sqlite3_int64)first);
	(void)sqlite3_bind_int64(row, 2, (sqlite3_int64)last);
	while (r == 0 && !s->is_stopped && (code = sqlite3_step(row)) == SQLITE_ROW) {
		uint64_t seq = number(row, 0);

		if (narrow_may_match(&s->narrow, seq, sqlite3_column_int64(row, 1),
				     sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3)))
			r = scan_records(s, seq, seq);
	}
	if (r == 0)
		r = sql_errno(s->reader->db, code);
	(void)sqlite3_reset(row);
	return r;
}

static int scan_blocks(struct scan *s)
{
	bool is_down = s->query->is_newest_first;
	bool has_numbers = narrow_has_numbers(&s->narrow);
	uint64_t block = (is_down ? s->last : s->first) >> EVENT_BLOCK_BITS;
	int r = 0;

	while (r == 0 && !s->is_stopped && narrow_next_block(&s->narrow, &block, is_down)) {
		uint64_t first = MAX(s->first, block << EVENT_BLOCK_BITS);
		uint64_t last = MIN(s->last, (block << EVENT_BLOCK_BITS) + EVENT_BLOCK - 1);

		if (first > last)
			break;
		r = has_numbers ? scan_numbers(s, first, last) : scan_records(s, first, last);
		block += is_down ? -(uint64_t)1 : 1;
	}
	return r;
}

static int scan(struct scan *s)
{
	const struct event_filter *f = &s->query->filter;
	uint64_t last_seq;
	int r = reader_last_seq(s->reader, &last_seq);

	if (r < 0)
		return r;
	s->last = f->until_seq ? MIN(f->until_seq, last_seq) : last_seq;
	if (f->since_seq >= s->last)
		return 0;
	s->first = f->since_seq + 1;
	/* To look at so few takes less than to find out which. */
	if (s->last - s->first < EVENT_BLOCK)
		return scan_records(s, s->first, s->last);
	r = narrow_init(&s->narrow, s->reader->db, f, last_seq);
	if (r == 0)
		r = scan_blocks(s);
	narrow_done(&s->narrow);
	return r;
}

int64_t event_reader_query(struct event_reader *r, const struct event_query *q, event_record_fn fn,
			   void *ctx, struct err *err)
{
	struct scan s = { .reader = r, .query = q, .fn = fn, .ctx = ctx };
	int code = reader_begin(r, err);

	if (code <= 0)
		return code;
	code = scan(&s);
	reader_end(r);
	return code < 0 ? reader_fail(err, code) : (int64_t)s.n_given;
}

int event_reader_last_seq(struct event_reader *r, uint64_t *ret, struct err *err)
{
	int code = reader_begin(r, err);

	*ret = 0;
	if (code <= 0)
		return code;
	code = reader_last_seq(r, ret);
	reader_end(r);
	return code < 0 ? reader_fail(err, code) : 0;
}
