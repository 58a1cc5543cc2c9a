/*
 * `leash sessions`: what has run here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/directories.h"
#include "cli/list.h"
#include "cli/option-tables.h"
#include "cli/sessions-private.h"
#include "cli/show.h"
#include "cli/state.h"
#include "event/session.h"

const struct option_spec sessions_options[] = {
	LIST_ROWS,
};
const size_t n_sessions_options = ARRAY_SIZE(sessions_options);

static const struct usage usage = {
	.name = "sessions",
	.arguments = "[FLAGS] | rm SESSION... | prune [FLAGS]",
	.description =
		"Lists the sessions that were recorded, the newest first: id, when it began, how "
		"it\n"
		"stands, its exit code, how many events it has and how many were denied, and its "
		"command.\n"
		"`leash sessions rm` removes some, `leash sessions prune` the old ones.\n",
	.options = sessions_options,
	.n_options = ARRAY_SIZE(sessions_options),
};

static void show_json(const struct event_session *row, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_begin_object(&w);
	event_session_json(row, /* max_command = */ 0, &w);
	json_end_object(&w);
	(void)buf_append_char(out, '\n');
}

/* Its exit code; none while it runs, and of one that died. */
static const char *show_status(const struct event_session *row, char out[8])
{
	uint64_t status;

	if (strcmp(row->state, "ended") != 0 ||
	    !json_to_uint(json_get(row->summary, "status"), &status))
		return "-";
	(void)snprintf(out, 8, "%u", (unsigned)status & 0xff);
	return out;
}

static void show_row(const struct event_session *row, struct buf *out)
{
	const struct json *command = json_get(row->summary, "command");
	char status[8];

	(void)buf_printf(out, "%s  ", row->id);
	list_show_time(row->started, out);
	(void)buf_printf(out, "  %-8s %4s %8llu %7llu ", row->state, show_status(row, status),
			 (unsigned long long)row->n_events, (unsigned long long)row->n_denied);
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
	struct event_session row;

	if (l->is_quiet)
		return buf_printf(&l->out, "%s\n", id);
	event_session_read(directory, id, &arena, &row);
	if (l->want_json)
		show_json(&row, &l->out);
	else
		show_row(&row, &l->out);
	return 0;
}

static int show_all(struct list *l, struct err *err)
{
	_cleanup_(event_session_ids_done) event_session_ids ids = { 0 };
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = home ? state_directory(home) : NULL;
	_cleanup_free_ char *sessions = state ? path_join(state, "sessions") : NULL;
	int r = state ? state_session_list_read(state, &ids, err) : -ENOENT;

	if (r < 0)
		return r;
	if (!l->is_quiet && !l->want_json)
		(void)buf_printf(&l->out, "%-20s  %-19s  %-8s %4s %8s %7s  %s\n", "SESSION",
				 "STARTED", "STATE", "EXIT", "EVENTS", "DENIED", "COMMAND");
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
	code = usage_parse(&usage, argc, argv, list_option, &l, &n_operands);
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
