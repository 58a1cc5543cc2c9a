/*
 * `leash events`: what a session did, and what it was kept from doing.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/filter.h"
#include "cli/moment.h"
#include "cli/option-tables.h"
#include "cli/records.h"
#include "cli/show.h"
#include "cli/usage.h"
#include "cli/watch.h"
#include "event/session.h"

/* Who follows a session that has not begun yet waits so long for its first record. */
#define START_TIMEOUT_NS (15 * NS_PER_SEC)

enum {
	OPTION_FOLLOW = 1,
	OPTION_JSON,
	OPTION_LOGFMT,
	OPTION_KIND,
	OPTION_DECISION,
	OPTION_PATH,
	OPTION_HOST,
	OPTION_EXE,
	OPTION_PID,
	OPTION_TEXT,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_TAIL,
	OPTION_LIMIT,
	OPTION_LIST,
};

const struct option_spec events_options[] = {
	{ "follow", 'f', NULL, "go on showing events until the session ends", OPTION_FOLLOW, 0 },
	{ "json", 0, NULL, "the records as they were hashed, one JSON object a line", OPTION_JSON,
	  0 },
	{ "logfmt", 0, NULL, "key=value", OPTION_LOGFMT, 0 },
	{ "kind", 'k', "KIND", "only this kind (file.open) or group (file); may be repeated",
	  OPTION_KIND, 0 },
	{ "decision", 'd', "allow|deny|would-deny|asked", "only this decision; may be repeated",
	  OPTION_DECISION, 0 },
	{ "path", 0, "PREFIX", "only this file, or this directory and what is below", OPTION_PATH,
	  0 },
	{ "host", 0, "HOST", "only this host; *.example.com for those below it", OPTION_HOST, 0 },
	{ "exe", 0, "PROGRAM", "only this program: its path, or its name alone", OPTION_EXE, 0 },
	{ "pid", 0, "PID", "only this process", OPTION_PID, 0 },
	{ "text", 0, "TEXT",
	  "only where this stands in a path, host, URL, program, argument or message, in either "
	  "case",
	  OPTION_TEXT, 0 },
	{ "since", 0, "SEQ|AGO|TIME",
	  "only what came after the event with this number, or in the last 10m (s, h, d), or since "
	  "2026-01-31T14:25:00Z",
	  OPTION_SINCE, 0 },
	{ "until", 0, "SEQ|AGO|TIME", "only up to that event or time", OPTION_UNTIL, 0 },
	{ "limit", 0, "N", "only the first N", OPTION_LIMIT, 0 },
	{ "tail", 'n', "N", "only the last N", OPTION_TAIL, 0 },
	{ "list", 0, NULL, "list the sessions instead, as `leash sessions` does", OPTION_LIST, 0 },
	OPTION_HELP_ROW,
};
const size_t n_events_options = ARRAY_SIZE(events_options);

static const struct usage usage = {
	.name = "events",
	.arguments = "[SESSION] [FLAGS]",
	.description = "Shows what a session did and what was denied. SESSION is an id, its "
		       "beginning or its\n"
		       "last four letters; without it the newest session is shown.\n",
	.options = events_options,
	.n_options = ARRAY_SIZE(events_options),
	.examples =
		"  leash events --decision deny            what the newest session was kept from "
		"doing\n"
		"  leash events -f                         watch a session from another terminal\n"
		"  leash events --since 10m --text secret  where the word stands, in the last ten "
		"minutes\n"
		"  leash events --kind net --json | jq -r .host\n",
};

enum form {
	FORM_HUMAN,
	FORM_JSON,
	FORM_LOGFMT,
};

#define OUTPUT_SIZE ((size_t)64 * 1024)
#define RECORD_MEMORY ((size_t)64 * 1024 * 1024) /* a parsed record, with its arguments */

struct viewer {
	struct event_filter filter;
	char *path; /* the filter's, owned */
	enum form form;
	bool want_follow, want_list, color;
	uint64_t n_tail;  /* 0: all */
	uint64_t n_limit; /* how many may still be shown; UINT64_MAX: any number */
	struct arena arena;
	struct buf out;
	struct err *err;
	bool has_failed;
};

static int set_path(struct viewer *v, const char *value, struct err *err)
{
	int r = filter_set_path(&v->filter, value, err);

	if (r < 0)
		return r;
	xfree(v->path);
	v->path = (char *)(uintptr_t)v->filter.path;
	return 0;
}

static int set_pid(struct viewer *v, const char *value, struct err *err)
{
	uint64_t pid;
	int r = moment_parse_flag("pid", value, INT32_MAX, &pid, err);

	if (r == 0)
		v->filter.pid = (int32_t)pid;
	return r;
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct viewer *v = ctx;

	switch (id) {
	case OPTION_FOLLOW:
		v->want_follow = true;
		return 0;
	case OPTION_JSON:
		v->form = FORM_JSON;
		return 0;
	case OPTION_LOGFMT:
		v->form = FORM_LOGFMT;
		return 0;
	case OPTION_KIND:
		return filter_add_kind(&v->filter, value, err);
	case OPTION_DECISION:
		return filter_add_decision(&v->filter, value, err);
	case OPTION_PATH:
		return set_path(v, value, err);
	case OPTION_HOST:
		v->filter.host = value;
		return 0;
	case OPTION_EXE:
		v->filter.exe = value;
		return 0;
	case OPTION_TEXT:
		v->filter.text = value;
		return 0;
	case OPTION_PID:
		return set_pid(v, value, err);
	case OPTION_SINCE:
		return filter_set_since(&v->filter, value, clock_real_ns(), err);
	case OPTION_UNTIL:
		return filter_set_until(&v->filter, value, clock_real_ns(), err);
	case OPTION_LIMIT:
		return moment_parse_flag("limit", value, UINT64_MAX - 1, &v->n_limit, err);
	case OPTION_TAIL:
		return moment_parse_flag("tail", value, 1000000, &v->n_tail, err);
	case OPTION_LIST:
		v->want_list = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int write_out(struct viewer *v, struct err *err)
{
	int r = fd_write_all(STDOUT_FILENO, v->out.data, v->out.len);

	buf_reset(&v->out);
	return r < 0 ? err_set(err, r, "write the events") : 0;
}

static int show_json_text(struct viewer *v, struct span text)
{
	struct json *event;

	if (v->form == FORM_JSON)
		return buf_append_span(&v->out, text) < 0 ? -EMSGSIZE
							  : buf_append_char(&v->out, '\n');
	arena_reset(&v->arena);
	if (json_parse(&v->arena, text, &event, NULL) < 0)
		return -EBADMSG;
	if (v->form == FORM_HUMAN)
		show_human(event, v->color, &v->out);
	else
		show_logfmt(event, &v->out);
	return 0;
}

static int on_record(const struct event_record *record, void *ctx)
{
	struct viewer *v = ctx;
	int r = show_json_text(v, record->json);

	if (r < 0)
		(void)err_set(v->err, r, "show the event %llu", (unsigned long long)record->seq);
	else if (v->out.len >= OUTPUT_SIZE)
		r = write_out(v, v->err);
	v->has_failed = r < 0;
	return v->has_failed;
}

/* Shows what is there up to that seq, and goes on after it the next time. */
static int show_until(struct viewer *v, struct event_reader *reader, uint64_t last_seq,
		      struct err *err)
{
	struct event_query q = { .filter = v->filter, .want_json = true };
	int64_t n;

	if (v->filter.since_seq >= last_seq || v->n_limit == 0)
		return 0;
	q.filter.until_seq = v->filter.until_seq ? MIN(v->filter.until_seq, last_seq) : last_seq;
	q.limit = v->n_limit == UINT64_MAX ? 0 : v->n_limit;
	v->err = err;
	n = event_reader_query(reader, &q, on_record, v, err);
	if (n < 0 || v->has_failed)
		return err->code;
	if (v->n_limit != UINT64_MAX)
		v->n_limit -= (uint64_t)n;
	v->filter.since_seq = last_seq;
	return write_out(v, err);
}

static int keep_seq(const struct event_record *record, void *ctx)
{
	*(uint64_t *)ctx = record->seq;
	return 0;
}

/* Moves the beginning to where the last n_tail of what is wanted begin. */
static int find_tail(struct viewer *v, struct event_reader *reader, uint64_t last_seq,
		     struct err *err)
{
	struct event_query q = { .filter = v->filter, .is_newest_first = true, .limit = v->n_tail };
	uint64_t first = 0;
	int64_t n;

	if (!v->n_tail)
		return 0;
	q.filter.until_seq = v->filter.until_seq ? MIN(v->filter.until_seq, last_seq) : last_seq;
	n = event_reader_query(reader, &q, keep_seq, &first, err);
	if (n > 0)
		v->filter.since_seq = first - 1;
	return n < 0 ? (int)n : 0;
}

static int show_new(struct viewer *v, struct event_reader *reader, bool *ret_has_begun,
		    struct err *err)
{
	uint64_t last_seq;
	int r = event_reader_last_seq(reader, &last_seq, err);

	*ret_has_begun = r == 0 && last_seq;
	return r < 0 ? r : show_until(v, reader, last_seq, err);
}

/*
 * The kernel reports that a file was closed before it drops the file's lock
 * (__fput), so look again after a while even if nothing more is reported.
 */
#define LOOK_AGAIN_MS 1000

/* The directory of a session is there before its records are. */
static int follow_from_the_start(struct records *records, struct err *err)
{
	_cleanup_close_ int watch_fd = watch_open(records->directory, err);
	uint64_t deadline = clock_monotonic_ns() + START_TIMEOUT_NS;
	int r = watch_fd;

	while (r >= 0 &&
	       (r = event_reader_open(records->directory, &records->reader, err)) == -ENOENT &&
	       clock_monotonic_ns() < deadline)
		r = watch_wait(watch_fd, LOOK_AGAIN_MS, err);
	return r;
}

/*
 * Until the session has ended; a daemon that died leaves a log without an end.
 * Writing adds to the write-ahead log beside the database, so the directory is
 * what to watch.
 */
static int follow(struct viewer *v, const struct records *records, struct err *err)
{
	_cleanup_close_ int watch_fd = watch_open(records->directory, err);
	uint64_t deadline = clock_monotonic_ns() + START_TIMEOUT_NS;
	int r = 0;

	if (watch_fd < 0)
		return watch_fd;
	while (v->n_limit) {
		/* In this order: what was there when it ended is shown. */
		bool is_open = event_store_is_open(records->directory), has_begun;
		int is_stopped = event_session_is_stopped(records->reader, err);

		r = is_stopped < 0 ? is_stopped : show_new(v, records->reader, &has_begun, err);
		if (r < 0 || is_stopped)
			return r;
		if (!is_open && (has_begun || clock_monotonic_ns() > deadline))
			return err_say(err, -ESRCH,
				       "the session ended without its last record: "
				       "leash was killed, or its log could not be written");
		r = watch_wait(watch_fd, LOOK_AGAIN_MS, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int show_session(struct viewer *v, const char *name, struct err *err)
{
	_cleanup_(records_done) struct records records = { 0 };
	uint64_t last_seq;
	int r = records_open(name, &records, err);

	if (r == -ENOENT && records.directory && v->want_follow)
		r = follow_from_the_start(&records, err);
	if (r == 0)
		r = event_reader_last_seq(records.reader, &last_seq, err);
	if (r == 0)
		r = find_tail(v, records.reader, last_seq, err);
	if (r == 0)
		r = show_until(v, records.reader, last_seq, err);
	if (r == 0 && v->want_follow)
		r = follow(v, &records, err);
	return r;
}

static void viewer_done(struct viewer *v)
{
	xfree(v->path);
	arena_done(&v->arena);
	buf_done(&v->out);
}

int command_events(int argc, char **argv)
{
	_cleanup_(viewer_done) struct viewer v = { .arena = ARENA_INIT(RECORD_MEMORY),
						   .n_limit = UINT64_MAX };
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(&usage, argc, argv, on_option, &v, &n_operands);

	if (code >= 0)
		return code;
	if (v.want_list)
		return command_sessions(1, argv);
	if (n_operands > 1) {
		log_error("events: one session at a time; see `leash events --help`");
		return EXIT_USAGE;
	}
	v.color = log_want_color(STDOUT_FILENO);
	if (show_session(&v, n_operands ? argv[0] : NULL, &err) < 0) {
		log_error("%s", err.text);
		return 1;
	}
	return 0;
}
