#include "cli/agent-access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"
#include "base/utf8.h"
#include "cli/agent-prompt.h"
#include "cli/config-file.h"
#include "policy/text.h"

static const char *variable_of(const void *environment, const char *name)
{
	const char *value = environment ? environment_get(environment, name) : NULL;

	return value ? value : secure_getenv(name);
}

void agent_places_find(const struct agent *a, const char *home, const struct environment *e,
		       agent_mounts *ret)
{
	agent_mounts_find(a, home, variable_of, e, ret);
}

static const struct config_agent *decision_of(const struct agent_access *a, size_t i)
{
	return &a->settings->agents[i];
}

/* ---- The question --------------------------------------------------------------------------- */

static bool is_any(const agent_mounts *mounts, bool (*is)(const struct agent_mount *m))
{
	for (size_t i = 0; i < mounts->len; i++)
		if (is(&mounts->items[i]))
			return true;
	return false;
}

static bool is_moved(const struct agent_mount *m)
{
	return m->is_moved;
}

static bool is_present(const struct agent_mount *m)
{
	return m->is_there && !m->is_file;
}

/*
 * Does the session have them without anybody's word? The profiles permit the usual places, and
 * where a policy file stands for the profile its author has decided.
 */
static bool is_had_anyway(const struct agent_access *a, const agent_mounts *mounts)
{
	if (a->has_image)
		return false;
	return a->has_policy_file || strcmp(a->profile, "permissive") == 0 ||
	       (strcmp(a->profile, "guarded") == 0 && !is_any(mounts, is_moved));
}

static char *shorten(const char *home, const char *path)
{
	return path_is_below(span_of(path), span_of(home)) ? xasprintf("~%s", path + strlen(home))
							   : xstrdup(path);
}

static const char *project_of(const struct agent_access *a)
{
	return a->settings->project ? a->settings->project_directory : a->cwd;
}

static enum agent_answer ask(const struct agent_access *a, const agent_mounts *mounts)
{
	_cleanup_free_ char *project = shorten(a->home, project_of(a));
	_cleanup_free_ char *directory = NULL;

	for (size_t i = 0; i < mounts->len && !directory; i++)
		if (is_present(&mounts->items[i]))
			directory = shorten(a->home, mounts->items[i].source);
	return agent_prompt(&(struct agent_question){
		.agent = a->agent->name, .directory = directory, .project = project });
}

/* volumes.claude, or projects."/home/me/app".claude: under the key that the project has already. */
static void remember(const struct agent_access *a, enum agent_answer answer)
{
	struct span keys[3];
	size_t n = 0;
	bool is_allowed = answer != AGENT_ANSWER_NEVER;
	struct err err = { 0 };

	if (answer == AGENT_ANSWER_PROJECT) {
		keys[n++] = SPAN("projects");
		keys[n++] = a->settings->project ? a->settings->project->key : span_of(a->cwd);
	} else {
		keys[n++] = SPAN("volumes");
	}
	keys[n++] = span_of(a->agent->name);
	if (config_store(&(struct config_place){ a->config, a->home, a->cwd }, a->document, keys, n,
			 is_allowed ? SPAN("true") : SPAN("false"), &err) < 0)
		log_warning("the answer holds for this time only: %s", err.text);
}

int agent_access_decide(struct agent_access *a, struct err *err)
{
	_cleanup_(agent_mounts_done) agent_mounts mounts = { 0 };
	enum agent_answer answer;

	a->is_allowed = false;
	if (!a->agent)
		return 0;
	if (decision_of(a, (size_t)(a->agent - agents))->at) {
		a->is_allowed = decision_of(a, (size_t)(a->agent - agents))->is_allowed;
		return 0;
	}
	agent_places_find(a->agent, a->home, a->environment, &mounts);
	if (!a->is_interactive || is_had_anyway(a, &mounts) || !is_any(&mounts, is_present))
		return 0;
	if (!utf8_is_valid(span_of(a->cwd)))
		return err_say(err, -EINVAL, "the current directory's name must be UTF-8");
	answer = ask(a, &mounts);
	a->is_allowed = answer != AGENT_ANSWER_NO && answer != AGENT_ANSWER_NEVER;
	if (answer == AGENT_ANSWER_PROJECT || answer == AGENT_ANSWER_ALWAYS ||
	    answer == AGENT_ANSWER_NEVER)
		remember(a, answer);
	return 0;
}

/* ---- The policy ------------------------------------------------------------------------------ */

/* Inside a pattern of `like`, where a star is none. */
static void append_pattern(struct buf *out, const char *path)
{
	for (; *path; path++) {
		if (strchr("\"\\*", *path))
			(void)buf_append_char(out, '\\');
		(void)buf_append_char(out, *path);
	}
}

static void append_like(struct buf *out, const char *path, const char *rest)
{
	(void)buf_append_str(out, "resource.path like \"");
	append_pattern(out, path);
	(void)buf_printf(out, "%s\"", rest);
}

static void append_entity(struct buf *out, const char *type, const char *path, const char *end)
{
	(void)buf_printf(out, "%s::", type);
	(void)text_append_literal(span_of(path), out);
	(void)buf_append_str(out, end);
}

static void permit_file(const struct agent *a, const struct agent_mount *m, struct buf *out)
{
	(void)buf_printf(out,
			 "@id(\"agent-%s\") permit (principal, action in Action::\"FileOpen\", "
			 "resource) when { ",
			 a->name);
	append_like(out, m->source, "*");
	(void)buf_append_str(out, " };\n");
}

/* Readable whole; writable but for what would run later, outside; and never moved as a whole. */
static void permit_directory(const struct agent *a, const struct agent_mount *m, struct buf *out)
{
	static const char *const actions[] = { "FileOpenReadOnly", "FileOpenReadWrite" };

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		(void)buf_printf(out,
				 "@id(\"agent-%s\") permit (principal, action in Action::\"%s\", "
				 "resource in ",
				 a->name, actions[i]);
		append_entity(out, "Dir", m->source, ")");
		for (size_t p = 0; i && p < ARRAY_SIZE(a->protected) && a->protected[p]; p++) {
			_cleanup_free_ char *rest = xasprintf("/%s", a->protected[p]);

			(void)buf_append_str(out, p ? " || " : " unless { ");
			append_like(out, m->source, rest);
		}
		(void)buf_append_str(out, i && a->protected[0] ? " };\n" : ";\n");
	}
	(void)buf_printf(out,
			 "@id(\"agent-%s-moved\") forbid (principal, action == "
			 "Action::\"FileDelete\", resource == ",
			 a->name);
	append_entity(out, "File", m->source, ");\n");
}

/* What a variable of the caller's leads to may be more than the agent's own. */
static bool is_too_much(const struct agent_access *a, const struct agent_mount *m)
{
	_cleanup_free_ char *real = path_resolve(m->source);

	if (m->is_file)
		return false;
	if (real && !path_is_within(span_of(a->home), span_of(real)) &&
	    !path_is_within(span_of(a->cwd), span_of(real)))
		return false;
	log_warning("%s leads to %s, which holds more than what is %s's: it is not permitted",
		    m->place->variable ? m->place->variable : "a link", m->source, a->agent->name);
	return true;
}

static void forbid(const struct agent *a, const struct agent_mount *m, struct buf *out)
{
	(void)buf_printf(out,
			 "@id(\"agent-%s\") forbid (principal, action in [Action::\"FileOpen\", "
			 "Action::\"ProcessExec\"], resource) when { resource == ",
			 a->name);
	append_entity(out, "File", m->source, " || ");
	if (m->is_file) {
		append_like(out, m->source, "*");
	} else {
		(void)buf_append_str(out, "resource in ");
		append_entity(out, "Dir", m->source, "");
	}
	(void)buf_append_str(out, " };\n");
}

static bool is_listed(const agent_mounts *mounts, size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(mounts->items[i].source, source) == 0)
			return true;
	return false;
}

/*
 * Where the session says that they are, and, of those that are kept out, where the caller has them
 * as well: what is kept there is not to be had because another place was named.
 */
static void find_places(const struct agent_access *a, const struct agent *of, bool is_allowed,
			agent_mounts *ret)
{
	size_t n;

	agent_places_find(of, a->home, a->environment, ret);
	n = ret->len;
	if (is_allowed || !a->environment)
		return;
	agent_places_find(of, a->home, NULL, ret);
	for (size_t i = n; i < ret->len;)
		if (is_listed(ret, n, ret->items[i].source)) {
			xfree(ret->items[i].source);
			ret->items[i] = ret->items[--ret->len];
		} else {
			i++;
		}
}

static int add_places(const struct agent_access *a, const struct agent *of, bool is_allowed,
		      struct buf *out, struct err *err)
{
	_cleanup_(agent_mounts_done) agent_mounts mounts = { 0 };

	find_places(a, of, is_allowed, &mounts);
	/* The profile says the same, and says why. */
	if (is_allowed && !a->has_policy_file && is_had_anyway(a, &mounts))
		return 0;
	for (size_t i = 0; i < mounts.len; i++) {
		const struct agent_mount *m = &mounts.items[i];

		if (!utf8_is_valid(span_of(m->source)))
			return err_say(err, -EINVAL,
				       "the directory of %s must have a name in UTF-8", of->name);
		if (!is_allowed)
			forbid(of, m, out);
		else if (m->is_file)
			permit_file(of, m, out);
		else if (!is_too_much(a, m))
			permit_directory(of, m, out);
	}
	return 0;
}

int agent_access_policy(const struct agent_access *a, struct buf *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < AGENT_MAX && r == 0; i++) {
		const struct config_agent *d = decision_of(a, i);

		if (a->agent == &agents[i] && a->is_allowed)
			r = add_places(a, &agents[i], /* is_allowed = */ true, out, err);
		else if (d->at && !d->is_allowed)
			r = add_places(a, &agents[i], /* is_allowed = */ false, out, err);
	}
	return r;
}
