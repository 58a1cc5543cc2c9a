/*
 * The store: what is appended comes back byte for byte, by every filter, after
 * every kind of end; and whatever is changed in the database is found.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/vec.h"
#include "event/store.h"

struct fixture {
	char directory[64];
	char *db;
};

static int set_up(void **state)
{
	struct fixture *f = xnew(struct fixture);

	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/leash-test-store.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	f->db = xasprintf("%s/events.db", f->directory);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "events.db", "events.db-wal", "events.db-shm",
					     "events.db-journal", "lock" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->directory, names[i]);

		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->directory), 0);
	xfree(f->db);
	xfree(f);
	return 0;
}

static struct event_store *create(const struct fixture *f)
{
	struct event_store *s;
	struct err err = { 0 };

	if (event_store_create(f->directory, "20260102-030405-test", &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static void append(struct event_store *s, enum event_kind kind, struct span path)
{
	struct event e = { .kind = kind, .path = path };

	assert_true(event_store_append(s, &e) > 0);
}

static void finish(struct event_store *s)
{
	assert_int_equal(event_store_finish(s), 0);
	event_store_free(s);
}

/* Five records, of a session that has ended; by_wal: written while it ran. */
static void make_five(const struct fixture *f, bool by_wal)
{
	struct event_store *s = create(f);

	append(s, EVENT_SESSION_START, SPAN(""));
	append(s, EVENT_FILE_OPEN, SPAN("/dir/a"));
	if (by_wal)
		assert_int_equal(event_store_flush(s), 0);
	append(s, EVENT_FILE_OPEN, SPAN("/dir/b\n{\"seq\":9}"));
	append(s, EVENT_FILE_OPEN, SPAN("/\",\"kind\":\"session.stop\""));
	if (by_wal)
		assert_int_equal(event_store_flush(s), 0);
	append(s, EVENT_SESSION_STOP, SPAN(""));
	finish(s);
}

static struct event_reader *open_reader(const struct fixture *f)
{
	struct event_reader *r;
	struct err err = { 0 };

	if (event_reader_open(f->directory, &r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

static int verify(const struct fixture *f, struct event_store_report *report, struct err *err)
{
	struct event_reader *r = open_reader(f);
	int code = event_reader_verify(r, report, err);

	event_reader_free(r);
	return code;
}

/* ---- Coming back ----------------------------------------------------------- */

typedef VEC(char *) lines;

static int keep_line(const struct event_record *r, void *ctx)
{
	lines *to = ctx;

	vec_push(to, xmemdup0(r->json.p, r->json.len));
	return 0;
}

static void lines_done(lines *l)
{
	for (size_t i = 0; i < l->len; i++)
		xfree(l->items[i]);
	vec_done(l);
}

static void read_lines(const struct fixture *f, const struct event_query *q, lines *ret)
{
	struct event_reader *r = open_reader(f);
	struct err err = { 0 };
	int64_t n = event_reader_query(r, q, keep_line, ret, &err);

	event_reader_free(r);
	if (n < 0)
		fail_msg("%s", err.text);
	assert_int_equal(n, ret->len);
}

static uint32_t random_state = 12345;

static uint32_t draw(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % n;
}

/* Texts as agents choose them, most of them from a small set. */
static struct span draw_text(void)
{
	static const char *const texts[] = { "/usr/bin/node",
					     "/home/dev/project/a.txt",
					     "/home/dev/project/src/b.c",
					     "/home/dev/projects",
					     "/home/dev",
					     "/",
					     "//",
					     "relative",
					     "/trailing/",
					     "example.com",
					     "a.EXAMPLE.com",
					     "\xff\xfe/\x80",
					     "\"quoted\\\n\t\x01\x7f",
					     "\u202e\u200b\u2028/\U000e0041",
					     "x" };

	switch (draw(3)) {
	case 0:
		return SPAN("");
	case 1:
		return span_make("a\0b\0\0c", draw(7));
	default:
		return span_of(texts[draw(ARRAY_SIZE(texts))]);
	}
}

static uint64_t draw_number(void)
{
	static const uint64_t numbers[] = { 0, 1, 255, 65535, UINT32_MAX, INT64_MAX, UINT64_MAX };

	return draw(2) ? draw(5) : numbers[draw(ARRAY_SIZE(numbers))];
}

static struct event draw_event(void)
{
	struct event e = {
		.kind = (enum event_kind)(1 + draw(EVENT_KIND_MAX - 1)),
		.decision = (enum event_decision)draw(EVENT_DECISION_MAX),
		.backend = (enum event_backend)draw(EVENT_BACKEND_DAEMON + 1),
		.time_ns = UINT64_C(1767323045000000000) + draw(1000000),
		.pid = (int32_t)draw(5),
		.ppid = (int32_t)draw_number(),
		.uid = (uint32_t)draw_number(),
		.has_uid = draw(2),
		.argv_cut = draw(8) == 0,
		.is_cut = draw(8) == 0,
		.is_redacted = draw(8) == 0,
		.flags = (uint32_t)draw_number(),
		.mode_bits = (uint32_t)draw_number(),
		.has_flags = draw(2),
		.has_mode_bits = draw(4) == 0,
		.port = (uint16_t)draw_number(),
		.has_port = draw(4) == 0,
		.error = (int32_t)(draw(4) ? 0 : draw_number()),
		.latency_us = (uint32_t)draw_number(),
		.generation = draw_number(),
		.bytes_in = draw(4) ? 0 : draw_number(),
		.bytes_out = draw(4) ? 0 : draw_number(),
		.count = draw(4) ? 0 : draw_number(),
		.status = (int32_t)draw_number(),
		.has_status = draw(4) == 0,
		.exec = draw(3),
		.cause = draw(4),
	};
	struct span *const texts[] = { &e.mode,	  &e.policies, &e.exe,	  &e.comm,   &e.cwd,
				       &e.argv,	  &e.path,     &e.target, &e.access, &e.host,
				       &e.ip,	  &e.protocol, &e.family, &e.method, &e.url,
				       &e.header, &e.secret,   &e.message };

	/* Half of them are opens with nothing but a path, as most events are. */
	if (draw(2)) {
		e = (struct event){ .kind = EVENT_FILE_OPEN,
				    .decision = EVENT_ALLOW,
				    .time_ns = e.time_ns,
				    .pid = e.pid,
				    .path = draw_text(),
				    .exe = draw_text() };
		return e;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (draw(3) == 0)
			*texts[i] = draw_text();
	return e;
}

/* The records of one store: the events drawn, and the lines that were hashed. */
struct drawn {
	VEC(struct event) events;
	lines lines;
};

static void draw_store(const struct fixture *f, struct drawn *d, size_t n)
{
	struct event_store *s = create(f);

	for (size_t i = 0; i < n; i++) {
		struct event e = draw_event();
		struct span json;

		assert_int_equal(event_store_append(s, &e), i + 1);
		json = event_store_last_json(s);
		vec_push(&d->events, e);
		vec_push(&d->lines, xmemdup0(json.p, json.len));
		if (draw(100) == 0)
			assert_int_equal(event_store_flush(s), 0);
	}
	finish(s);
}

static void drawn_done(struct drawn *d)
{
	vec_done(&d->events);
	lines_done(&d->lines);
}

static void records_come_back_byte_for_byte(void **state)
{
	const struct event_query all = { .want_json = true };
	struct fixture *f = *state;
	struct drawn d = { 0 };
	lines back = { 0 };
	struct event_store_report report;
	char hex[SHA256_HEX_LEN + 1], prev[SHA256_HEX_LEN + 1];
	struct err err = { 0 };

	draw_store(f, &d, 3000);
	read_lines(f, &all, &back);
	assert_int_equal(back.len, d.lines.len);
	memset(prev, '0', SHA256_HEX_LEN);
	prev[SHA256_HEX_LEN] = 0;
	for (size_t i = 0; i < back.len; i++) {
		_cleanup_buf_ struct buf plain = BUF_INIT(0);

		assert_string_equal(back.items[i], d.lines.items[i]);
		/* What is put together from parts is what is made at once. */
		assert_int_equal(event_to_json(&d.events.items[i], i + 1, "20260102-030405-test",
					       prev, &plain),
				 0);
		assert_string_equal(back.items[i], plain.data);
		sha256_hex(span_of(back.items[i]), prev);
	}
	if (verify(f, &report, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(report.n_records, 3000);
	sha256_hex(span_of(back.items[2999]), hex);
	assert_string_equal(report.head_hex, hex);
	lines_done(&back);
	drawn_done(&d);
}

/* ---- Filters --------------------------------------------------------------- */

static struct event_filter draw_filter(void)
{
	static const char *const paths[] = {
		"/",	    "/home/dev/project", "/home/dev/project/a.txt", "/home/dev/projects",
		"/nowhere", "/trailing"
	};
	static const char *const hosts[] = { "example.com", "*.example.com", "A.example.COM",
					     "*.x" };
	static const char *const exes[] = { "node", "/usr/bin/node", "a.txt", "bin" };
	static const char *const texts[] = { "DEV", "quoted", "example", "nowhere", "x" };
	struct event_filter f = { 0 };

	if (draw(3) == 0)
		f.kinds = EVENT_BIT(1 + draw(EVENT_KIND_MAX - 1)) |
			  EVENT_BIT(1 + draw(EVENT_KIND_MAX - 1));
	if (draw(3) == 0)
		f.decisions = EVENT_BIT(1 + draw(EVENT_DECISION_MAX - 1));
	if (draw(3) == 0)
		f.path = paths[draw(ARRAY_SIZE(paths))];
	if (draw(5) == 0)
		f.host = hosts[draw(ARRAY_SIZE(hosts))];
	if (draw(5) == 0)
		f.exe = exes[draw(ARRAY_SIZE(exes))];
	if (draw(5) == 0)
		f.text = texts[draw(ARRAY_SIZE(texts))];
	if (draw(4) == 0)
		f.pid = (int32_t)(1 + draw(5));
	if (draw(4) == 0)
		f.since_seq = draw(5000);
	if (draw(4) == 0)
		f.until_seq = 1 + draw(5000);
	if (draw(4) == 0)
		f.since_ns = UINT64_C(1767323045000000000) + draw(1000000);
	if (draw(4) == 0)
		f.until_ns = UINT64_C(1767323045000000000) + draw(1000000);
	return f;
}

struct expected {
	const struct drawn *drawn;
	const struct event_query *query;
	uint64_t seq; /* the one given last; begins before the first or after the last */
	uint64_t n;
};

/* The next seq that looking at every event one by one would give, or 0. */
static uint64_t next_expected(const struct expected *x)
{
	const struct event_filter *f = &x->query->filter;
	uint64_t seq = x->seq;

	if (x->query->limit && x->n >= x->query->limit)
		return 0;
	for (;;) {
		seq += x->query->is_newest_first ? -(uint64_t)1 : 1;
		if (seq == 0 || seq > x->drawn->events.len)
			return 0;
		if (event_filter_matches(f, seq, &x->drawn->events.items[seq - 1]))
			return seq;
	}
}

static int expect(const struct event_record *r, void *ctx)
{
	struct expected *x = ctx;
	uint64_t seq = next_expected(x);

	assert_int_equal(r->seq, seq);
	if (x->query->want_json)
		assert_string_equal(r->json.p, x->drawn->lines.items[seq - 1]);
	else
		assert_int_equal(r->json.len, 0);
	assert_true(r->event.kind == x->drawn->events.items[seq - 1].kind);
	x->seq = seq;
	x->n++;
	return 0;
}

static void what_indexes_find_is_what_looking_at_each_finds(void **state)
{
	struct fixture *f = *state;
	struct drawn d = { 0 };
	struct event_reader *reader;
	uint64_t n_found = 0;

	draw_store(f, &d, 5000);
	reader = open_reader(f);
	for (int i = 0; i < 400; i++) {
		struct event_query q = { .filter = draw_filter(),
					 .is_newest_first = draw(2),
					 .want_json = draw(2),
					 .limit = draw(2) ? draw(300) : 0 };
		struct expected x = { &d, &q, q.is_newest_first ? d.events.len + 1 : 0, 0 };
		int64_t n = event_reader_query(reader, &q, expect, &x, NULL);

		assert_int_equal(n, x.n);
		assert_int_equal(next_expected(&x), 0);
		n_found += x.n;
	}
	assert_true(n_found > 10000);
	event_reader_free(reader);
	drawn_done(&d);
}

static void counts_are_right(void **state)
{
	struct fixture *f = *state;
	struct drawn d = { 0 };
	struct event_counts counts, expected = { 0 };
	struct event_reader *reader;
	uint64_t n;

	draw_store(f, &d, 4000);
	reader = open_reader(f);
	for (size_t i = 0; i < d.events.len; i++)
		expected.n[d.events.items[i].kind][d.events.items[i].decision]++;
	assert_int_equal(event_reader_counts(reader, &counts, NULL), 0);
	assert_memory_equal(counts.n, expected.n, sizeof(counts.n));
	for (int decision = 1; decision < EVENT_DECISION_MAX; decision++) {
		uint64_t sum = 0;

		for (int kind = 0; kind < EVENT_KIND_MAX; kind++)
			sum += expected.n[kind][decision];
		assert_int_equal(event_reader_count_decision(reader, (enum event_decision)decision,
							     &n, NULL),
				 0);
		assert_int_equal(n, sum);
	}
	event_reader_free(reader);
	drawn_done(&d);
}

static int check_process(const struct event_process *p, void *ctx)
{
	int *n = ctx;

	if (++*n == 1) {
		assert_int_equal(p->pid, 7);
		assert_int_equal(p->ppid, 1);
		assert_string_equal(p->comm.p, "new");
		assert_int_equal(p->first_seq, 1);
		assert_int_equal(p->last_seq, 3);
		assert_int_equal(p->n_events, 2);
		assert_int_equal(p->n_denied, 1);
	} else {
		assert_int_equal(p->pid, 3);
		assert_int_equal(p->n_events, 1);
		assert_int_equal(p->n_would_deny, 1);
	}
	return 0;
}

static void processes_are_told_as_they_stand(void **state)
{
	const struct event events[] = {
		{ .kind = EVENT_PROC_EXEC, .pid = 7, .ppid = 1, .comm = SPAN("old") },
		{ .kind = EVENT_FILE_OPEN, .pid = 3, .decision = EVENT_WOULD_DENY },
		{ .kind = EVENT_FILE_OPEN,
		  .pid = 7,
		  .ppid = 1,
		  .comm = SPAN("new"),
		  .decision = EVENT_DENY },
		{ .kind = EVENT_SESSION_STOP },
	};
	struct fixture *f = *state;
	struct event_store *s = create(f);
	struct event_reader *reader;
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		assert_true(event_store_append(s, &events[i]) > 0);
	finish(s);
	reader = open_reader(f);
	assert_int_equal(event_reader_processes(reader, check_process, &n, NULL), 0);
	assert_int_equal(n, 2);
	event_reader_free(reader);
}

/* ---- The life of a store --------------------------------------------------- */

static void the_files_are_for_their_owner_alone(void **state)
{
	struct fixture *f = *state;
	struct event_store *s = create(f);
	struct event_store *second;
	_cleanup_free_ char *wal = xasprintf("%s-wal", f->db);
	struct stat st;

	append(s, EVENT_FILE_OPEN, SPAN("/a"));
	assert_int_equal(event_store_flush(s), 0);
	append(s, EVENT_FILE_OPEN, SPAN("/a"));
	assert_int_equal(event_store_flush(s), 0);
	assert_int_equal(stat(f->db, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(event_store_create(f->directory, "s2", &second, NULL), -EEXIST);
	finish(s);
	/* What is closed is one file. */
	assert_int_equal(stat(wal, &st), -1);
	assert_int_equal(stat(f->db, &st), 0);
}

static void a_store_is_open_until_it_is_freed(void **state)
{
	struct fixture *f = *state;
	struct event_store *s;

	assert_false(event_store_is_open(f->directory));
	s = create(f);
	assert_true(event_store_is_open(f->directory));
	assert_int_equal(event_store_finish(s), 0);
	assert_true(event_store_is_open(f->directory));
	event_store_free(s);
	assert_false(event_store_is_open(f->directory));
}

static void a_reader_sees_what_was_flushed(void **state)
{
	struct fixture *f = *state;
	struct event_store *s = create(f);
	struct event_reader *reader = open_reader(f);
	struct event_store_report report;
	uint64_t last;

	/* Before there is a database. */
	assert_int_equal(event_reader_last_seq(reader, &last, NULL), 0);
	assert_int_equal(last, 0);
	append(s, EVENT_FILE_OPEN, SPAN("/a"));
	assert_int_not_equal(event_store_waiting_since(s), 0);
	assert_int_equal(event_store_begin(s), 0);
	assert_int_equal(event_reader_last_seq(reader, &last, NULL), 0);
	assert_int_equal(last, 0);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		assert_int_equal(event_store_flush(s), 0);
		assert_int_equal(event_store_waiting_since(s), 0);
		assert_int_equal(event_reader_last_seq(reader, &last, NULL), 0);
		assert_int_equal(last, seq);
		assert_int_equal(event_reader_verify(reader, &report, NULL), 0);
		assert_int_equal(report.n_records, seq);
		append(s, EVENT_FILE_OPEN, SPAN("/a"));
	}
	event_reader_free(reader);
	finish(s);
}

static void a_store_takes_nothing_after_its_end(void **state)
{
	struct fixture *f = *state;
	struct event_store *s = create(f);
	struct event e = { .kind = EVENT_FILE_OPEN };
	char hex[SHA256_HEX_LEN + 1];

	append(s, EVENT_SESSION_STOP, SPAN(""));
	assert_int_equal(event_store_finish(s), 0);
	assert_int_equal(event_store_append(s, &e), 0);
	assert_int_equal(event_store_flush(s), 0);
	assert_int_equal(event_store_head(s, hex), 1);
	event_store_free(s);
}

/* Others have locks on the database: records wait, nothing fails, nobody is waited for. */
static void a_locked_database_is_waited_for_in_memory(void **state)
{
	struct fixture *f = *state;
	struct event_store *s = create(f);
	struct event_reader *reader = open_reader(f);
	struct event_store_report report;
	struct err err = { 0 };
	uint64_t last, before;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(f->db, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	append(s, EVENT_FILE_OPEN, SPAN("/a"));
	assert_int_equal(event_store_begin(s), 0);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM sqlite_schema", NULL, NULL, NULL),
			 SQLITE_OK);
	before = clock_monotonic_ns();
	assert_int_equal(event_store_flush(s), 0);
	append(s, EVENT_FILE_OPEN, SPAN("/b"));
	assert_int_equal(event_store_flush(s), 0);
	assert_true(clock_monotonic_ns() - before < NS_PER_SEC);
	assert_int_not_equal(event_store_waiting_since(s), 0);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(event_store_flush(s), 0);
	assert_int_equal(event_store_waiting_since(s), 0);
	assert_int_equal(event_reader_last_seq(reader, &last, NULL), 0);
	assert_int_equal(last, 2);

	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	before = clock_monotonic_ns();
	append(s, EVENT_FILE_OPEN, SPAN("/c"));
	assert_int_equal(event_store_flush(s), 0);
	append(s, EVENT_FILE_OPEN, SPAN("/d"));
	assert_true(clock_monotonic_ns() - before < NS_PER_SEC);
	assert_int_not_equal(event_store_waiting_since(s), 0);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	append(s, EVENT_FILE_OPEN, SPAN("/e"));
	assert_int_equal(event_store_flush(s), 0);
	assert_int_equal(event_store_waiting_since(s), 0);
	if (event_reader_verify(reader, &report, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(report.n_records, 5);
	event_reader_free(reader);
	finish(s);
}

/* Whoever is killed loses what it had not flushed, and nothing else. */
static void a_killed_writer_leaves_a_database_that_opens(void **state)
{
	struct fixture *f = *state;
	struct event_store_report report;
	int status;

	for (int flushes = 0; flushes < 4; flushes++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct event_store *s = create(f);

			for (int i = 0; i < flushes; i++) {
				append(s, EVENT_FILE_OPEN, SPAN("/a"));
				append(s, EVENT_FILE_OPEN, SPAN("/b"));
				assert_int_equal(event_store_flush(s), 0);
			}
			append(s, EVENT_FILE_OPEN, SPAN("/lost"));
			assert_int_equal(event_store_begin(s), 0);
			(void)raise(SIGKILL);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_false(event_store_is_open(f->directory));
		assert_int_equal(verify(f, &report, NULL), 0);
		assert_int_equal(report.n_records, 2 * flushes);
		assert_false(report.is_stopped);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
		f = *state;
	}
}

/* The disk is full in the middle of a batch: what is in the file stays a good log. */
static void a_failed_write_leaves_whole_records(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit = { .rlim_cur = 100000, .rlim_max = RLIM_INFINITY };
	struct event_store *s = create(f);
	struct event_store_report report;
	char hex[SHA256_HEX_LEN + 1];
	int code = 0;

	append(s, EVENT_FILE_OPEN, SPAN("/a"));
	assert_int_equal(event_store_flush(s), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int batch = 0; batch < 1000 && code == 0; batch++) {
		for (int i = 0; i < 10; i++)
			append(s, EVENT_FILE_OPEN, SPAN("/dir/b"));
		code = event_store_flush(s);
	}
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(code == -EFBIG || code == -EIO);
	assert_int_equal(event_store_error(s), code);
	assert_int_equal(event_store_append(s, &(struct event){ .kind = EVENT_FILE_OPEN }), 0);
	assert_int_equal(event_store_finish(s), code);
	assert_int_equal(verify(f, &report, NULL), 0);
	assert_true(report.n_records > 1);
	/* The head that goes into session.json is that of what was written. */
	assert_int_equal(event_store_head(s, hex), report.n_records);
	assert_string_equal(hex, report.head_hex);
	event_store_free(s);
}

static void an_event_too_large_leaves_a_record_of_its_loss(void **state)
{
	struct fixture *f = *state;
	struct event_store *s = create(f);
	_cleanup_free_ char *large = xcalloc(1, 3 << 20);
	const struct event_query all = { .want_json = true };
	lines back = { 0 };

	append(s, EVENT_FILE_OPEN, span_make(large, 3 << 20));
	assert_int_equal(event_store_flush(s), 0);
	append(s, EVENT_FILE_OPEN, span_make(large, 3 << 20));
	finish(s);
	read_lines(f, &all, &back);
	assert_int_equal(back.len, 2);
	for (size_t i = 0; i < 2; i++)
		assert_non_null(strstr(back.items[i], "\"kind\":\"lost\",\"count\":1"));
	lines_done(&back);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void append_and_flush(struct event_store *s, const struct event *e, int n)
{
	for (int i = 0; i < n; i++)
		assert_true(event_store_append(s, e) > 0);
	assert_int_equal(event_store_flush(s), 0);
}

/*
 * The write-ahead log is moved into the database and begins again, also where
 * no moment passes without an event: eight times twenty megabytes.
 */
static void the_write_ahead_log_does_not_grow_without_end(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *wal = xasprintf("%s-wal", f->db);
	_cleanup_free_ char *argv = xcalloc(1, 10000);
	struct event_store *s = create(f);
	struct event_store_report report;
	struct event e = { .kind = EVENT_FILE_OPEN };

	memset(argv, 'a', 10000);
	e.argv = span_make(argv, 10000);
	append_and_flush(s, &e, 1);
	for (int round = 1; round <= 8; round++) {
		for (int i = 0; i < 20; i++)
			append_and_flush(s, &e, 100);
		/* Less than one checkpoint's worth may still be in the log. */
		for (int i = 0; i < 4000 && size_of(f->db) < (round - 1) * 20000000; i++) {
			append_and_flush(s, &(struct event){ .kind = EVENT_FILE_OPEN }, 1);
			(void)poll(NULL, 0, 5);
		}
		assert_true(size_of(f->db) >= (round - 1) * 20000000);
	}
	assert_true(size_of(wal) < 80000000);
	finish(s);
	assert_int_equal(size_of(wal), -1);
	assert_int_equal(verify(f, &report, NULL), 0);
}

/* ---- Whatever is changed is found ------------------------------------------ */

static void change(const struct fixture *f, const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(f->db, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void assert_bad(const struct fixture *f, uint64_t bad_seq, const char *why)
{
	struct event_store_report report;
	struct err err = { 0 };

	assert_int_equal(verify(f, &report, &err), -EBADMSG);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err.text);
	assert_int_equal(report.bad_seq, bad_seq);
	if (bad_seq)
		assert_int_equal(report.n_records, bad_seq - 1);
}

static void a_whole_store_is_good(void **state)
{
	struct fixture *f = *state;
	struct event_store_report report;
	struct err err = { 0 };

	make_five(f, /* by_wal = */ false);
	if (verify(f, &report, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(report.n_records, 5);
	assert_int_equal(report.bad_seq, 0);
	assert_true(report.is_stopped);
}

static void changes_are_found(void **state)
{
	static const struct {
		const char *sql;
		uint64_t bad_seq;
		const char *why;
	} cases[] = {
		/* Edited, wherever a part of a record stands. */
		{ "UPDATE event SET time = time + 1 WHERE seq = 3", 3, "was changed" },
		{ "UPDATE event SET name = 'x' WHERE seq = 2", 2, "was changed" },
		{ "UPDATE event SET latency_us = 7 WHERE seq = 4", 4, "was changed" },
		{ "UPDATE event SET cause = 1 WHERE seq = 4", 4, "was changed" },
		{ "UPDATE event SET action = 1 WHERE seq = 2", 2, "was changed" },
		{ "UPDATE event SET action = 99 WHERE seq = 5", 5, "was changed" },
		{ "UPDATE event SET process = 99 WHERE seq = 1", 0, NULL }, /* an empty one */
		{ "UPDATE process SET pid = 4", 1, "was changed" },
		{ "UPDATE directory SET path = '/etc' WHERE id = 1", 2, "was changed" },
		{ "UPDATE action SET decision = 1 WHERE kind = 1", 2, "was changed" },
		{ "UPDATE session SET id = 'other'", 1, "was changed" },
		{ "UPDATE event SET hash = zeroblob(32) WHERE seq = 3", 3, "was changed" },
		{ "UPDATE event SET hash = x'00' WHERE seq = 3", 3, "not a record" },
		{ "INSERT INTO detail VALUES(2,NULL,0,NULL,'h',NULL,NULL,NULL,NULL,0,0,NULL,NULL,"
		  "NULL,NULL,NULL,0,NULL)",
		  2, "was changed" },
		/* Dropped. */
		{ "DELETE FROM event WHERE seq = 3", 3, "missing" },
		{ "DELETE FROM event WHERE seq = 1", 1, "missing" },
		{ "DELETE FROM event WHERE seq = 3;"
		  "UPDATE event SET seq = seq - 1 WHERE seq > 3",
		  3, "was changed" },
		/* In another order. */
		{ "UPDATE event SET seq = 9 WHERE seq = 2; UPDATE event SET seq = 2 WHERE seq = 3;"
		  "UPDATE event SET seq = 3 WHERE seq = 9",
		  2, "was changed" },
		/* Added. */
		{ "INSERT INTO event SELECT 6, time, action, process, directory, name, latency_us,"
		  " cause, mark, hash FROM event WHERE seq = 5",
		  6, "was changed" },
		{ "INSERT INTO event SELECT 0, time, action, process, directory, name, latency_us,"
		  " cause, mark, hash FROM event WHERE seq = 1",
		  1, "added" },
		{ "INSERT INTO event SELECT -5, time, action, process, directory, name, latency_us,"
		  " cause, mark, hash FROM event WHERE seq = 1",
		  1, "added" },
		{ "INSERT INTO event SELECT 9, time, action, process, directory, name, latency_us,"
		  " cause, mark, hash FROM event WHERE seq = 5",
		  6, "added" },
		{ "INSERT INTO detail VALUES(77,NULL,0,NULL,'h',NULL,NULL,NULL,NULL,0,0,NULL,NULL,"
		  "NULL,NULL,NULL,0,NULL)",
		  0, "added" },
		/* Nothing at all. */
		{ "UPDATE event SET seq = seq", 0, NULL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct event_store_report report;

		make_five(f, i % 2);
		change(f, cases[i].sql);
		if (cases[i].why)
			assert_bad(f, cases[i].bad_seq, cases[i].why);
		else
			assert_int_equal(verify(f, &report, NULL), 0);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
		f = *state;
	}
}

static void missing_last_records_show_in_the_report(void **state)
{
	struct fixture *f = *state;
	struct event_store_report report;

	make_five(f, /* by_wal = */ true);
	change(f, "DELETE FROM event WHERE seq = 5");
	assert_int_equal(verify(f, &report, NULL), 0);
	assert_int_equal(report.n_records, 4);
	assert_false(report.is_stopped); /* though an agent put "session.stop" into a name */
}

/* Who changes a record so that it fits must change all that follow. */
static void a_record_with_a_fitting_hash_breaks_the_next(void **state)
{
	struct fixture *f = *state;
	const struct event_query third = { .filter = { .since_seq = 2, .until_seq = 3 },
					   .want_json = true };
	char hex[SHA256_HEX_LEN + 1];
	_cleanup_free_ char *sql = NULL;
	lines back = { 0 };

	make_five(f, /* by_wal = */ false);
	change(f, "UPDATE event SET latency_us = 5 WHERE seq = 3");
	read_lines(f, &third, &back);
	sha256_hex(span_of(back.items[0]), hex);
	sql = xasprintf("UPDATE event SET hash = x'%s' WHERE seq = 3", hex);
	change(f, sql);
	assert_bad(f, 4, "or the record before");
	lines_done(&back);
}

static void damaged_files_are_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf good = BUF_INIT(0);
	struct event_store_report report;

	make_five(f, /* by_wal = */ false);
	assert_int_equal(file_read_at(AT_FDCWD, f->db, &good), 0);
	for (size_t at = 0; at < good.len; at += 97) {
		struct event_query all = { .want_json = true };
		struct event_reader *reader;
		lines back = { 0 };

		good.data[at] = (char)(good.data[at] ^ 0x55);
		assert_int_equal(file_replace(f->db, buf_span(&good), 0600, false, NULL), 0);
		good.data[at] = (char)(good.data[at] ^ 0x55);
		/* Whatever it says, it must say something and end. */
		if (event_reader_open(f->directory, &reader, NULL) < 0)
			continue;
		(void)!event_reader_verify(reader, &report, NULL);
		(void)!event_reader_query(reader, &all, keep_line, &back, NULL);
		event_reader_free(reader);
		lines_done(&back);
	}
	assert_int_equal(file_replace(f->db, SPAN("hello"), 0600, false, NULL), 0);
	assert_int_equal(verify(f, &report, NULL), -EBADMSG);
}

static void another_form_is_refused(void **state)
{
	struct fixture *f = *state;
	struct event_store_report report;
	struct err err = { 0 };

	make_five(f, /* by_wal = */ false);
	change(f, "PRAGMA user_version = 2");
	assert_int_equal(verify(f, &report, &err), -EPROTONOSUPPORT);
	assert_non_null(strstr(err.text, "does not know"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_come_back_byte_for_byte),
		TEST(what_indexes_find_is_what_looking_at_each_finds),
		TEST(counts_are_right),
		TEST(processes_are_told_as_they_stand),
		TEST(the_files_are_for_their_owner_alone),
		TEST(a_store_is_open_until_it_is_freed),
		TEST(a_reader_sees_what_was_flushed),
		TEST(a_store_takes_nothing_after_its_end),
		TEST(a_locked_database_is_waited_for_in_memory),
		TEST(a_killed_writer_leaves_a_database_that_opens),
		TEST(a_failed_write_leaves_whole_records),
		TEST(an_event_too_large_leaves_a_record_of_its_loss),
		TEST(the_write_ahead_log_does_not_grow_without_end),
		TEST(a_whole_store_is_good),
		TEST(changes_are_found),
		TEST(missing_last_records_show_in_the_report),
		TEST(a_record_with_a_fitting_hash_breaks_the_next),
		TEST(damaged_files_are_refused),
		TEST(another_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
