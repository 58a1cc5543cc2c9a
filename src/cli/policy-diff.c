/* `leash policy diff`: what two policies say and decide differently. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/policy-private.h"
#include "policy/difference.h"

enum { OPTION_ALL = POLICY_OPTION_OWN };

static const struct option_spec options[] = {
	{ "agent", 0, "NAME", "the principal, Agent::\"NAME\" (default: agent)",
	  POLICY_OPTION_AGENT, 0 },
	{ "all", 0, NULL, "show every difference, not only the first", OPTION_ALL, 0 },
	POLICY_ROWS_COMMON,
};

const struct usage policy_diff_usage = {
	.name = "policy diff",
	.arguments = "[FLAGS] [OLD] NEW",
	.description =
		"Says which policies only one of the two has, and what they decide differently: "
		"both are asked about\n"
		"requests at the edges of everything that either names. OLD and NEW are files or "
		"built-in profiles\n"
		"(guarded, permissive, locked); without OLD, the policies of a session here. Ends "
		"with 0 when no such\n"
		"request is decided differently, 1 when one is, 2 when a policy cannot be read.\n",
	.options = options,
	.n_options = ARRAY_SIZE(options),
	.examples = "  leash policy diff my.cedar my-new.cedar\n"
		    "  leash policy diff guarded my.cedar\n"
		    "  leash policy diff my.cedar\n",
};

/* People read so many; --all shows the rest. */
#define MAX_SHOWN 40

/* Verbs of one object that go the same way, on one line. */
struct group {
	struct buf verbs;
	char *object, *facts;
	enum decision before, after;
	char *reason; /* the policy that decides the new way, or decided the old; or NULL */
};

struct diffing {
	struct policy_context context;
	bool want_all;
	struct policy_source *sources[2];
	struct policy *policies[2];
	size_t side;   /* whose policies are being said, */
	size_t n_only; /* and how many only one side has */
	struct buf out;
	struct group group;
	size_t n_groups;
};

static void group_done(struct group *g)
{
	buf_done(&g->verbs);
	xfree(g->object);
	xfree(g->facts);
	xfree(g->reason);
	*g = (struct group){ 0 };
}

static void diffing_done(struct diffing *d)
{
	for (size_t i = 0; i < 2; i++) {
		policy_source_free(d->sources[i]);
		policy_unref(d->policies[i]);
	}
	group_done(&d->group);
	buf_done(&d->out);
	policy_context_done(&d->context);
}

static int on_option(int id, const char *value, void *ctx, struct err *err)
{
	struct diffing *d = ctx;

	(void)value;
	(void)err;
	d->want_all = id == OPTION_ALL;
	return 0;
}

/* ---- Reading --------------------------------------------------------------------- */

/* A file, or a profile; NULL: the session's layers. */
static int read_source(struct diffing *d, const char *name, struct policy_source **ret,
		       struct buf *report, struct err *err)
{
	struct policy_environment env = d->context.layers.environment;
	bool is_profile = name && policy_profile_text(name).len && access(name, F_OK) < 0;
	int r;

	if (!name)
		return policy_context_load(&d->context, report, NULL, ret, err);
	if (is_profile)
		env.profile = name;
	*ret = policy_source_new(&env);
	r = policy_source_add_builtin(*ret, /* with_profile = */ is_profile, err);
	return r < 0 || is_profile
		       ? r
		       : policy_source_add_file(*ret, POLICY_LAYER_FILE, name,
						log_want_color(STDERR_FILENO), report, err);
}

static bool read_both(struct diffing *d, const char *const names[2])
{
	for (size_t i = 0; i < 2; i++) {
		_cleanup_buf_ struct buf report = BUF_INIT(0);
		_cleanup_close_ int fd = -1;
		struct err err = { 0 };

		if (read_source(d, names[i], &d->sources[i], &report, &err) >= 0) {
			fd = policy_source_bundle(d->sources[i], 1, &err);
			if (fd >= 0 && policy_open(fd, &d->policies[i], &err) >= 0)
				continue;
		}
		if (report.len)
			log_text(report.data, report.len);
		log_error("%s", err.text);
		return false;
	}
	return true;
}

/* ---- The texts ------------------------------------------------------------------- */

static void append_marked(struct buf *out, char mark, struct span text)
{
	while (text.len) {
		const char *end = memchr(text.p, '\n', text.len);
		size_t len = end ? (size_t)(end - text.p) : text.len;

		(void)buf_printf(out, "%c ", mark);
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\t')
				(void)buf_append_char(out, text.p[i]);
		(void)buf_append_char(out, '\n');
		text = span_from(text, len + 1);
	}
}

static void say_only(const struct policy_item *item, void *ctx)
{
	struct diffing *d = ctx;
	char mark = d->side ? '+' : '-';

	d->n_only++;
	(void)buf_printf(&d->out, "%c ", mark);
	append_visible(&d->out, span_of(item->id));
	(void)buf_append_str(&d->out, " (");
	append_visible(&d->out, span_of(item->file));
	(void)buf_printf(&d->out, ":%zu)\n", item->line);
	append_marked(&d->out, mark, item->text);
}

/* ---- The decisions ------------------------------------------------------------------ */

static void flush_group(struct diffing *d)
{
	struct group *g = &d->group;

	if (!g->object)
		return;
	d->n_groups++;
	if (d->n_groups <= MAX_SHOWN || d->want_all) {
		(void)buf_printf(&d->out, "%s -> %s  %s ", policy_verdict_name(g->before),
				 policy_verdict_name(g->after), g->verbs.data);
		append_visible(&d->out, span_of(g->object));
		if (*g->facts) {
			(void)buf_append_str(&d->out, "  with ");
			append_visible(&d->out, span_of(g->facts));
		}
		if (g->reason) {
			(void)buf_append_str(&d->out, "  (");
			append_visible(&d->out, span_of(g->reason));
			(void)buf_append_char(&d->out, ')');
		}
		(void)buf_append_char(&d->out, '\n');
	}
	group_done(g);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static char *text_of(const struct difference *x,
		     void (*write)(const struct difference *d, struct buf *out))
{
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(&out, "");
	write(x, &out);
	return buf_take(&out);
}

static void on_difference(const struct difference *x, void *ctx)
{
	struct diffing *d = ctx;
	struct group *g = &d->group;
	_cleanup_free_ char *object = text_of(x, difference_write_object);
	_cleanup_free_ char *facts = text_of(x, difference_write_facts);
	const char *reason = difference_policy(x);

	if (!same_text(g->object, object) || !same_text(g->facts, facts) ||
	    g->before != x->before->verdict || g->after != x->after->verdict ||
	    !same_text(g->reason, reason)) {
		flush_group(d);
		g->object = TAKE_PTR(object);
		g->facts = TAKE_PTR(facts);
		g->before = x->before->verdict;
		g->after = x->after->verdict;
		g->reason = reason ? xstrdup(reason) : NULL;
	}
	(void)buf_printf(&g->verbs, "%s%s", g->verbs.len ? "," : "",
			 policy_action_name(x->request->action));
}

/* ---- All ------------------------------------------------------------------------ */

static void say_json(struct diffing *d, struct comparison *ret)
{
	const struct difference_options all = { .max_decisions = SIZE_MAX };
	const struct difference_side before = { d->sources[0], d->policies[0] };
	const struct difference_side after = { d->sources[1], d->policies[1] };
	struct json_writer w = { .out = &d->out };

	json_begin_object(&w);
	difference_json(&w, &before, &after, &all, ret);
	json_end_object(&w);
	(void)buf_append_char(&d->out, '\n');
}

static void say_all(struct diffing *d, struct comparison *ret)
{
	for (d->side = 0; d->side < 2; d->side++)
		difference_only(d->sources[d->side], d->sources[!d->side], say_only, d);
	policy_compare(d->policies[0], d->policies[1], on_difference, NULL, d, ret);
	flush_group(d);
	if (d->n_groups > MAX_SHOWN && !d->want_all)
		(void)buf_printf(&d->out, "... and %zu more; --all shows them\n",
				 d->n_groups - MAX_SHOWN);
	if (ret->n_differences)
		(void)buf_printf(&d->out, "%zu of %zu requests are decided differently\n",
				 ret->n_differences, ret->n_requests);
	else
		(void)buf_printf(&d->out, "the same decision for all of %zu requests%s\n",
				 ret->n_requests, d->n_only ? "" : ", and the same policies");
	if (ret->is_cut)
		(void)buf_append_str(&d->out,
				     "the policies name too much to ask about all of it\n");
}

int policy_diff_main(int argc, char **argv)
{
	_cleanup_(diffing_done) struct diffing d = { .context.on_option = on_option };
	struct comparison result;
	int n_operands, code;

	d.context.ctx = &d;
	code = policy_context_parse(&d.context, &policy_diff_usage, argc, argv, 2, &n_operands);
	if (code >= 0)
		return code;
	if (n_operands == 0) {
		log_error("policy diff: name the policy to compare with");
		return EXIT_USAGE;
	}
	if (!read_both(&d, (const char *const[]){ n_operands == 2 ? argv[0] : NULL,
						  argv[n_operands - 1] }))
		return EXIT_USAGE;
	if (d.context.want_json)
		say_json(&d, &result);
	else
		say_all(&d, &result);
	if (print_out(&d.out))
		return EXIT_USAGE;
	return result.n_differences ? 1 : 0;
}
