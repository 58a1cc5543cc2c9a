/*
 * `leash stop`: ends sessions that run.
 */
#include <errno.h>
#include <signal.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/moment.h"
#include "cli/option-tables.h"
#include "cli/running.h"
#include "cli/usage.h"

/* leash's own processes end by then, once the second signal has killed the command. */
#define KILL_WAIT_MS 10000
#define MAX_SECONDS 3600

enum { OPTION_TIME = 1 };

const struct option_spec stop_options[] = {
	{ "time", 't', "SECONDS", "wait so long for the command, then kill it (10)", OPTION_TIME,
	  0 },
	OPTION_HELP_ROW,
};
const size_t n_stop_options = ARRAY_SIZE(stop_options);

static const struct usage usage = {
	.name = "stop",
	.arguments = "[FLAGS] SESSION...",
	.description =
		"Ends sessions that run: the command gets SIGTERM, and is killed with all that it "
		"started\nwhere it has not ended after a while. SESSION is a name that --name "
		"gave, an "
		"id, its\nbeginning or its last four letters. Waits until each is over.\n",
	.options = stop_options,
	.n_options = ARRAY_SIZE(stop_options),
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	(void)id;
	return moment_parse_flag("time", value, MAX_SECONDS, ctx, err);
}

static int end(const struct running_process *p, uint64_t wait_ms, struct err *err)
{
	int r = running_process_signal(p, SIGTERM);

	if (r < 0)
		return err_set(err, r, "stop the session %s", p->session->id);
	return running_process_wait(p, wait_ms);
}

static int stop(const char *name, uint64_t seconds, struct err *err)
{
	_cleanup_(running_done) struct running r = { 0 };
	_cleanup_(running_process_close) struct running_process p = { .fd = -1 };
	int code = running_find(name, &r, err);

	if (code >= 0)
		code = running_process_open(&r, &p, err);
	if (code < 0)
		return code;
	code = end(&p, seconds * 1000, err);
	/* The second one does not wait for the command. */
	if (code == 0)
		code = end(&p, KILL_WAIT_MS, err);
	return code == 0 ? err_say(err, -ETIMEDOUT, "the session %s does not end", r.id) : code;
}

int command_stop(int argc, char **argv)
{
	uint64_t seconds = 10;
	int n_operands, n_failed = 0;
	int code = usage_parse(&usage, argc, argv, on_option, &seconds, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands == 0) {
		log_error("stop: name the sessions; `leash ps` lists them");
		return EXIT_USAGE;
	}
	for (int i = 0; i < n_operands; i++) {
		struct err err = { 0 };

		if (stop(argv[i], seconds, &err) >= 0)
			continue;
		log_error("%s", err.text);
		n_failed++;
	}
	return n_failed > 0;
}
