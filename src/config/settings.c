#include "config/settings.h"

#include <errno.h>
#include <stdlib.h>

#include "base/ascii.h"
#include "base/passwd.h"
#include "base/path.h"

const char *const config_settings_tables[] = { "leash", "volumes", "projects", NULL };

struct reading {
	struct config_document *d;
	const char *home;
	struct config_settings *out; /* NULL: only checked, for it does not count here */
	struct err *err;
};

static bool has_nul(struct span s)
{
	return s.len && memchr(s.p, 0, s.len);
}

/* A copy that ends with the document, NUL-terminated. */
static const char *keep(const struct reading *r, struct span s)
{
	const char *copy = arena_dup(&r->d->arena, s);

	if (!copy)
		(void)err_say(r->err, -ENOMEM, "%s is too large", r->d->file);
	return copy;
}

static int take_string(const struct reading *r, const struct toml *v, const char **ret)
{
	if (v->type != TOML_STRING || has_nul(v->text))
		return config_wrong_type(r->d, v, "a string", r->err);
	*ret = keep(r, v->text);
	return *ret ? 0 : -ENOMEM;
}

/* What is said later, of a project, goes before what was said for all. */
static int read_agent(const struct reading *r, const struct toml *v)
{
	if (v->type != TOML_BOOLEAN)
		return config_wrong_type(r->d, v, "true or false", r->err);
	for (size_t i = 0; r->out && i < AGENT_MAX; i++)
		if (span_eq_str(v->key, agent_names[i]))
			r->out->agents[i] = (struct config_agent){ v, v->is_true };
	return 0;
}

/* ---- Paths ------------------------------------------------------------------------------ */

/* ~, ~USER. Appends what it stands for and returns how many bytes it took, 0 for none. */
static size_t append_home(const struct reading *r, struct span text, struct buf *out)
{
	const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;
	size_t len = slash ? (size_t)(slash - text.p) : text.len;
	_cleanup_free_ char *name = NULL, *home = NULL;

	if (!text.len || text.p[0] != '~')
		return 0;
	name = xmemdup0(text.p + 1, len - 1);
	home = *name ? passwd_home(name, 0) : NULL;
	if (*name && !home)
		return 0;
	(void)buf_append_str(out, home ? home : r->home);
	return len;
}

/*
 * $NAME and ${NAME} at the beginning of text. *ret_taken: its bytes, 0 where it is
 * no variable. False: one that is not set, and then nobody knows which path is meant.
 */
static bool append_variable(struct span text, struct buf *out, size_t *ret_taken)
{
	bool is_braced = text.len > 1 && text.p[1] == '{';
	size_t begin = is_braced ? 2 : 1, end = begin;
	_cleanup_free_ char *name = NULL;
	const char *value;

	*ret_taken = 0;
	while (end < text.len && (text.p[end] == '_' || ascii_is_alnum(text.p[end])))
		end++;
	if (end == begin || (is_braced && (end == text.len || text.p[end] != '}')))
		return true;
	name = xmemdup0(text.p + begin, end - begin);
	value = secure_getenv(name);
	*ret_taken = is_braced ? end + 1 : end;
	return value && buf_append_str(out, value) >= 0;
}

/* False: names a variable that is not set. */
static bool expand(const struct reading *r, struct span text, struct buf *out)
{
	text = span_from(text, append_home(r, text, out));
	while (text.len) {
		size_t taken = 0;

		if (text.p[0] == '$' && !append_variable(text, out, &taken))
			return false;
		if (!taken) {
			(void)buf_append_char(out, text.p[0]);
			taken = 1;
		}
		text = span_from(text, taken);
	}
	return true;
}

/*
 * As programs will see it: absolute, links followed as far as it exists. Empty:
 * it has a variable that is not set, in what does not count here.
 */
static int take_path(const struct reading *r, const struct toml *v, const char *base,
		     const char **ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0), absolute = BUF_INIT(0);
	_cleanup_free_ char *path = NULL;

	if (!v->key.len || has_nul(v->key))
		return config_fail_key(r->d, v, r->err, "expected a path");
	if (!expand(r, v->key, &text)) {
		*ret = "";
		return r->out ? config_fail_key(r->d, v, r->err,
						"%.*s names a variable that is not set",
						SPAN_ARG(v->key))
			      : 0;
	}
	(void)path_normalise(span_of(base), buf_span(&text), &absolute);
	path = path_resolve(absolute.data);
	if (!path)
		return config_fail_key(r->d, v, r->err, "cannot resolve %s: %s", absolute.data,
				       strerror(errno));
	*ret = keep(r, span_of(path));
	return *ret ? 0 : -ENOMEM;
}

/* ---- Variables ----------------------------------------------------------------------------- */

static void set_variable(struct config_settings *s, const struct config_variable *v)
{
	for (size_t i = 0; i < s->variables.len; i++)
		if (strcmp(s->variables.items[i].name, v->name) == 0) {
			s->variables.items[i] = *v;
			return;
		}
	vec_push(&s->variables, *v);
}

static int read_variables(const struct reading *r, const struct toml *table)
{
	int code = 0;

	if (table->type != TOML_TABLE)
		return config_wrong_type(r->d, table, "a table", r->err);
	for (const struct toml *v = table->first; v && code == 0; v = v->next) {
		struct config_variable variable = { .at = v };

		if (!v->key.len || has_nul(v->key) || memchr(v->key.p, '=', v->key.len))
			return config_fail_key(r->d, v, r->err, "this is no name of a variable");
		variable.name = keep(r, v->key);
		code = variable.name ? take_string(r, v, &variable.value) : -ENOMEM;
		if (code == 0 && r->out)
			set_variable(r->out, &variable);
	}
	return code;
}

/* ---- Volumes --------------------------------------------------------------------------------- */

static void remove_volume(struct config_settings *s, const char *source)
{
	size_t n = 0;

	for (size_t i = 0; i < s->volumes.len; i++)
		if (strcmp(s->volumes.items[i].source, source) != 0)
			s->volumes.items[n++] = s->volumes.items[i];
	s->volumes.len = n;
}

/* Engines know more modes than these; what is neither forbids nothing. */
static bool says_read_only(struct span mode)
{
	while (mode.len) {
		const char *comma = memchr(mode.p, ',', mode.len);
		size_t len = comma ? (size_t)(comma - mode.p) : mode.len;

		if (len == 2 && memcmp(mode.p, "ro", 2) == 0)
			return true;
		mode = span_from(mode, len + (comma ? 1 : 0));
	}
	return false;
}

static int read_target(const struct reading *r, const struct toml *v, struct config_volume *ret)
{
	struct span target = v->text, mode = { 0 };
	const char *colon;

	if (v->type != TOML_STRING || has_nul(v->text))
		return config_wrong_type(r->d, v, "\"/TARGET\" or \"/TARGET:ro\"", r->err);
	colon = target.len ? memchr(target.p, ':', target.len) : NULL;
	if (colon) {
		target.len = (size_t)(colon - target.p);
		mode = span_from(v->text, target.len + 1);
	}
	if (!target.len || target.p[0] != '/')
		return config_fail(
			r->d, v, r->err,
			"the target must be an absolute path, \"/TARGET\" or \"/TARGET:ro\"");
	ret->is_read_only = says_read_only(mode);
	ret->target = keep(r, target);
	return ret->target ? 0 : -ENOMEM;
}

/* base: of relative sources. */
static int read_volume(const struct reading *r, const struct toml *v, const char *base,
		       bool may_remove)
{
	struct config_volume volume = { .at = v };
	int code = take_path(r, v, base, &volume.source);

	if (code < 0)
		return code;
	if (may_remove && v->type == TOML_BOOLEAN && !v->is_true) {
		if (r->out)
			remove_volume(r->out, volume.source);
		return 0;
	}
	code = read_target(r, v, &volume);
	if (code == 0 && r->out) {
		remove_volume(r->out, volume.source);
		vec_push(&r->out->volumes, volume);
	}
	return code;
}

static int read_volumes(const struct reading *r, const struct toml *table, const char *base,
			bool may_remove)
{
	int code = 0;

	if (table->type != TOML_TABLE)
		return config_wrong_type(r->d, table, "a table", r->err);
	for (const struct toml *v = table->first; v && code == 0; v = v->next)
		code = config_is_one_of(v->key, agent_names) ? read_agent(r, v)
							     : read_volume(r, v, base, may_remove);
	return code;
}

/* ---- For every directory ------------------------------------------------------------------------
 */

static int read_image(const struct reading *r, const struct toml *v)
{
	const char *image = NULL;
	int code = take_string(r, v, &image);

	if (code == 0 && r->out) {
		r->out->target_image = image;
		r->out->target_image_at = v;
	}
	return code;
}

static int read_leash(const struct reading *r, const struct toml *table)
{
	static const char *const known[] = { "target_image", "envvars", NULL };
	int code = 0;

	if (table->type != TOML_TABLE)
		return config_wrong_type(r->d, table, "a table", r->err);
	for (const struct toml *v = table->first; v && code == 0; v = v->next) {
		if (span_eq_str(v->key, "target_image"))
			code = read_image(r, v);
		else if (span_eq_str(v->key, "envvars"))
			code = read_variables(r, v);
		else if (!config_is_one_of(v->key, agent_names)) /* old files have them here, where
							they never did anything */
			code = config_unknown_key(r->d, v, known, r->err);
	}
	return code;
}

/* ---- Projects ---------------------------------------------------------------------------------
 */

static bool is_path(struct span key)
{
	return key.len && (strchr("/~$.", key.p[0]) || memchr(key.p, '/', key.len));
}

static int read_project_member(const struct reading *r, const struct toml *v, const char *directory)
{
	static const char *const known[] = { "target_image", "envvars",	 "volumes",
					     "claude",	     "codex",	 "gemini",
					     "qwen",	     "opencode", NULL };

	if (config_is_one_of(v->key, agent_names))
		return read_agent(r, v);
	if (span_eq_str(v->key, "target_image"))
		return read_image(r, v);
	if (span_eq_str(v->key, "envvars"))
		return read_variables(r, v);
	if (span_eq_str(v->key, "volumes"))
		return read_volumes(r, v, directory, /* may_remove = */ true);
	if (span_eq_str(v->key, "mounts"))
		return config_fail_key(
			r->d, v, r->err,
			"mounts are called volumes by now: \"SOURCE\" = \"/TARGET\"");
	if (is_path(v->key))
		return read_volume(r, v, directory, /* may_remove = */ true);
	return config_unknown_key(r->d, v, known, r->err);
}

static int read_project(const struct reading *r, const struct toml *table, const char *directory)
{
	int code = 0;

	for (const struct toml *v = table->first; v && code == 0; v = v->next)
		code = read_project_member(r, v, directory);
	return code;
}

/* The nearest above the directory is read in earnest, after all were checked. */
static int read_projects(const struct reading *r, const struct toml *projects,
			 const char *directory)
{
	struct reading check = *r;
	const struct toml *nearest = NULL;
	const char *nearest_path = "";
	int code = 0;

	check.out = NULL;
	if (projects->type != TOML_TABLE)
		return config_wrong_type(r->d, projects, "a table", r->err);
	for (const struct toml *v = projects->first; v && code == 0; v = v->next) {
		const char *path = NULL;

		if (v->type != TOML_TABLE)
			return config_wrong_type(r->d, v, "a table", r->err);
		code = take_path(&check, v, directory, &path);
		if (code == 0)
			code = read_project(&check, v, path);
		if (code == 0 && *path && path_is_within(span_of(directory), span_of(path)) &&
		    strlen(path) >= strlen(nearest_path)) {
			nearest = v;
			nearest_path = path;
		}
	}
	if (code < 0 || !nearest)
		return code;
	if (r->out) {
		r->out->project = nearest;
		r->out->project_directory = nearest_path;
	}
	return read_project(r, nearest, nearest_path);
}

int config_settings_read(struct config_document *d, const char *home, const char *directory,
			 struct config_settings *ret, struct err *err)
{
	struct reading r = { .d = d, .home = home, .out = ret, .err = err };
	const struct toml *leash = toml_get(d->root, "leash"),
			  *volumes = toml_get(d->root, "volumes");
	const struct toml *projects = toml_get(d->root, "projects");
	int code = 0;

	*ret = (struct config_settings){ 0 };
	if (leash)
		code = read_leash(&r, leash);
	if (code == 0 && volumes)
		code = read_volumes(&r, volumes, directory, /* may_remove = */ false);
	if (code == 0 && projects)
		code = read_projects(&r, projects, directory);
	return code;
}

void config_settings_done(struct config_settings *s)
{
	vec_done(&s->variables);
	vec_done(&s->volumes);
}
