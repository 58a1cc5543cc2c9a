/*
 * `leash ps`: which sessions run.
 */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/list.h"
#include "cli/option-tables.h"
#include "cli/running.h"
#include "cli/show.h"
#include "event/session.h"

const struct option_spec ps_options[] = {
	LIST_ROWS,
};
const size_t n_ps_options = ARRAY_SIZE(ps_options);

static const struct usage usage = {
	.name = "ps",
	.arguments = "[FLAGS]",
	.description = "Lists the sessions that run, the newest first: id, name, runtime, since "
		       "when, where "
		       "its\npage is, the directory and the command. A star marks a detached one.\n"
		       "`leash sessions` lists those that are over, too.\n",
	.options = ps_options,
	.n_options = ARRAY_SIZE(ps_options),
};

static void show_json(const struct running *r, struct buf *out)
{
	struct event_session session = { .id = r->id, .summary = r->summary, .state = "running" };
	const struct json *command = json_get(r->summary, "command");
	struct json_writer w = { .out = out };

	event_session_started(r->id, session.started);
	json_begin_object(&w);
	json_key_string(&w, "id", span_of(r->id));
	json_key_string_opt(&w, "name", r->name);
	json_key_string_opt(&w, "runtime", r->runtime);
	json_key_bool(&w, "detached", r->is_detached);
	json_key_string(&w, "since", span_of(session.started));
	json_key_string_opt(&w, "url", span_of(r->url ? r->url : ""));
	json_key_string_opt(&w, "directory", r->workspace);
	json_key_uint(&w, "pid", (uint64_t)r->pid);
	json_key(&w, "command");
	json_begin_array(&w);
	for (const struct json *arg = command ? command->first : NULL; arg; arg = arg->next)
		json_string(&w, arg->text);
	json_end_array(&w);
	json_end_object(&w);
	(void)buf_append_char(out, '\n');
}

static void show_row(const struct running *r, struct buf *out)
{
	const struct json *command = json_get(r->summary, "command");
	char started[RFC3339_LEN + 1];

	event_session_started(r->id, started);
	(void)buf_printf(out, "%s%c %-12.*s  %-7.*s  ", r->id, r->is_detached ? '*' : ' ',
			 r->name.len ? (int)r->name.len : 1,
			 r->name.len ? (const char *)r->name.p : "-", SPAN_ARG(r->runtime));
	list_show_time(started, out);
	(void)buf_printf(out, "  %-23s  ", r->url ? r->url : "-");
	show_text(r->workspace, out);
	(void)buf_append_char(out, ' ');
	for (const struct json *arg = command ? command->first : NULL; arg; arg = arg->next) {
		(void)buf_append_char(out, ' ');
		show_text(arg->text, out);
	}
	(void)buf_append_char(out, '\n');
}

static int show(const struct running *r, void *ctx)
{
	struct list *l = ctx;

	if (l->is_quiet)
		return buf_printf(&l->out, "%s\n", r->id);
	if (l->want_json)
		show_json(r, &l->out);
	else
		show_row(r, &l->out);
	return 0;
}

int command_ps(int argc, char **argv)
{
	struct list l = { 0 };
	struct err err = { 0 };
	int n_operands, r;
	int code = usage_parse(&usage, argc, argv, list_option, &l, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands) {
		log_error("ps: takes no words; a program of that name is run by `leash -- ps`");
		return EXIT_USAGE;
	}
	if (!l.is_quiet && !l.want_json)
		(void)buf_printf(&l.out, "%-21s %-12s  %-7s  %-19s  %-23s  %s  %s\n", "SESSION",
				 "NAME", "RUNTIME", "SINCE", "PAGE", "DIRECTORY", "COMMAND");
	r = running_each(show, &l, &err);
	if (r >= 0 && fd_write_all(STDOUT_FILENO, l.out.data, l.out.len) < 0)
		r = err_set(&err, -EIO, "list the sessions");
	buf_done(&l.out);
	if (r < 0)
		log_error("%s", err.text);
	return r < 0;
}
