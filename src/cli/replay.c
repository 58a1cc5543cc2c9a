/*
 * `leash replay`: a recorded session under another policy. What was decided is
 * decided again; what would be decided otherwise is said.
 */
#include <stdlib.h>
#include <string.h>

#include "api/replay.h"
#include "base/alloc.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/option-tables.h"
#include "cli/policy-private.h"
#include "cli/records.h"
#include "engine/engine.h"
#include "engine/places.h"
#include "event/session.h"

enum { OPTION_ALL = POLICY_OPTION_OWN };

const struct option_spec replay_options[] = {
	POLICY_ROWS_LAYERS,
	{ "all", 0, NULL, "show every difference, not only the first", OPTION_ALL, 0 },
	POLICY_ROWS_COMMON,
};
const size_t n_replay_options = ARRAY_SIZE(replay_options);

static const struct usage usage = {
	.name = "replay",
	.arguments = "[SESSION] [FLAGS]",
	.description =
		"Decides all operations of a recorded session again, under the policies that a "
		"session would have now in\n"
		"the same workspace, or those named by flags, and says what would be decided "
		"otherwise. SESSION is an id,\n"
		"its beginning or its last four letters; without it the newest session is "
		"replayed. Ends with 0 when\n"
		"nothing would be decided otherwise, 1 when something would, 2 when session or "
		"policy "
		"cannot be read.\n",
	.options = replay_options,
	.n_options = ARRAY_SIZE(replay_options),
	.examples = "  leash replay\n"
		    "  leash replay k3f9 --policy stricter.cedar\n"
		    "  leash replay --profile locked --json\n",
};

#define EXIT_CHANGED 1
#define EXIT_UNREADABLE 2
/* People read so many; --all shows the rest. */
#define MAX_SHOWN 40

struct replaying {
	struct policy_context context;
	struct records records;
	struct arena arena;
	bool want_all;
	char *agent, *workspace, *home;
};

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct replaying *r = ctx;

	(void)id;
	(void)value;
	(void)err;
	r->want_all = true;
	return 0;
}

static void replaying_done(struct replaying *r)
{
	policy_context_done(&r->context);
	records_done(&r->records);
	arena_done(&r->arena);
	xfree(r->agent);
	xfree(r->workspace);
	xfree(r->home);
}

/* The places of a session in an image, and what it may change there. Of its mounts nothing is
 * known. */
static void take_image(struct replaying *r, const struct json *summary)
{
	static const char *const own[] = { PLACES_ROOT, NULL };
	struct policy_context *c = &r->context;
	struct span runtime = json_get_string(summary, "runtime");
	struct span home = json_get_string(summary, "home");

	if (!runtime.len || span_eq_str(runtime, "native") || !home.len)
		return;
	r->home = xmemdup0(home.p, home.len);
	c->layers.environment.home = r->home;
	c->layers.environment.own_paths = own;
	c->layers.environment.is_image = true;
	buf_reset(&c->session_text);
	engine_permit_image(&c->layers, c->layers.environment.workspace, NULL, 0, &c->session_text);
	c->layers.session_text = buf_span(&c->session_text);
}

/* Workspace and agent are the session's; what its flags were is not recorded. */
static void take_place(struct replaying *r)
{
	const struct json *summary = event_session_summary(r->records.directory, &r->arena);
	struct span workspace = json_get_string(summary, "workspace");
	const struct json *command = json_get(summary, "command");
	struct policy_layers *layers = &r->context.layers;

	if (workspace.len) {
		r->workspace = xmemdup0(workspace.p, workspace.len);
		layers->environment.workspace = r->workspace;
		xfree(layers->project_file);
		layers->project_file = path_join(r->workspace, ".leash/policy.cedar");
	}
	if (command && command->first && strcmp(layers->environment.agent, "agent") == 0) {
		struct span name = path_base_name(command->first->text);

		r->agent = xmemdup0(name.p, name.len);
		layers->environment.agent = r->agent;
	}
	take_image(r, summary);
}

static void say_json(const struct replaying *r, const struct replay *replay, struct buf *out)
{
	struct json_writer w = { .out = out };

	json_begin_object(&w);
	json_key_string(&w, "session", span_of(r->records.id));
	replay_json(replay, &w);
	json_end_object(&w);
	(void)buf_append_char(out, '\n');
}

static void say_change(const struct replay_change *c, struct buf *out)
{
	(void)buf_printf(out, "%s -> %s  %s ", policy_verdict_name(c->before),
			 policy_verdict_name(c->after), event_kind_name(c->kind));
	append_visible(out, span_of(c->object));
	if (*c->access)
		(void)buf_printf(out, " (%s)", c->access);
	(void)buf_printf(out, "  %llu time%s, first in %llu", (unsigned long long)c->n,
			 c->n == 1 ? "" : "s", (unsigned long long)c->first_seq);
	if (*c->program) {
		(void)buf_append_str(out, " by ");
		append_visible(out, path_base_name(span_of(c->program)));
	}
	(void)buf_append_str(out, "  [");
	append_visible(out, span_of(c->reasons));
	(void)buf_append_str(out, "]\n");
}

static void say(const struct replaying *r, const struct replay *replay, struct buf *out)
{
	size_t n = r->want_all ? replay->changes.len : MIN(replay->changes.len, (size_t)MAX_SHOWN);

	for (size_t i = 0; i < n; i++)
		say_change(&replay->changes.items[i], out);
	if (n < replay->changes.len)
		(void)buf_printf(out, "... and %zu more; --all shows them\n",
				 replay->changes.len - n);
	if (replay->n_left_out)
		(void)buf_printf(out, "... and %llu events of further kinds\n",
				 (unsigned long long)replay->n_left_out);
	(void)buf_printf(out, "%llu of %llu operations would be decided otherwise\n",
			 (unsigned long long)replay->n_changed,
			 (unsigned long long)replay->n_decided);
}

static int replay_session(struct replaying *r, struct policy *policy)
{
	_cleanup_(replay_done) struct replay replay = { 0 };
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct err err = { 0 };

	if (replay_run(r->records.reader, policy,
		       &(struct replay_options){ .max_changes = REPLAY_MAX_CHANGES }, &replay,
		       &err) < 0) {
		log_error("%s", err.text);
		return EXIT_UNREADABLE;
	}
	if (r->context.want_json)
		say_json(r, &replay, &out);
	else
		say(r, &replay, &out);
	if (print_out(&out))
		return EXIT_UNREADABLE;
	return replay.n_changed ? EXIT_CHANGED : 0;
}

int command_replay(int argc, char **argv)
{
	_cleanup_(replaying_done) struct replaying r = { .arena = ARENA_INIT(0) };
	struct policy *policy;
	struct err err = { 0 };
	int n_operands;
	int code;

	r.context.on_option = on_option;
	r.context.ctx = &r;
	code = policy_context_parse(&r.context, &usage, argc, argv, 1, &n_operands);
	if (code >= 0)
		return code;
	if (records_open(n_operands ? argv[0] : NULL, &r.records, &err) < 0) {
		log_error("%s", err.text);
		return EXIT_UNREADABLE;
	}
	take_place(&r);
	policy = policy_context_open(&r.context);
	if (!policy)
		return EXIT_UNREADABLE;
	code = replay_session(&r, policy);
	policy_unref(policy);
	return code;
}
