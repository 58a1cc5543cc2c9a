/*
 * `leash events`: what a session did, and what it was kept from doing.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/filter.h"
#include "cli/log-lines.h"
#include "cli/option-tables.h"
#include "cli/records.h"
#include "cli/show.h"
#include "cli/usage.h"
#include "event/log.h"

enum {
	OPTION_FOLLOW = 1,
	OPTION_JSON,
	OPTION_LOGFMT,
	OPTION_KIND,
	OPTION_DECISION,
	OPTION_PATH,
	OPTION_HOST,
	OPTION_PID,
	OPTION_SINCE,
	OPTION_TAIL,
	OPTION_LIST,
};

const struct option_spec events_options[] = {
	{ "follow", 'f', NULL, "go on showing events until the session ends", OPTION_FOLLOW, 0 },
	{ "json", 0, NULL, "the records as they are in the log, one JSON object a line",
	  OPTION_JSON, 0 },
	{ "logfmt", 0, NULL, "key=value", OPTION_LOGFMT, 0 },
	{ "kind", 'k', "KIND", "only this kind (file.open) or group (file); may be repeated",
	  OPTION_KIND, 0 },
	{ "decision", 'd', "allow|deny|would-deny|asked", "only this decision; may be repeated",
	  OPTION_DECISION, 0 },
	{ "path", 0, "PREFIX", "only this file, or this directory and what is below", OPTION_PATH,
	  0 },
	{ "host", 0, "HOST", "only this host; *.example.com for those below it", OPTION_HOST, 0 },
	{ "pid", 0, "PID", "only this process", OPTION_PID, 0 },
	{ "since", 0, "SEQ", "only what came after the event with this number", OPTION_SINCE, 0 },
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
	struct filter filter;
	enum form form;
	bool want_follow, want_list, color;
	uint64_t n_tail; /* 0: all */
	char **tail;	 /* the last n_tail lines, in a circle */
	uint64_t n_kept;
	struct arena arena;
	struct buf out;
	bool is_stopped, has_bad_line;
};

static int parse_number(const char *flag, const char *value, uint64_t max, uint64_t *ret,
			struct err *err)
{
	const struct json number = { .type = JSON_NUMBER, .text = span_of(value) };

	if (*value && json_to_uint(&number, ret) && *ret <= max)
		return 0;
	return err_say(err, -EINVAL, "--%s %s: expected a number up to %llu", flag, value,
		       (unsigned long long)max);
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
		return filter_set_path(&v->filter, value, err);
	case OPTION_HOST:
		v->filter.host = value;
		return 0;
	case OPTION_PID:
		return parse_number("pid", value, INT32_MAX, &v->filter.pid, err);
	case OPTION_SINCE:
		return parse_number("since", value, UINT64_MAX, &v->filter.since, err);
	case OPTION_TAIL:
		return parse_number("tail", value, 1000000, &v->n_tail, err);
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

/* Takes the line that show_line has just put into out away again, to print it at the end. */
static void keep_for_tail(struct viewer *v)
{
	char **slot;

	if (!v->tail)
		v->tail = xnew_array(char *, v->n_tail);
	slot = &v->tail[v->n_kept++ % v->n_tail];
	xfree(*slot);
	*slot = xmemdup0(v->out.data, v->out.len);
	buf_reset(&v->out);
}

/* Prints what --tail has kept; from here on every line is shown at once. */
static void end_tail(struct viewer *v)
{
	uint64_t n = MIN(v->n_kept, v->n_tail);

	for (uint64_t i = v->n_kept - n; i < v->n_kept; i++)
		(void)buf_append_str(&v->out, v->tail[i % v->n_tail]);
	for (uint64_t i = 0; v->tail && i < v->n_tail; i++)
		xfree(v->tail[i]);
	xfree(v->tail);
	v->tail = NULL;
	v->n_tail = 0;
}

static void show_line(struct viewer *v, struct span line, uint64_t number)
{
	struct json *event;

	arena_reset(&v->arena);
	if (json_parse(&v->arena, line, &event, NULL) < 0 || event->type != JSON_OBJECT) {
		log_warning("line %llu of the log is not an event; `leash verify` says more",
			    (unsigned long long)number);
		v->has_bad_line = true;
		return;
	}
	v->is_stopped = span_eq_str(json_get_string(event, "kind"), "session.stop");
	if (!filter_matches(&v->filter, event))
		return;
	if (v->form == FORM_HUMAN)
		show_human(event, v->color, &v->out);
	else if (v->form == FORM_LOGFMT)
		show_logfmt(event, &v->out);
	else if (buf_append_span(&v->out, line) == 0)
		(void)buf_append_char(&v->out, '\n');
	if (v->n_tail)
		keep_for_tail(v);
}

/* Shows all that is there. Returns how many lines that was, or a negative errno. */
static int show_present(struct viewer *v, struct log_lines *lines, struct err *err)
{
	struct span line;
	int n = 0, r;

	while ((r = log_lines_next(lines, &line, err)) > 0) {
		show_line(v, line, lines->n_lines);
		n = 1;
		if (v->out.len >= OUTPUT_SIZE && !v->n_tail && (r = write_out(v, err)) < 0)
			break;
	}
	if (r == 0 && !v->n_tail && v->out.len)
		r = write_out(v, err);
	return r < 0 ? r : n;
}

/*
 * The kernel reports that a file was closed before it drops the file's lock
 * (__fput), so look again after a while even if nothing more is reported.
 */
static int wait_for_change(int inotify_fd, struct err *err)
{
	struct pollfd p = { .fd = inotify_fd, .events = POLLIN };
	char changes[4096];

	if (poll(&p, 1, 1000) < 0 && errno != EINTR)
		return err_set(err, -errno, "wait for events");
	if (read(inotify_fd, changes, sizeof(changes)) < 0 && errno != EAGAIN && errno != EINTR)
		return err_set(err, -errno, "wait for events");
	return 0;
}

/* Until the session has ended; a daemon that died leaves a log without an end. */
static int follow(struct viewer *v, const struct records *records, struct log_lines *lines,
		  struct err *err)
{
	_cleanup_close_ int inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r = 0;

	if (inotify_fd < 0 ||
	    inotify_add_watch(inotify_fd, records->log_path, IN_MODIFY | IN_CLOSE_WRITE) < 0)
		return err_set(err, -errno, "watch the event log");
	for (;;) {
		bool is_open = event_log_is_open(records->log_fd);

		r = show_present(v, lines, err);
		if (r < 0 || v->is_stopped)
			return r;
		if (r == 0 && !is_open)
			return err_say(err, -ESRCH,
				       "the session ended without its last record: "
				       "leash was killed, or its log could not be written");
		if (r == 0)
			r = wait_for_change(inotify_fd, err);
		if (r < 0)
			return r;
	}
}

static int show_session(struct viewer *v, const char *name, struct err *err)
{
	_cleanup_(records_done) struct records records = RECORDS_INIT;
	_cleanup_(log_lines_done) struct log_lines lines = { 0 };
	int r = records_open(name, &records, err);

	if (r < 0)
		return r;
	log_lines_init(&lines, records.log_fd);
	r = show_present(v, &lines, err);
	if (r < 0)
		return r;
	end_tail(v);
	r = write_out(v, err);
	if (r == 0 && v->want_follow && !v->is_stopped)
		r = follow(v, &records, &lines, err);
	return r;
}

static void viewer_done(struct viewer *v)
{
	end_tail(v);
	filter_done(&v->filter);
	arena_done(&v->arena);
	buf_done(&v->out);
}

int command_events(int argc, char **argv)
{
	_cleanup_(viewer_done) struct viewer v = { .arena = ARENA_INIT(RECORD_MEMORY) };
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
	return v.has_bad_line ? 1 : 0;
}
