/*
 * `leash doctor`: what this machine offers, what is missing and how to get it.
 * Every line was tried, not read from a version number.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/command.h"
#include "cli/doctor-private.h"
#include "cli/option-tables.h"
#include "engine/engine.h"

#define MAX_ENGINES 8

enum {
	OPTION_JSON = 1,
	OPTION_HELP,
};

const struct option_spec doctor_options[] = {
	{ "json", 0, NULL, "answer as JSON", OPTION_JSON },
	{ "help", 'h', NULL, "show this help", OPTION_HELP },
};
const size_t n_doctor_options = ARRAY_SIZE(doctor_options);

struct doctor {
	bool want_json, want_help;
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct doctor *d = ctx;

	(void)value;
	(void)err;
	if (id == OPTION_JSON)
		d->want_json = true;
	else
		d->want_help = true;
	return 0;
}

static void append_text(const struct doctor_row *rows, size_t n, bool color, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const char *word = rows[i].is_present ? "ok" : rows[i].is_required ? "MISSING" : "without";
		const char *paint = rows[i].is_present ? "\033[32m" : rows[i].is_required ? "\033[31m" : "\033[33m";

		(void)buf_printf(out, "%s%-8s%s %-32s %s\n", color ? paint : "", word, color ? "\033[0m" : "",
				 rows[i].name, rows[i].detail);
	}
}

static void append_json(const struct doctor_row *rows, size_t n, bool is_usable, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_begin_object(&w);
	json_key_bool(&w, "usable", is_usable);
	json_key_string(&w, "backend", is_usable ? SPAN("supervisor") : SPAN("none"));
	json_key(&w, "features");
	json_begin_array(&w);
	for (size_t i = 0; i < n; i++) {
		json_begin_object(&w);
		json_key_string(&w, "name", span_of(rows[i].name));
		json_key_bool(&w, "present", rows[i].is_present);
		json_key_bool(&w, "required", rows[i].is_required);
		json_key_string(&w, "detail", span_of(rows[i].detail));
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	(void)buf_append_char(out, '\n');
}

static void print(const struct doctor *d, const struct doctor_row *rows, size_t n, bool is_usable)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	if (d->want_json) {
		append_json(rows, n, is_usable, &out);
	} else {
		append_text(rows, n, log_want_color(STDOUT_FILENO), &out);
		(void)buf_append_str(
			&out,
			is_usable ? doctor_verdict
				  : "\nSessions cannot run here until what is MISSING is there. "
				    "Nothing runs unprotected.\n");
	}
	(void)fwrite(out.data, 1, out.len, stdout);
}

static int help(void)
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(
		&out,
		"Usage: leash doctor [FLAGS]\n\n"
		"Says what this machine offers to leash, what is missing and how to get it.\n\n"
		"Flags:\n");
	(void)options_help(doctor_options, n_doctor_options, &out);
	return fd_write_all(STDOUT_FILENO, out.data, out.len) < 0;
}

int command_doctor(int argc, char **argv)
{
	struct engine_probe engines[MAX_ENGINES];
	struct doctor_row rows[DOCTOR_MAX_ROWS + 1 + MAX_ENGINES];
	struct doctor d = { 0 };
	struct err err = { 0 };
	size_t n_engines, n;
	bool is_usable;

	if (options_parse(doctor_options, n_doctor_options, argc, argv, on_option, &d, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_USAGE;
	}
	if (d.want_help)
		return help();
	n = doctor_native_rows(rows);
	rows[n++] = (struct doctor_row){
		"secrets kept out of swap",
		"memory that may be locked (ulimit -l); without it encrypt the swap space",
		secret_can_be_locked(), false
	};
	n_engines = engine_probe(engines, MAX_ENGINES);
	for (size_t i = 0; i < n_engines; i++)
		rows[n++] = (struct doctor_row){ engines[i].name, engines[i].detail,
						 engines[i].is_present, false };
	is_usable = doctor_is_usable(rows, n, n_engines);
	print(&d, rows, n, is_usable);
	return is_usable ? 0 : 1;
}
