/*
 * `leash sessions rm` and `leash sessions prune`: what is no longer wanted.
 */
#include <errno.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/config-file.h"
#include "cli/directories.h"
#include "cli/moment.h"
#include "cli/retention.h"
#include "cli/sessions-private.h"
#include "cli/state.h"

/* So many at a time, beside a session that has just begun. */
#define QUIET_MAX 100

/* ---- rm ---------------------------------------------------------------------- */

static const struct option_spec rm_options[] = {
	OPTION_HELP_ROW,
};

static const struct usage rm_usage = {
	.name = "sessions rm",
	.arguments = "SESSION...",
	.description = "Removes sessions with their events. One that runs is not removed.\n",
	.options = rm_options,
	.n_options = ARRAY_SIZE(rm_options),
};

static int remove_named(const char *state, const char *name, struct err *err)
{
	_cleanup_free_ char *id = NULL;
	_cleanup_free_ char *directory = NULL;
	int r = state_session_find(state, name, &id, &directory, err);

	return r < 0 ? r : retention_remove(state, id, err);
}

static int rm_main(int argc, char **argv)
{
	_cleanup_free_ char *home = NULL;
	_cleanup_free_ char *state = NULL;
	struct err err = { 0 };
	int n_operands, n_failed = 0;
	int code = usage_parse(&rm_usage, argc, argv, usage_no_option, NULL, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands == 0) {
		log_error("sessions rm: name the sessions; `leash sessions` lists them");
		return EXIT_USAGE;
	}
	home = home_directory(&err);
	state = home ? state_directory(home) : NULL;
	for (int i = 0; i < n_operands; i++) {
		if (state && remove_named(state, argv[i], &err) == 0)
			continue;
		log_error("%s", err.text);
		n_failed++;
	}
	return n_failed > 0;
}

/* ---- prune ------------------------------------------------------------------- */

enum {
	OPTION_DRY_RUN = 1,
	OPTION_KEEP_DAYS,
	OPTION_KEEP_MB,
	OPTION_QUIET,
};

static const struct option_spec prune_options[] = {
	{ "dry-run", 0, NULL, "only say what would be removed", OPTION_DRY_RUN, 0 },
	{ "keep-days", 0, "N",
	  "remove sessions that ended more than N days ago; 0 for none (config.toml, or 30)",
	  OPTION_KEEP_DAYS, 0 },
	{ "keep-mb", 0, "N",
	  "remove the oldest sessions until all take N MiB at most; 0 for none (config.toml, or "
	  "1024)",
	  OPTION_KEEP_MB, 0 },
	{ "quiet", 'q', NULL, "say nothing, and remove 100 at most", OPTION_QUIET, 0 },
	OPTION_HELP_ROW,
};

static const struct usage prune_usage = {
	.name = "sessions prune",
	.arguments = "[FLAGS]",
	.description =
		"Removes old sessions, as each session does a moment after it has begun. None that "
		"runs\n"
		"is removed, and none that ended within the last hour.\n",
	.options = prune_options,
	.n_options = ARRAY_SIZE(prune_options),
};

#define NOT_GIVEN UINT64_MAX

struct prune {
	bool is_dry_run, is_quiet;
	uint64_t days, mb; /* NOT_GIVEN: as the configuration says */
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct prune *p = ctx;

	switch (id) {
	case OPTION_DRY_RUN:
		p->is_dry_run = true;
		return 0;
	case OPTION_KEEP_DAYS:
		return moment_parse_flag("keep-days", value, RETENTION_MAX_DAYS, &p->days, err);
	case OPTION_KEEP_MB:
		return moment_parse_flag("keep-mb", value, RETENTION_MAX_MB, &p->mb, err);
	case OPTION_QUIET:
		p->is_quiet = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int read_retention(const struct prune *p, const char *home, struct retention *ret,
			  struct err *err)
{
	_cleanup_free_ char *config = config_directory(home);
	_cleanup_(config_done) struct config_document d = { 0 };
	int r = config_read(config, &d, err);

	if (r >= 0)
		r = config_take_retention(&d, ret, err);
	if (p->days != NOT_GIVEN)
		ret->days = p->days;
	if (p->mb != NOT_GIVEN)
		ret->mb = p->mb;
	return r;
}

static void say(const struct prune *p, const struct retention_victim *v,
		const struct retention *keep, struct buf *out)
{
	(void)buf_printf(out, "%s %s, %.1f MiB: ", p->is_dry_run ? "would remove" : "removed",
			 v->id, (double)v->bytes / 1048576);
	if (v->is_too_old)
		(void)buf_printf(out, "ended more than %llu days ago\n",
				 (unsigned long long)keep->days);
	else
		(void)buf_printf(out, "the sessions take more than %llu MiB\n",
				 (unsigned long long)keep->mb);
}

static int prune(const struct prune *p, struct buf *out, struct err *err)
{
	_cleanup_(retention_victims_done) retention_victims victims = { 0 };
	struct retention keep = RETENTION_DEFAULT;
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = home ? state_directory(home) : NULL;
	_cleanup_free_ char *runtime = home ? runtime_directory(home) : NULL;
	bool is_complete = true;
	int r = state ? read_retention(p, home, &keep, err) : -ENOENT;

	if (r == 0)
		r = retention_plan(&keep, state, p->is_quiet ? QUIET_MAX : SIZE_MAX, &victims, err);
	for (size_t i = 0; r == 0 && i < victims.len; i++) {
		/* One that cannot be removed keeps none of the others. */
		if (p->is_dry_run || retention_remove(state, victims.items[i].id, err) == 0)
			say(p, &victims.items[i], &keep, out);
		else
			is_complete = false;
	}
	if (state && !p->is_dry_run)
		state_runtime_clean(state, runtime);
	return r < 0 ? r : is_complete ? 0 : err->code;
}

static int prune_main(int argc, char **argv)
{
	struct prune p = { .days = NOT_GIVEN, .mb = NOT_GIVEN };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct err err = { 0 };
	int n_operands, r;
	int code = usage_parse(&prune_usage, argc, argv, on_option, &p, &n_operands);

	if (code >= 0)
		return code;
	if (n_operands) {
		log_error("sessions prune: takes no words; `leash sessions rm` removes one");
		return EXIT_USAGE;
	}
	r = prune(&p, &out, &err);
	if (r < 0)
		log_error("%s", err.text);
	if (!p.is_quiet && fd_write_all(STDOUT_FILENO, out.data, out.len) < 0)
		return 1;
	return r < 0;
}

/* ---- The table --------------------------------------------------------------- */

static const struct subcommand items[] = {
	{ "rm", &rm_usage, "remove sessions", rm_main },
	{ "prune", &prune_usage, "remove old sessions, or say which would be", prune_main },
};

/* Without one of these words `leash sessions` lists; its help is its own. */
const struct subcommand_group sessions_group = { "sessions", items, ARRAY_SIZE(items), NULL };
