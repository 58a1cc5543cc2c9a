#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "event/log.h"

/* A log of five records on disk, and its lines. */
struct fixture {
	char dir[64];
	char *path;
	struct buf text;
	struct span lines[5]; /* without the newline */
};

static void append(struct event_log *l, enum event_kind kind, struct span path, uint64_t seq)
{
	struct event e = { .kind = kind, .path = path };

	assert_int_equal(event_log_append(l, &e), seq);
}

static int set_up(void **state)
{
	struct fixture *f = xnew(struct fixture);
	struct event_log *l;
	const char *at;

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/leash-test-log.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = xasprintf("%s/events.jsonl", f->dir);
	assert_int_equal(event_log_create(f->path, "s1", &l, NULL), 0);
	append(l, EVENT_SESSION_START, SPAN(""), 1);
	append(l, EVENT_FILE_OPEN, SPAN("/a"), 2);
	append(l, EVENT_FILE_OPEN, SPAN("/b\n{\"seq\":9}"), 3);
	append(l, EVENT_FILE_OPEN, SPAN("/\",\"kind\":\"session.stop\""), 4);
	append(l, EVENT_SESSION_STOP, SPAN(""), 5);
	assert_int_equal(event_log_flush(l, /* sync = */ true), 0);
	event_log_free(l);
	assert_int_equal(file_read_at(AT_FDCWD, f->path, &f->text), 0);
	at = f->text.data;
	for (size_t i = 0; i < 5; i++) {
		const char *end = strchr(at, '\n');

		assert_non_null(end);
		f->lines[i] = span_make(at, (size_t)(end - at));
		at = end + 1;
	}
	assert_int_equal(*at, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(rmdir(f->dir), 0);
	buf_done(&f->text);
	xfree(f->path);
	xfree(f);
	return 0;
}

static int verify(struct span text, struct event_log_report *report, struct err *err)
{
	_cleanup_close_ int fd = memfd_sealed("log", text);

	assert_true(fd >= 0);
	return event_log_verify(fd, report, err);
}

/* These lines, each with its newline, are a log that is bad from the given line. */
static void assert_bad(const struct span *lines, size_t n, uint64_t bad_line, const char *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct event_log_report report;
	struct err err = { 0 };

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(buf_append_span(&text, lines[i]), 0);
		assert_int_equal(buf_append_char(&text, '\n'), 0);
	}
	assert_int_equal(verify(buf_span(&text), &report, &err), -EBADMSG);
	assert_int_equal(report.bad_line, bad_line);
	assert_int_equal(report.n_records, bad_line - 1);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err.text);
}

static void a_whole_log_is_good(void **state)
{
	struct fixture *f = *state;
	struct event_log_report report;
	char hex[SHA256_HEX_LEN + 1];

	assert_int_equal(verify(buf_span(&f->text), &report, NULL), 0);
	assert_int_equal(report.n_records, 5);
	assert_int_equal(report.bad_line, 0);
	assert_true(report.is_stopped);
	sha256_hex(f->lines[4], hex);
	assert_string_equal(report.head_hex, hex);
}

static void the_file_is_for_its_owner_alone(void **state)
{
	struct fixture *f = *state;
	struct event_log *l;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(event_log_create(f->path, "s2", &l, NULL), -EEXIST);
}

static void an_empty_log_is_good_and_not_stopped(void **state)
{
	struct event_log_report report;

	(void)state;
	assert_int_equal(verify(SPAN(""), &report, NULL), 0);
	assert_int_equal(report.n_records, 0);
	assert_false(report.is_stopped);
}

static void an_edit_is_found(void **state)
{
	struct fixture *f = *state;

	for (size_t line = 0; line < 4; line++) {
		_cleanup_free_ char *edited = xmemdup0(f->lines[line].p, f->lines[line].len);
		struct span lines[5];
		char *nano = strchr(edited, 'Z') - 1;

		memcpy(lines, f->lines, sizeof(lines));
		*nano = *nano == '1' ? '2' : '1';
		lines[line].p = edited;
		assert_bad(lines, 5, line + 2, "hash");
	}
}

static void a_dropped_record_is_found(void **state)
{
	struct fixture *f = *state;
	struct span lines[] = { f->lines[0], f->lines[2], f->lines[3], f->lines[4] };

	assert_bad(lines, 4, 2, "missing");
	assert_bad(f->lines + 1, 4, 1, "missing");
}

static void a_changed_order_is_found(void **state)
{
	struct fixture *f = *state;
	struct span lines[] = { f->lines[0], f->lines[2], f->lines[1], f->lines[3], f->lines[4] };

	assert_bad(lines, 5, 2, "order");
}

static void a_doubled_and_a_foreign_record_are_found(void **state)
{
	struct fixture *f = *state;
	struct span twice[] = { f->lines[0], f->lines[1], f->lines[1] };
	struct span foreign[] = { f->lines[0], SPAN("{\"seq\":2,\"kind\":\"lost\"}"), f->lines[2] };
	struct span garbage[] = { f->lines[0], SPAN("hello") };
	struct span blank[] = { f->lines[0], SPAN("") };

	assert_bad(twice, 3, 3, "added");
	assert_bad(foreign, 3, 2, "hash");
	assert_bad(garbage, 2, 2, "not a record");
	assert_bad(blank, 2, 2, "not a record");
}

static void a_cut_last_line_is_named(void **state)
{
	struct fixture *f = *state;
	struct event_log_report report;

	/* Wherever in the last record a crash cut it off, only its newline missing included. */
	for (size_t cut = 1; cut <= f->lines[4].len; cut++) {
		struct err err = { 0 };
		struct span text = { f->text.data, f->text.len - cut };

		assert_int_equal(verify(text, &report, &err), -EBADMSG);
		assert_int_equal(report.bad_line, 5);
		assert_non_null(strstr(err.text, "cut short"));
	}
}

static void missing_last_records_show_in_the_report(void **state)
{
	struct fixture *f = *state;
	struct event_log_report report;
	struct span text = { f->text.data, f->text.len - f->lines[4].len - 1 };

	assert_int_equal(verify(text, &report, NULL), 0);
	assert_int_equal(report.n_records, 4);
	assert_false(report.is_stopped); /* though an agent put "session.stop" into a name */
}

static void an_endless_line_is_refused(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct event_log_report report;

	(void)state;
	memset(buf_reserve(&text, 4 << 20), 'x', 4 << 20);
	buf_grow(&text, 4 << 20);
	assert_int_equal(verify(buf_span(&text), &report, NULL), -EBADMSG);
	assert_int_equal(report.bad_line, 1);
}

/* The disk is full in the middle of a batch: what is in the file stays a good log. */
static void a_failed_write_leaves_whole_records(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = xasprintf("%s/full.jsonl", f->dir);
	_cleanup_close_ int fd = -1;
	struct rlimit limit = { .rlim_cur = 10000, .rlim_max = RLIM_INFINITY };
	struct event_log_report report;
	struct event_log *l;
	struct event e = { .kind = EVENT_FILE_OPEN, .path = SPAN("/a") };

	assert_int_equal(event_log_create(path, "s1", &l, NULL), 0);
	assert_int_equal(event_log_append(l, &e), 1);
	assert_int_equal(event_log_flush(l, /* sync = */ false), 0);
	for (uint64_t seq = 2; seq < 100; seq++)
		assert_int_equal(event_log_append(l, &e), seq);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(event_log_flush(l, /* sync = */ false), -EFBIG);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(event_log_error(l), -EFBIG);
	assert_int_equal(event_log_append(l, &e), 0);
	event_log_free(l);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(event_log_verify(fd, &report, NULL), 0);
	assert_int_equal(report.n_records, 1);
	assert_int_equal(unlink(path), 0);
}

static void an_event_too_large_leaves_a_record_of_its_loss(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = xasprintf("%s/large.jsonl", f->dir);
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct event e = { .kind = EVENT_FILE_OPEN };
	struct event_log *l;
	char hex[SHA256_HEX_LEN + 1];

	e.path = span_make(xcalloc(1, 3 << 20), 3 << 20);
	assert_int_equal(event_log_create(path, "s1", &l, NULL), 0);
	assert_int_equal(event_log_append(l, &e), 1);
	assert_int_equal(event_log_head(l, hex), 1);
	assert_int_equal(event_log_flush(l, /* sync = */ false), 0);
	event_log_free(l);
	assert_int_equal(file_read_at(AT_FDCWD, path, &text), 0);
	assert_non_null(strstr(text.data, "\"kind\":\"lost\",\"count\":1"));
	assert_int_equal(unlink(path), 0);
	free((void *)(uintptr_t)e.path.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_log_is_good),
		cmocka_unit_test(the_file_is_for_its_owner_alone),
		cmocka_unit_test(an_empty_log_is_good_and_not_stopped),
		cmocka_unit_test(an_edit_is_found),
		cmocka_unit_test(a_dropped_record_is_found),
		cmocka_unit_test(a_changed_order_is_found),
		cmocka_unit_test(a_doubled_and_a_foreign_record_are_found),
		cmocka_unit_test(a_cut_last_line_is_named),
		cmocka_unit_test(missing_last_records_show_in_the_report),
		cmocka_unit_test(an_endless_line_is_refused),
		cmocka_unit_test(a_failed_write_leaves_whole_records),
		cmocka_unit_test(an_event_too_large_leaves_a_record_of_its_loss),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
