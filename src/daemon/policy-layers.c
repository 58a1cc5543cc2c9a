#include "daemon/policy-layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "daemon/trust.h"

struct loading {
	const struct policy_layers *layers;
	struct policy_source *source;
	bool color;
	struct buf *report;
	struct err *err; /* of the first layer that failed */
	int code;
};

/* The first error is the one that is returned; the others are in the report. */
static void note(struct loading *l, int r, const struct err *err)
{
	if (r >= 0 || l->code < 0)
		return;
	l->code = r;
	if (l->err)
		*l->err = *err;
}

/* Only a file that is not there is no layer; one that cannot be read is an error. */
static bool is_there(const char *file)
{
	return file && (access(file, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR));
}

static void add_file(struct loading *l, enum policy_layer layer, const char *file)
{
	struct err err = { 0 };

	note(l, policy_source_add_file(l->source, layer, file, l->color, l->report, &err), &err);
}

char *policy_layers_project_name(const struct policy_layers *l)
{
	return realpath(l->project_file, NULL);
}

/* What is hashed is what is used: the file is read once. */
static void add_project(struct loading *l)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	_cleanup_free_ char *name = policy_layers_project_name(l->layers);
	const char *file = l->layers->project_file;
	struct err err = { 0 };
	int r = policy_file_read(file, &text, &err);

	if (r < 0) {
		note(l, r, &err);
		return;
	}
	if (name && l->layers->trusted && trust_holds(l->layers->trusted, name, buf_span(&text)))
		policy_source_trust_project(l->source);
	note(l,
	     policy_source_add_file_text(l->source, POLICY_LAYER_PROJECT, file, buf_span(&text),
					 l->color, l->report, &err),
	     &err);
}

const char *policy_layers_editable_file(const struct policy_layers *l)
{
	return l->policy_file ? l->policy_file : l->user_file;
}

enum policy_layer policy_layers_editable(const struct policy_layers *l)
{
	return l->policy_file ? POLICY_LAYER_FILE : POLICY_LAYER_USER;
}

bool policy_layers_is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.p[i]) || !text.p[i])
			return false;
	return true;
}

static void add_kept(struct loading *l, enum policy_layer layer, const char *file)
{
	struct span text = span_of(l->layers->kept_text);
	struct err err = { 0 };

	if (layer == POLICY_LAYER_USER && policy_layers_is_blank(text))
		return;
	note(l, policy_source_add_file_text(l->source, layer, file, text, l->color, l->report, &err), &err);
}

static void add_editable(struct loading *l)
{
	const char *file = policy_layers_editable_file(l->layers);
	enum policy_layer layer = policy_layers_editable(l->layers);

	if (l->layers->kept_text)
		add_kept(l, layer, file);
	else if (layer == POLICY_LAYER_FILE || is_there(file))
		add_file(l, layer, file);
}

static void add_session(struct loading *l, const char *name, struct span text)
{
	struct err err = { 0 };

	if (text.len)
		note(l,
		     policy_source_add_text(l->source, POLICY_LAYER_SESSION, name, text, l->color,
					    l->report, &err),
		     &err);
}

static void add_all(struct loading *l)
{
	const struct policy_layers *layers = l->layers;
	struct err err = { 0 };

	note(l,
	     policy_source_add_builtin(l->source, /* with_profile = */ !layers->policy_file, &err),
	     &err);
	add_editable(l);
	if (is_there(layers->project_file))
		add_project(l);
	add_session(l, POLICY_LAYERS_COMMAND_NAME, layers->session_text);
	add_session(l, POLICY_LAYERS_RUNTIME_NAME, span_of(layers->runtime_text));
}

int policy_layers_load(const struct policy_layers *l, bool color, struct buf *report,
		       struct policy_findings *list, struct policy_source **ret, struct err *err)
{
	struct policy_environment environment = l->environment;
	struct loading loading = { .layers = l, .color = color, .report = report, .err = err };

	environment.policy_file = l->policy_file;
	loading.source = policy_source_new(&environment);
	policy_source_collect(loading.source, list);
	add_all(&loading);
	if (loading.code < 0) {
		policy_source_free(loading.source);
		return loading.code;
	}
	*ret = loading.source;
	return 0;
}
