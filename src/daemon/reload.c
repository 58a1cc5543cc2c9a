#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/session-private.h"
#include "proxy/proxy.h"
#include "supervise/supervise.h"

/* Editors write in several steps; a reload waits until the file has been quiet for so long. */
#define SETTLE_MS 10

static void free_strings(char **strings)
{
	for (char **s = strings; s && *s; s++)
		xfree(*s);
	xfree(strings);
}

/*
 * What a policy lets be written may not exist yet; then the directory in which
 * it would be made must be writable. Replaces each path by its longest part
 * that exists.
 */
static char **existing_parts(char **paths)
{
	for (char **path = paths; *path; path++) {
		char *end = *path + strlen(*path);

		while (end > *path + 1 && access(*path, F_OK) < 0) {
			while (end > *path + 1 && end[-1] != '/')
				end--;
			while (end > *path + 1 && end[-1] == '/')
				end--;
			*end = 0;
		}
	}
	return paths;
}

int session_load_policy(struct session *s, struct err *err)
{
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	int r = policy_layers_load(s->options->layers, log_want_color(STDERR_FILENO), &report, /* list = */ NULL,
				   &s->loaded, err);

	/* Warnings are for `leash policy check`; here they would stand before every session. */
	if (report.len && (r < 0 || s->options->is_verbose))
		log_text(report.data, report.len);
	if (r < 0)
		return r;
	if (policy_source_ignored(s->loaded))
		log_notice("permits of %s are ignored: look at it, then say `leash policy trust`",
			   s->options->layers->project_file);
	s->n_policies = policy_source_len(s->loaded);
	s->writable = existing_parts(policy_source_writable(s->loaded));
	return 0;
}

int session_compile_policy(struct session *s, int *ret_bundle_fd, struct err *err)
{
	struct policy_source *source = TAKE_PTR(s->loaded);

	*ret_bundle_fd = policy_source_bundle(source, ++s->generation, err);
	/* The API shows what is in force. */
	if (session_has_api(s))
		s->source = source;
	else
		policy_source_free(source);
	return *ret_bundle_fd < 0 ? *ret_bundle_fd : 0;
}

static bool is_listed(char *const *strings, const char *wanted)
{
	for (; strings && *strings; strings++)
		if (path_is_within(span_of(wanted), span_of(*strings)))
			return true;
	return false;
}

/* What the new policy lets be written may have been read-only at mount level until now. */
static int widen_mounts(struct session *s, const struct policy_source *source, struct err *err)
{
	char **wanted = existing_parts(policy_source_writable(source));
	int r = 0;

	for (char **path = wanted; *path && r >= 0; path++)
		if (!is_listed(s->writable, *path))
			r = sandbox_make_writable(&s->sandbox, *path, err);
	if (r < 0) {
		free_strings(wanted);
		return r;
	}
	for (char **old = s->writable; *old; old++)
		if (!is_listed(wanted, *old)) {
			/* Still writable at mount level; the policy alone decides there now. */
			size_t n = 0;

			while (wanted[n])
				n++;
			wanted = xrealloc_array(wanted, n + 2, sizeof(*wanted));
			wanted[n] = xstrdup(*old);
			wanted[n + 1] = NULL;
		}
	free_strings(s->writable);
	s->writable = wanted;
	return 0;
}

static void report_rejected(struct session *s, const struct buf *report, const struct err *err)
{
	struct event e = { .kind = EVENT_POLICY_APPLIED,
			   .backend = EVENT_BACKEND_DAEMON,
			   .generation = s->generation,
			   .error = EINVAL,
			   .message = span_of(err->text) };

	log_error("the changed policy was not applied, the old one stays in force: %s\n%s", err->text,
		  report->len ? report->data : "");
	journal_write(&s->journal, &e);
}

/* A proxy that has not started yet begins with the newest. */
static int keep_for_proxy(struct session *s, int bundle_fd, struct err *err)
{
	int fd = fd_dup(bundle_fd);

	if (fd < 0)
		return err_set(err, fd, "keep the policy for the proxy");
	fd_close(s->bundle_fd);
	s->bundle_fd = fd;
	return 0;
}

static int distribute(struct session *s, int bundle_fd, struct err *err)
{
	int r = child_send(&s->supervisor, SUPERVISE_POLICY, (struct span){ 0 }, &bundle_fd, 1, err);

	if (r >= 0 && s->proxy.pid)
		r = child_send(&s->proxy, PROXY_POLICY, (struct span){ 0 }, &bundle_fd, 1, err);
	else if (r >= 0)
		r = keep_for_proxy(s, bundle_fd, err);
	return r;
}

int session_put_into_force(struct session *s, struct policy_source *source, struct err *err)
{
	_cleanup_close_ int bundle_fd = -1;
	uint64_t now = clock_monotonic_ns();
	int r = widen_mounts(s, source, err);

	if (r >= 0) {
		bundle_fd = policy_source_bundle(source, s->generation + 1, err);
		r = bundle_fd;
	}
	if (r < 0) {
		policy_source_free(source);
		return r;
	}
	s->n_policies = policy_source_len(source);
	policy_source_free(s->source);
	s->source = source;
	s->generation++;
	s->reload_started_ns = now;
	if (distribute(s, bundle_fd, err) < 0)
		session_end(s, EXIT_LEASH_FAILED, err->text);
	return 0;
}

/* ---- Files as they were read -------------------------------------------------- */

static void see(const char *file, struct seen_file *ret)
{
	struct stat st;

	*ret = (struct seen_file){ 0 };
	if (!file || stat(file, &st) < 0)
		return;
	*ret = (struct seen_file){
		.device = st.st_dev, .inode = st.st_ino, .size = st.st_size, .changed = st.st_mtim
	};
}

static void see_files(const struct session *s, struct seen_file seen[SESSION_MAX_WATCHES])
{
	const struct policy_layers *l = s->options->layers;

	see(l->policy_file, &seen[0]);
	see(l->user_file, &seen[1]);
	see(l->project_file, &seen[2]);
}

static bool is_as_seen(const struct seen_file *a, const struct seen_file *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

void session_note_files(struct session *s)
{
	see_files(s, s->seen);
	s->has_seen = true;
}

/* After a change of our own nothing is left to be done. */
static bool is_seen(const struct session *s)
{
	struct seen_file now[SESSION_MAX_WATCHES];

	if (!s->has_seen)
		return false;
	see_files(s, now);
	for (size_t i = 0; i < SESSION_MAX_WATCHES; i++)
		if (!is_as_seen(&now[i], &s->seen[i]))
			return false;
	return true;
}

static int reload(struct session *s, struct buf *report, struct err *err)
{
	struct policy_source *source = NULL;
	int r;

	s->has_seen = false;
	s->is_reload_quiet = false;
	r = policy_layers_load(s->options->layers, /* color = */ false, report, /* list = */ NULL,
			       &source, err);
	return r < 0 ? r : session_put_into_force(s, source, err);
}

static void on_settled(uv_timer_t *timer)
{
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	struct session *s = timer->data;
	struct err err = { 0 };

	if (!s->is_released) {
		(void)uv_timer_start(timer, on_settled, SETTLE_MS,
				     0); /* nobody to send it to yet */
		return;
	}
	if (is_seen(s))
		return;
	if (reload(s, &report, &err) < 0)
		report_rejected(s, &report, &err);
}

void session_policy_applied(struct session *s, uint64_t *applied, uint64_t generation)
{
	struct event e = { .kind = EVENT_POLICY_APPLIED,
			   .backend = EVENT_BACKEND_DAEMON,
			   .generation = generation,
			   .count = s->n_policies };
	uint64_t took_ns = 0;

	*applied = generation;
	if (s->supervisor_applied != s->generation || s->proxy_applied != s->generation ||
	    s->announced == s->generation)
		return;
	s->announced = s->generation;
	/* What was decided before the mode changed says so. */
	journal_drain(&s->journal);
	s->journal.mode = policy_mode_name(s->options->layers->environment.mode);
	if (s->reload_started_ns) {
		took_ns = clock_monotonic_ns() - s->reload_started_ns;
		e.latency_us = (uint32_t)(took_ns / 1000);
		/* Whoever changed it through the API has an answer; the terminal is the agent's. */
		if (!s->is_reload_quiet)
			log_notice("policy reloaded: %zu policies in force", s->n_policies);
	}
	journal_write(&s->journal, &e);
	session_api_applied(s, (double)took_ns / (double)NS_PER_MS);
}

static void on_file_event(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct session *s = watch->data;

	(void)name;
	(void)events;
	if (status >= 0)
		(void)uv_timer_start(&s->reload_timer, on_settled, SETTLE_MS, 0);
}

/* libuv reports each entry of a watched directory; only ours counts. */
static void on_directory_event(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct session *s = watch->data;
	const struct policy_layers *l = s->options->layers;
	const char *const files[] = { l->policy_file, l->user_file, l->project_file };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i] && name && span_eq_str(path_base_name(span_of(files[i])), name))
			on_file_event(watch, name, events, status);
}

/* The directory, because editors replace a file instead of writing into it. */
static int watch_directory_of(struct session *s, uv_fs_event_t *watch, const char *file)
{
	struct span above = path_directory(span_of(file));
	_cleanup_free_ char *directory = xmemdup0(above.p, above.len);
	int r = uv_fs_event_init(&s->loop, watch);

	watch->data = s;
	if (r < 0 || access(directory, F_OK) < 0)
		return r; /* a layer whose directory is not there appears with the next session */
	return uv_fs_event_start(watch, on_directory_event, directory, 0);
}

int session_watch_policy(struct session *s, struct err *err)
{
	const struct policy_layers *l = s->options->layers;
	const char *const files[SESSION_MAX_WATCHES] = { l->policy_file, l->policy_file ? NULL : l->user_file,
							 l->project_file };
	int r = uv_timer_init(&s->loop, &s->reload_timer);

	s->reload_timer.data = s;
	for (size_t i = 0; i < SESSION_MAX_WATCHES && r >= 0; i++)
		if (files[i])
			r = watch_directory_of(s, &s->watches[i], files[i]);
	return r < 0 ? err_set(err, r, "watch the policy files") : 0;
}

void session_watch_more(struct session *s)
{
	const struct policy_layers *l = s->options->layers;
	uv_fs_event_t *watch = &s->watches[1];
	struct span above;
	_cleanup_free_ char *directory = NULL;

	if (l->policy_file || !watch->data || uv_is_active((uv_handle_t *)watch))
		return;
	above = path_directory(span_of(l->user_file));
	directory = xmemdup0(above.p, above.len);
	(void)uv_fs_event_start(watch, on_directory_event, directory, 0);
}

void session_stop_watching(struct session *s)
{
	(void)uv_timer_stop(&s->reload_timer);
	for (size_t i = 0; i < SESSION_MAX_WATCHES; i++)
		if (s->watches[i].data)
			(void)uv_fs_event_stop(&s->watches[i]);
}
