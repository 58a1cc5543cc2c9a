/*
 * `leash verify`: was a session's log changed?
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/option-tables.h"
#include "cli/records.h"
#include "cli/usage.h"
#include "event/session.h"

enum {
	OPTION_HEAD = 1,
};

const struct option_spec verify_options[] = {
	{ "head", 0, "HASH",
	  "the hash of the last record, kept elsewhere: the log must still end in it", OPTION_HEAD,
	  0 },
	OPTION_HELP_ROW,
};
const size_t n_verify_options = ARRAY_SIZE(verify_options);

static const struct usage usage = {
	.name = "verify",
	.arguments = "[SESSION] [FLAGS]",
	.description =
		"Checks that the records of a session's log are whole and in order and that none "
		"was\n"
		"changed, and names the first that is not so. Ends with 0, or 1 for a bad log.\n",
	.options = verify_options,
	.n_options = ARRAY_SIZE(verify_options),
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)id;
	if (strlen(value) != SHA256_HEX_LEN || strspn(value, "0123456789abcdef") != SHA256_HEX_LEN)
		return err_say(err, -EINVAL, "--head %s: expected 64 hexadecimal digits", value);
	*(const char **)ctx = value;
	return 0;
}

/* What session.json says about the end, where it says something. */
static int compare_summary(const struct records *records, const struct event_store_report *report,
			   struct err *err)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT((size_t)64 * 1024 * 1024);
	const struct json *summary = event_session_summary(records->directory, &arena);
	struct span head = json_get_string(summary, "head");
	uint64_t n_events;

	if (head.len && !span_eq_str(head, report->head_hex))
		return err_say(
			err, -EBADMSG,
			"the log does not end in the record that session.json names: records are "
			"missing at its end, or the last one was changed");
	if (head.len && json_to_uint(json_get(summary, "events"), &n_events) &&
	    n_events != report->n_records)
		return err_say(err, -EBADMSG, "session.json counts %llu records, the log has %llu",
			       (unsigned long long)n_events, (unsigned long long)report->n_records);
	return 0;
}

static int verify(const char *name, const char *head, struct err *err)
{
	_cleanup_(records_done) struct records records = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct event_store_report report;
	bool is_open;
	int r = records_open(name, &records, err);

	if (r < 0)
		return r;
	is_open = event_store_is_open(records.directory);
	r = event_reader_verify(records.reader, &report, err);
	if (r == 0 && head && strcmp(head, report.head_hex) != 0)
		r = err_say(err, -EBADMSG, "the log ends in %s", report.head_hex);
	if (r == 0 && !is_open)
		r = compare_summary(&records, &report, err);
	if (r < 0)
		return err_wrap(err, r, "%s", records.directory);
	(void)buf_printf(&out, "session %s: %llu records, none changed%s\nlast record: %s\n",
			 records.id, (unsigned long long)report.n_records,
			 is_open ? ", still being written" : "", report.head_hex);
	if (!is_open && !report.is_stopped)
		log_warning("the log has no session.stop at its end: leash was killed, or records "
			    "are missing");
	r = fd_write_all(STDOUT_FILENO, out.data, out.len);
	return r < 0 ? err_set(err, r, "write the result") : 0;
}

int command_verify(int argc, char **argv)
{
	const char *head = NULL;
	struct err err = { 0 };
	int n_operands;
	int code = usage_parse(&usage, argc, argv, on_option, &head, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands > 1) {
		log_error("verify: one session at a time; see `leash verify --help`");
		return EXIT_USAGE;
	}
	if (verify(n_operands ? argv[0] : NULL, head, &err) == 0)
		return 0;
	log_error("%s", err.text);
	return 1;
}
