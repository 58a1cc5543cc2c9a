/*
 * The session as its API sees it: what it is and does, its policy's layers, and
 * how they are changed.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/browser.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/session-private.h"

bool session_has_api(const struct session *s)
{
	return s->options->listen && s->options->listen->address[0];
}

/* ---- What it is -------------------------------------------------------------------- */

static bool is_in_force(const struct session *s)
{
	return s->is_released && s->generation && s->announced == s->generation;
}

static void describe(void *ctx, struct api_facts *ret)
{
	const struct session *s = ctx;
	const struct session_options *o = s->options;

	*ret = (struct api_facts){
		.id = o->id,
		.directory = o->directory,
		.argv = s->shown_argv,
		.agent = o->layers->environment.agent,
		.workspace = o->workspace,
		.runtime = o->runtime ? o->runtime : "native",
		.pid = o->outer_pid ? o->outer_pid : getpid(),
		.home = o->home,
		.backend = "supervisor",
		.profile = o->layers->policy_file ? "" : o->layers->environment.profile,
		.policy_file = o->layers->policy_file,
		.started_ns = s->started_ns,
		.mode = o->layers->environment.mode,
		.generation = s->announced,
		.n_policies = s->n_policies,
		.n_events = s->journal.n_events,
		.n_denied = s->journal.n_denied,
		.n_would_deny = s->journal.n_would_deny,
		.n_lost = s->journal.n_lost,
		.is_ready = is_in_force(s),
		.is_ending = s->is_ending || s->n_terminations > 0,
	};
}

/* As a SIGTERM to leash: the second one does not wait for the command. */
static void stop(void *ctx)
{
	struct session *s = ctx;

	if (++s->n_terminations > 1)
		session_end(s, 128 + SIGTERM, NULL);
	else
		(void)sandbox_signal(&s->sandbox, SIGTERM);
}

static void on_appended(uint64_t seq, struct span json, const struct event *e, void *ctx)
{
	struct session *s = ctx;

	api_publish(s->api, seq, json, e);
}

static void watch(void *ctx, bool on)
{
	struct session *s = ctx;

	s->journal.subscriber_ctx = s;
	s->journal.subscriber = on ? on_appended : NULL;
}

static void flush(void *ctx)
{
	struct session *s = ctx;

	/* What a program inside has just done is there as well. */
	journal_drain(&s->journal);
	journal_flush(&s->journal);
}

static void breathe(void *ctx)
{
	struct session *s = ctx;

	journal_drain(&s->journal);
}

/* ---- Its policy's layers -------------------------------------------------------------- */

static void add_layer(struct api_layers *ret, struct api_layer l)
{
	if (ret->n < API_MAX_LAYERS)
		ret->items[ret->n++] = l;
}

static const struct policy_text *find_text(const struct session *s, enum policy_layer layer,
					   const char *name, struct policy_text *ret)
{
	for (size_t i = 0; s->source && i < policy_source_n_texts(s->source); i++) {
		*ret = policy_source_text_at(s->source, i);
		if (ret->layer == layer && (!name || strcmp(ret->file, name) == 0))
			return ret;
	}
	return NULL;
}

/* Of one that there may be; true: it is there, or want_always. */
static bool add_text_layer(const struct session *s, enum policy_layer layer, const char *name,
			   bool want_always, struct api_layers *ret)
{
	struct policy_text text;
	const struct policy_text *found = find_text(s, layer, name, &text);

	if (!found && !want_always)
		return false;
	add_layer(ret, (struct api_layer){ .layer = layer,
					   .name = name ? name : found->file,
					   .text = found ? found->text : (struct span){ 0 },
					   .is_there = found != NULL });
	return true;
}

static void add_session_layers(const struct session *s, struct api_layers *ret)
{
	if (add_text_layer(s, POLICY_LAYER_SESSION, POLICY_LAYERS_COMMAND_NAME, false, ret))
		ret->items[ret->n - 1].is_in_memory = true;
	if (add_text_layer(s, POLICY_LAYER_SESSION, POLICY_LAYERS_RUNTIME_NAME, true, ret))
		ret->items[ret->n - 1].is_in_memory = true;
	ret->session = ret->n - 1;
}

static void layers(void *ctx, struct api_layers *ret)
{
	const struct session *s = ctx;
	const struct policy_layers *l = s->options->layers;

	(void)add_text_layer(s, POLICY_LAYER_OWN, NULL, false, ret);
	(void)add_text_layer(s, POLICY_LAYER_PROFILE, NULL, false, ret);
	(void)add_text_layer(s, policy_layers_editable(l), policy_layers_editable_file(l), true,
			     ret);
	ret->editable = ret->n - 1;
	ret->items[ret->editable].is_in_memory = l->kept_text != NULL;
	if (add_text_layer(s, POLICY_LAYER_PROJECT, l->project_file, false, ret)) {
		ret->items[ret->n - 1].n_ignored = policy_source_ignored(s->source);
		ret->items[ret->n - 1].is_trusted = policy_source_is_trusted(s->source);
	}
	add_session_layers(s, ret);
}

static struct policy_source *source(void *ctx)
{
	struct session *s = ctx;

	return s->source;
}

/* A change's own copies of its texts: they may be of the source that goes with it. */
struct texts {
	char *policy, *session;
};

static void texts_done(struct texts *t)
{
	xfree(t->policy);
	xfree(t->session);
}

static int copy_text(struct span text, char **ret, struct err *err)
{
	if (text.len && memchr(text.p, 0, text.len))
		return err_say(err, -EINVAL, "a policy must not have a NUL in it");
	*ret = xmemdup0(text.p ? text.p : "", text.len);
	return 0;
}

/* The layers as they would be; ret_texts is to be done with in any case. */
static int load_changed(const struct session *s, const struct api_change *change,
			struct policy_findings *list, struct buf *report, struct texts *ret_texts,
			struct policy_source **ret, struct err *err)
{
	struct policy_layers l = *s->options->layers;
	int r = 0;

	if (change->has_text)
		r = copy_text(change->text, &ret_texts->policy, err);
	if (r >= 0 && change->has_session)
		r = copy_text(change->session, &ret_texts->session, err);
	if (r < 0)
		return r;
	if (change->has_text)
		l.kept_text = ret_texts->policy;
	if (change->has_session)
		l.runtime_text = ret_texts->session;
	if (change->has_mode)
		l.environment.mode = change->mode;
	r = policy_layers_load(&l, /* color = */ false, report, list, ret, err);
	if (r >= 0)
		policy_source_collect(*ret, NULL);
	return r;
}

static int load(void *ctx, const struct api_change *change, struct policy_findings *list,
		struct buf *report, struct policy_source **ret, struct err *err)
{
	_cleanup_(texts_done) struct texts texts = { 0 };

	return load_changed(ctx, change, list, report, &texts, ret, err);
}

/* ---- Changing them ---------------------------------------------------------------------- */

/* The file that a link leads to is the one that is replaced; its mode stays. */
static int write_file(const char *file, struct span text, struct err *err)
{
	struct stat st;
	unsigned mode = stat(file, &st) == 0 ? st.st_mode & 0777 : 0600;
	_cleanup_free_ char *target = NULL;

	if (!policy_layers_is_blank(text))
		return file_replace_target(file, text, mode, /* want_sync = */ true, err);
	target = path_resolve(file);
	return target && (unlink(target) == 0 || errno == ENOENT)
		       ? 0
		       : err_set(err, -errno, "%s", file);
}

/* In the file if that can be written; else this session alone keeps it. */
static void store_text(struct session *s, char **text)
{
	struct policy_layers *l = s->options->layers;
	struct err err = { 0 };

	xfree(l->kept_text);
	l->kept_text = NULL;
	if (write_file(policy_layers_editable_file(l), span_of(*text), &err) < 0) {
		log_warning("the changed policy is kept for this session only: %s", err.text);
		l->kept_text = TAKE_PTR(*text);
	}
	session_watch_more(s);
	session_note_files(s);
}

static int apply(void *ctx, const struct api_change *change, struct policy_findings *list,
		 struct buf *report, struct api_applied *ret, struct err *err)
{
	struct session *s = ctx;
	struct policy_layers *l = s->options->layers;
	_cleanup_(texts_done) struct texts texts = { 0 };
	struct policy_source *next = NULL;
	int r = load_changed(s, change, list, report, &texts, &next, err);

	if (r < 0)
		return r;
	s->is_reload_quiet = true;
	r = session_put_into_force(s, next, err);
	if (r < 0)
		return r;
	if (change->has_text)
		store_text(s, &texts.policy);
	if (change->has_session) {
		xfree(l->runtime_text);
		l->runtime_text = change->session.len ? TAKE_PTR(texts.session) : NULL;
	}
	if (change->has_mode)
		l->environment.mode = change->mode;
	*ret = (struct api_applied){ .generation = s->generation,
				     .is_in_memory = l->kept_text != NULL,
				     .name = policy_layers_editable_file(l) };
	return 0;
}

/* ---- Its life ------------------------------------------------------------------------------ */

static void open_browser(const struct session *s)
{
	struct err err = { 0 };

	if (browser_is_there() && browser_open(api_url(s->api), s->options->token_file, &err) < 0)
		log_notice("%s", err.text);
}

static int open_listener(const struct session *s, struct err *err)
{
	return s->options->listen->fd >= 0 ? 0 : api_listen_open(s->options->listen, err);
}

void session_start_api(struct session *s)
{
	const struct api_host host = { .ctx = s,
				       .describe = describe,
				       .stop = stop,
				       .watch = watch,
				       .flush = flush,
				       .breathe = breathe,
				       .layers = layers,
				       .source = source,
				       .load = load,
				       .apply = apply };
	struct err err = { 0 };

	if (s->api || s->is_ending || !session_has_api(s))
		return;
	if (open_listener(s, &err) < 0 || api_start(&s->loop, s->options->listen, &host,
						    s->options->token_file, &s->api, &err) < 0) {
		log_warning("the control page is not served: %s", err.text);
		api_listen_close(s->options->listen);
		s->options->listen->address[0] = 0;
	}
}

void session_announce_api(struct session *s)
{
	const char *url;

	if (!session_has_api(s) || !(s->options->want_url || s->options->want_browser))
		return;
	session_start_api(s);
	if (!s->api)
		return;
	/* What is no terminal may be kept, and the token in the URL is a secret. */
	url = api_url(s->api);
	log_notice("control page: %.*s",
		   (int)(isatty(STDERR_FILENO) ? strlen(url) : strcspn(url, "#")), url);
	if (s->options->want_browser)
		open_browser(s);
}

void session_api_applied(struct session *s, double ms)
{
	if (s->api)
		api_applied(s->api, s->announced, ms);
}

void session_stop_api(struct session *s)
{
	struct api *api = TAKE_PTR(s->api);

	s->journal.subscriber = NULL;
	if (!api)
		return;
	api_stop(api);
	browser_forget(s->options->token_file);
	/* What was said last goes out, and what was closed is freed. */
	(void)uv_run(&s->loop, UV_RUN_NOWAIT);
}
