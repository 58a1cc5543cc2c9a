/*
 * `leash export`: a session's events for other programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/option-tables.h"
#include "cli/otlp.h"
#include "cli/records.h"
#include "cli/usage.h"

enum {
	OPTION_JSONL = 1,
	OPTION_OTLP,
	OPTION_OUTPUT,
};

const struct option_spec export_options[] = {
	{ "jsonl", 0, NULL,
	  "JSON Lines: of each record the bytes that were hashed, and a newline (the default)",
	  OPTION_JSONL, 0 },
	{ "otlp", 0, NULL, "OpenTelemetry logs: OTLP/JSON, a request of at most 500 records a line",
	  OPTION_OTLP, 0 },
	{ "output", 'o', "FILE",
	  "write there instead of standard output; a new file only you can read", OPTION_OUTPUT,
	  0 },
	OPTION_HELP_ROW,
};
const size_t n_export_options = ARRAY_SIZE(export_options);

static const struct usage usage = {
	.name = "export",
	.arguments = "[SESSION] [FLAGS]",
	.description = "Writes all events of a session, the oldest first. SESSION is an id, its "
		       "beginning or its\n"
		       "last four letters; without it the newest session is written.\n",
	.options = export_options,
	.n_options = ARRAY_SIZE(export_options),
	.examples = "  leash export --jsonl | jq -r 'select(.decision == \"deny\").path'\n"
		    "  leash export --otlp k3f9 --output events.json\n",
};

#define OUTPUT_SIZE ((size_t)256 * 1024)

struct exporter {
	bool want_otlp;
	const char *output;
	int fd;
	struct buf out;
	struct otlp otlp;
	int error;
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct exporter *x = ctx;

	(void)err;
	if (id == OPTION_OUTPUT)
		x->output = value;
	else
		x->want_otlp = id == OPTION_OTLP;
	return 0;
}

static int write_out(struct exporter *x)
{
	int r = x->out.failed ? -EMSGSIZE : fd_write_all(x->fd, x->out.data, x->out.len);

	buf_reset(&x->out);
	return r;
}

static int on_record(const struct event_record *record, void *ctx)
{
	struct exporter *x = ctx;

	if (x->want_otlp) {
		otlp_add(&x->otlp, record);
	} else {
		(void)buf_append_span(&x->out, record->json);
		(void)buf_append_char(&x->out, '\n');
	}
	if (x->out.len >= OUTPUT_SIZE)
		x->error = write_out(x);
	return x->error;
}

static int write_events(struct exporter *x, const struct records *records, struct err *err)
{
	const struct event_query all = { .want_json = !x->want_otlp };
	int64_t n;

	x->otlp = (struct otlp)OTLP_INIT(&x->out, records->id);
	n = event_reader_query(records->reader, &all, on_record, x, err);
	if (n < 0)
		return (int)n;
	otlp_end(&x->otlp);
	if (x->error == 0)
		x->error = write_out(x);
	return x->error < 0 ? err_set(err, x->error, "write the events") : 0;
}

static int export_session(struct exporter *x, const char *name, struct err *err)
{
	_cleanup_(records_done) struct records records = { 0 };
	_cleanup_close_ int fd = -1;
	int r = records_open(name, &records, err);

	if (r < 0)
		return r;
	x->fd = STDOUT_FILENO;
	if (x->output) {
		x->fd = fd = open(x->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_set(err, -errno, "write %s", x->output);
	}
	return write_events(x, &records, err);
}

int command_export(int argc, char **argv)
{
	struct exporter x = { 0 };
	struct err err = { 0 };
	int n_operands, r;
	int code = usage_parse(&usage, argc, argv, on_option, &x, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands > 1) {
		log_error("export: one session at a time; see `leash export --help`");
		return EXIT_USAGE;
	}
	r = export_session(&x, n_operands ? argv[0] : NULL, &err);
	buf_done(&x.out);
	if (r < 0)
		log_error("%s", err.text);
	return r < 0;
}
