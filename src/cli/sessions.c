/*
 * `leash sessions`: what has run here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/directories.h"
#include "cli/option-tables.h"
#include "cli/records.h"
#include "cli/sessions-private.h"
#include "cli/show.h"
#include "cli/state.h"
#include "cli/usage.h"

enum {
	OPTION_JSON = 1,
	OPTION_QUIET,
};

const struct option_spec sessions_options[] = {
	{ "json", 0, NULL, "one JSON object a line", OPTION_JSON, 0 },
	{ "quiet", 'q', NULL, "the ids alone", OPTION_QUIET, 0 },
	OPTION_HELP_ROW,
};
const size_t n_sessions_options = ARRAY_SIZE(sessions_options);

static const struct usage usage = {
	.name = "sessions",
	.arguments = "[FLAGS] | rm SESSION... | prune [FLAGS]",
	.description =
		"Lists the sessions that were recorded, the newest first: id, when it began, how "
		"it\n"
		"stands, how many events it has and how many were denied, and its command.\n"
		"`leash sessions rm` removes some, `leash sessions prune` the old ones.\n",
	.options = sessions_options,
	.n_options = ARRAY_SIZE(sessions_options),
};

struct list {
	bool want_json, is_quiet;
	struct buf out;
};

/* One row; the spans live in the arena of the session's summary. */
struct row {
	const char *id;
	/* "running", "ended", "died" (its writer is gone without an end), or "damaged". */
	const char *state;
	const struct json *summary; /* may be NULL */
	uint64_t n_events, n_denied;
	char started[RFC3339_LEN + 1];
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct list *l = ctx;

	(void)value;
	(void)err;
	if (id == OPTION_JSON)
		l->want_json = true;
	if (id == OPTION_QUIET)
		l->is_quiet = true;
	return 0;
}

static int count_events(struct event_reader *reader, struct row *row)
{
	int r = event_reader_last_seq(reader, &row->n_events, NULL);

	if (r == 0)
		r = event_reader_count_decision(reader, EVENT_DENY, &row->n_denied, NULL);
	return r < 0 ? r : records_is_stopped(reader, NULL);
}

/* Of a session without a database only its summary tells; there were such before events.db. */
static void read_summary(struct row *row)
{
	if (!json_to_uint(json_get(row->summary, "events"), &row->n_events) ||
	    !json_to_uint(json_get(row->summary, "denied"), &row->n_denied))
		row->n_events = row->n_denied = 0;
	if (span_eq_str(json_get_string(row->summary, "state"), "ended"))
		row->state = "ended";
}

static void read_events(const char *directory, struct row *row)
{
	bool is_open = event_store_is_open(directory);
	struct event_reader *reader = NULL;
	int r = event_reader_open(directory, &reader, NULL);

	if (r == -ENOENT) {
		read_summary(row);
		return;
	}
	if (r == 0)
		r = count_events(reader, row);
	event_reader_free(reader);
	row->state = is_open ? "running" : r < 0 ? "damaged" : r ? "ended" : "died";
}

/* 20260131-142501-k3f9 began at 2026-01-31T14:25:01Z. */
static void started_from_id(const char *id, char out[RFC3339_LEN + 1])
{
	(void)snprintf(out, RFC3339_LEN + 1, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4, id + 6,
		       id + 9, id + 11, id + 13);
}

static void read_row(const char *directory, const char *id, struct arena *a, struct row *row)
{
	*row = (struct row){ .id = id, .state = "died", .summary = records_summary(directory, a) };
	started_from_id(id, row->started);
	read_events(directory, row);
}

static void show_json(const struct row *row, struct buf *out)
{
	static const char *const copied[] = { "workspace", "mode",    "profile",
					      "policy",	   "backend", "ended" };
	const struct json *command = json_get(row->summary, "command");
	struct json_writer w = { .out = out };
	uint64_t status;

	json_begin_object(&w);
	json_key_string(&w, "id", span_of(row->id));
	json_key_string(&w, "started", span_of(row->started));
	json_key_string(&w, "state", span_of(row->state));
	json_key(&w, "command");
	json_begin_array(&w);
	for (const struct json *arg = command ? command->first : NULL; arg; arg = arg->next)
		json_string(&w, arg->text);
	json_end_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		json_key_string_opt(&w, copied[i], json_get_string(row->summary, copied[i]));
	if (json_to_uint(json_get(row->summary, "status"), &status))
		json_key_uint(&w, "status", status);
	json_key_uint(&w, "events", row->n_events);
	json_key_uint(&w, "denied", row->n_denied);
	json_end_object(&w);
	(void)buf_append_char(out, '\n');
}

static void show_started(const struct row *row, struct buf *out)
{
	struct tm tm = { 0 };
	char text[32];
	time_t seconds;

	if (!strptime(row->started, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	seconds = timegm(&tm);
	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		(void)buf_append_str(out, text);
}

static void show_row(const struct row *row, struct buf *out)
{
	const struct json *command = json_get(row->summary, "command");

	(void)buf_printf(out, "%s  ", row->id);
	show_started(row, out);
	(void)buf_printf(out, "  %-8s %8llu %7llu ", row->state, (unsigned long long)row->n_events,
			 (unsigned long long)row->n_denied);
	for (const struct json *arg = command ? command->first : NULL; arg; arg = arg->next) {
		(void)buf_append_char(out, ' ');
		show_text(arg->text, out);
	}
	(void)buf_append_char(out, '\n');
}

static int show_session(struct list *l, const char *sessions, const char *id)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)64 * 1024 * 1024);
	_cleanup_free_ char *directory = path_join(sessions, id);
	struct row row;

	if (l->is_quiet)
		return buf_printf(&l->out, "%s\n", id);
	read_row(directory, id, &arena, &row);
	if (l->want_json)
		show_json(&row, &l->out);
	else
		show_row(&row, &l->out);
	return 0;
}

static int show_all(struct list *l, struct err *err)
{
	_cleanup_(state_session_list_done) state_session_list ids = { 0 };
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = home ? state_directory(home) : NULL;
	_cleanup_free_ char *sessions = state ? path_join(state, "sessions") : NULL;
	int r = state ? state_session_list_read(state, &ids, err) : -ENOENT;

	if (r < 0)
		return r;
	if (!l->is_quiet && !l->want_json)
		(void)buf_printf(&l->out, "%-20s  %-19s  %-8s %8s %7s  %s\n", "SESSION", "STARTED",
				 "STATE", "EVENTS", "DENIED", "COMMAND");
	for (size_t i = 0; i < ids.len && r == 0; i++)
		r = show_session(l, sessions, ids.items[i]);
	if (r == 0)
		r = fd_write_all(STDOUT_FILENO, l->out.data, l->out.len);
	return r < 0 ? err_set(err, r, "list the sessions") : 0;
}

int command_sessions(int argc, char **argv)
{
	struct list l = { 0 };
	struct err err = { 0 };
	int n_operands, r, code;

	if (argc > 1 && subcommand_find(&sessions_group, argv[1]))
		return subcommand_run(&sessions_group, argc, argv);
	code = usage_parse(&usage, argc, argv, on_option, &l, &n_operands);
	if (code >= 0)
		return code;
	if (n_operands) {
		log_error("sessions: unknown word %s; see `leash sessions --help`", argv[0]);
		return EXIT_USAGE;
	}
	r = show_all(&l, &err);
	buf_done(&l.out);
	if (r < 0)
		log_error("%s", err.text);
	return r < 0;
}
