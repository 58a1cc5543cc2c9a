/* `leash policy diff`: what two policies say and decide differently. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json-writer.h"
#include "base/log.h"
#include "base/map.h"
#include "cli/command.h"
#include "cli/policy-private.h"
#include "policy/compare.h"
#include "policy/request.h"

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
	size_t n_only[2];
	struct buf out;
	struct json_writer json;
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

static void say_only(struct diffing *d, size_t side, const struct policy_item *item)
{
	d->n_only[side]++;
	if (d->context.want_json) {
		json_begin_object(&d->json);
		json_key_string(&d->json, "in", side ? SPAN("new") : SPAN("old"));
		json_key_string(&d->json, "id", span_of(item->id));
		json_key_string(&d->json, "file", span_of(item->file));
		json_key_uint(&d->json, "line", item->line);
		json_key_string(&d->json, "text", item->text);
		json_end_object(&d->json);
		return;
	}
	(void)buf_printf(&d->out, "%c ", side ? '+' : '-');
	append_visible(&d->out, span_of(item->id));
	(void)buf_append_str(&d->out, " (");
	append_visible(&d->out, span_of(item->file));
	(void)buf_printf(&d->out, ":%zu)\n", item->line);
	append_marked(&d->out, side ? '+' : '-', item->text);
}

/* Policies are the same when leash reads the same, whatever they are called and however they look.
 */
static struct span identity(const struct policy_item *item)
{
	struct span text = item->expanded;

	/* Annotations decide nothing. */
	while (text.len && text.p[0] == '@') {
		const char *end = memchr(text.p, ')', text.len);
		struct span rest = end ? span_from(text, (size_t)(end - text.p) + 1) : text;

		if (!end)
			return text;
		while (rest.len && (rest.p[0] == ' ' || rest.p[0] == '\n'))
			rest = span_from(rest, 1);
		text = rest;
	}
	return text;
}

static void say_texts(struct diffing *d)
{
	for (size_t side = 0; side < 2; side++) {
		const struct policy_source *here = d->sources[side], *there = d->sources[!side];
		struct map known = { 0 };

		for (size_t i = 0; i < policy_source_len(there); i++) {
			const struct policy_item item = policy_source_at(there, i);

			(void)map_put(&known, identity(&item), d);
		}
		for (size_t i = 0; i < policy_source_len(here); i++) {
			const struct policy_item item = policy_source_at(here, i);

			if (item.layer != POLICY_LAYER_OWN && !map_get(&known, identity(&item)))
				say_only(d, side, &item);
		}
		map_done(&known, NULL);
	}
}

/* ---- The decisions ------------------------------------------------------------------ */

static const char *verdict_name(enum decision verdict)
{
	return verdict == DECISION_ALLOW ? "allow" : "deny";
}

static void append_fact(struct buf *out, const char *name, struct span value)
{
	if (!value.len)
		return;
	(void)buf_printf(out, "%s%s=", out->len ? " " : "", name);
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i])
			append_visible(out, span_make(value.p + i, 1));
		else
			(void)buf_append_char(out, ',');
}

/* Only facts that a policy names are worth telling. */
static char *facts_text(const struct difference *x)
{
	static const char *const names[COMPARE_N_FACTS] = {
		"exe",	  "comm",   "cwd",  "ancestors", "argv",
		"method", "scheme", "path", "query",	 "headers",
	};
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)buf_append_str(&out, "");
	for (size_t i = 0; i < COMPARE_N_FACTS; i++)
		if (x->facts->is_named[i])
			append_fact(&out, names[i], x->facts->values[i]);
	return buf_take(&out);
}

static char *object_text(const struct difference *x)
{
	const struct policy_request *r = x->request;
	_cleanup_buf_ struct buf id = BUF_INIT(0);
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	if (r->action == POLICY_MCP_CALL) {
		append_visible(&out, r->server);
		(void)buf_append_char(&out, '/');
	}
	(void)request_resource_id(r, &id);
	append_visible(&out, buf_span(&id));
	if (r->is_directory && id.len > 1)
		(void)buf_append_char(&out, '/');
	(void)buf_append_str(&out, "");
	return buf_take(&out);
}

static const char *reason_of(const struct difference *x)
{
	if (x->after->n_reasons)
		return x->after->reasons[0];
	return x->before->n_reasons ? x->before->reasons[0] : NULL;
}

static void flush_group(struct diffing *d)
{
	struct group *g = &d->group;

	if (!g->object)
		return;
	d->n_groups++;
	if (d->context.want_json) {
		json_begin_object(&d->json);
		json_key_string(&d->json, "actions", buf_span(&g->verbs));
		json_key_string(&d->json, "object", span_of(g->object));
		json_key_string_opt(&d->json, "facts", span_of(g->facts));
		json_key_string(&d->json, "old", span_of(verdict_name(g->before)));
		json_key_string(&d->json, "new", span_of(verdict_name(g->after)));
		json_key_string_opt(&d->json, "policy", span_of(g->reason));
		json_end_object(&d->json);
	} else if (d->n_groups <= MAX_SHOWN || d->want_all) {
		(void)buf_printf(&d->out, "%s -> %s  %s %s", verdict_name(g->before),
				 verdict_name(g->after), g->verbs.data, g->object);
		if (*g->facts)
			(void)buf_printf(&d->out, "  with %s", g->facts);
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

static void on_difference(const struct difference *x, void *ctx)
{
	struct diffing *d = ctx;
	struct group *g = &d->group;
	_cleanup_free_ char *object = object_text(x);
	_cleanup_free_ char *facts = facts_text(x);

	if (!same_text(g->object, object) || !same_text(g->facts, facts) ||
	    g->before != x->before->verdict || g->after != x->after->verdict ||
	    !same_text(g->reason, reason_of(x))) {
		flush_group(d);
		g->object = TAKE_PTR(object);
		g->facts = TAKE_PTR(facts);
		g->before = x->before->verdict;
		g->after = x->after->verdict;
		g->reason = reason_of(x) ? xstrdup(reason_of(x)) : NULL;
	}
	(void)buf_printf(&g->verbs, "%s%s", g->verbs.len ? "," : "",
			 policy_action_name(x->request->action));
}

/* ---- All ------------------------------------------------------------------------ */

static void say_json(struct diffing *d, struct comparison *ret)
{
	json_begin_object(&d->json);
	json_key(&d->json, "policies");
	json_begin_array(&d->json);
	say_texts(d);
	json_end_array(&d->json);
	json_key(&d->json, "decisions");
	json_begin_array(&d->json);
	policy_compare(d->policies[0], d->policies[1], on_difference, NULL, d, ret);
	flush_group(d);
	json_end_array(&d->json);
	json_key_uint(&d->json, "requests", ret->n_requests);
	json_key_uint(&d->json, "differences", ret->n_differences);
	json_key_bool(&d->json, "complete", !ret->is_cut);
	json_end_object(&d->json);
	(void)buf_append_char(&d->out, '\n');
}

static void say_all(struct diffing *d, struct comparison *ret)
{
	say_texts(d);
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
				 ret->n_requests,
				 d->n_only[0] || d->n_only[1] ? "" : ", and the same policies");
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
	d.json.out = &d.out;
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
