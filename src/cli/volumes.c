#include "cli/volumes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"
#include "base/span.h"
#include "base/utf8.h"
#include "policy/text.h"

static bool has_target(const volumes *v, const char *target)
{
	for (size_t i = 0; i < v->len; i++)
		if (strcmp(v->items[i].target, target) == 0)
			return true;
	return false;
}

/* ---- -v ----------------------------------------------------------------------- */

int volumes_add(volumes *ret, const char *home, const char *text, struct err *err)
{
	struct volume v = { 0 };
	struct span rest = span_of(text);
	const char *colon = strchr(text, ':');
	const char *mode;
	_cleanup_free_ char *source = NULL;

	if (!colon || colon == text)
		return err_say(err, -EINVAL,
			       "-v %s: expected SOURCE:TARGET, with :ro to forbid writing", text);
	source = text[0] == '~' ? xasprintf("%s%.*s", home, (int)(colon - text - 1), text + 1)
				: xmemdup0(text, (size_t)(colon - text));
	rest = span_from(rest, (size_t)(colon - text) + 1);
	mode = memchr(rest.p, ':', rest.len);
	if (mode) {
		if (strcmp(mode, ":ro") != 0 && strcmp(mode, ":rw") != 0)
			return err_say(err, -EINVAL, "-v %s: the mode is ro or rw", text);
		v.is_read_only = strcmp(mode, ":ro") == 0;
		rest.len = (size_t)(mode - rest.p);
	}
	if (rest.len == 0 || rest.p[0] != '/')
		return err_say(err, -EINVAL, "-v %s: the target must be an absolute path", text);
	v.source = realpath(source, NULL);
	if (!v.source && (errno == ENOENT || errno == ENOTDIR))
		return err_say(err, -errno,
			       "-v %s: there is no %s here; make it first, or correct its name",
			       text, source);
	if (!v.source)
		return err_set(err, -errno, "-v %s: %s", text, source);
	v.target = xmemdup0(rest.p, rest.len);
	vec_push(ret, v);
	return 0;
}

/* ---- config.toml -------------------------------------------------------------- */

static void add_configured(volumes *ret, const char *file, const struct config_volume *v,
			   bool has_image)
{
	if (has_target(ret, v->target)) {
		log_debug("%s:%zu: -v has something else for %s", file, v->at->key_line, v->target);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *path = i ? v->target : v->source;

		if (i && has_image)
			break; /* the engine makes it */
		if (access(path, F_OK) < 0) {
			log_warning("%s:%zu: %s: %s; the volume is left out", file, v->at->key_line,
				    path, strerror(errno));
			return;
		}
	}
	vec_push(ret, (struct volume){ xstrdup(v->source), xstrdup(v->target), v->is_read_only });
}

void volumes_add_configured(volumes *v, const struct config_document *d,
			    const struct config_settings *settings, bool has_image)
{
	for (size_t i = 0; i < settings->volumes.len; i++)
		add_configured(v, d->file, &settings->volumes.items[i], has_image);
}

/* ---- Agents ------------------------------------------------------------------- */

void volumes_add_agent(volumes *ret, const agent_mounts *mounts, const char *home_inside)
{
	for (size_t i = 0; i < mounts->len; i++) {
		const struct agent_mount *m = &mounts->items[i];
		struct volume v = { .source = m->is_there ? realpath(m->source, NULL) : NULL };

		if (!v.source)
			continue;
		v.target = path_join(home_inside, m->target);
		if (has_target(ret, v.target)) {
			xfree(v.source);
			xfree(v.target);
			continue;
		}
		vec_push(ret, v);
	}
}

/* ---- The policy --------------------------------------------------------------- */

int volumes_permit(const volumes *list, struct buf *text, struct err *err)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct volume *v = &list->items[i];

		if (!utf8_is_valid(span_of(v->target)))
			return err_say(err, -EINVAL, "-v: a target must be UTF-8");
		(void)buf_printf(text,
				 "permit (principal, action in Action::\"%s\", resource in Dir::",
				 v->is_read_only ? "FileOpenReadOnly" : "FileOpen");
		(void)text_append_literal(span_of(v->target), text);
		(void)buf_append_str(text, ");\n");
	}
	return 0;
}

void volumes_done(volumes *v)
{
	for (size_t i = 0; i < v->len; i++) {
		xfree(v->items[i].source);
		xfree(v->items[i].target);
	}
	vec_done(v);
}
