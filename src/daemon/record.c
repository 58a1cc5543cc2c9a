#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json-writer.h"
#include "base/log.h"
#include "base/path.h"
#include "daemon/session-private.h"

static void put_text(const struct session *s, struct json_writer *w, const char *key,
		     const char *text)
{
	_cleanup_free_ char *clean = redactor_clean_text(s->redactor, text);

	json_key_string(w, key, span_of(clean));
}

void session_record(const struct session *s, const char *state)
{
	_cleanup_free_ char *path = path_join(s->options->directory, "session.json");
	_cleanup_buf_ struct buf out = BUF_INIT(0);
	struct json_writer w = { .out = &out };
	char now[RFC3339_LEN + 1];
	bool is_over = strcmp(state, "running") != 0 && s->journal.store;
	char head[SHA256_HEX_LEN + 1] = "";
	uint64_t n_written = is_over ? event_store_head(s->journal.store, head) : 0;
	struct err err = { 0 };

	clock_format_rfc3339(clock_real_ns(), now);
	json_begin_object(&w);
	json_key_string(&w, "id", span_of(s->options->id));
	json_key(&w, "command");
	json_begin_array(&w);
	for (char *const *arg = s->shown_argv; *arg; arg++)
		json_string(&w, span_of(*arg));
	json_end_array(&w);
	put_text(s, &w, "workspace", s->options->workspace);
	json_key_string_opt(&w, "name", span_of(s->options->name ? s->options->name : ""));
	json_key_string(&w, "runtime",
			span_of(s->options->runtime ? s->options->runtime : "native"));
	/* Of the image's user, which ~ in a policy is. */
	if (s->options->runtime)
		put_text(s, &w, "home", s->options->home);
	json_key_bool(&w, "detached", s->options->attach_socket != NULL);
	json_key_string(&w, "state", span_of(state));
	json_key_string(&w, strcmp(state, "running") == 0 ? "started" : "ended", span_of(now));
	json_key_int(&w, "pid", s->options->outer_pid ? s->options->outer_pid : getpid());
	json_key_string(&w, "mode", span_of(policy_mode_name(s->options->layers->environment.mode)));
	json_key_string(&w, "profile", span_of(s->options->layers->policy_file ?
						       "" :
						       s->options->layers->environment.profile));
	if (s->options->layers->policy_file)
		put_text(s, &w, "policy", s->options->layers->policy_file);
	json_key_string(&w, "backend", SPAN("supervisor"));
	if (is_over)
		json_key_int(&w, "status", s->exit_code);
	json_key_uint(&w, "events", is_over ? n_written : s->journal.n_events);
	json_key_uint(&w, "denied", s->journal.n_denied);
	json_key_uint(&w, "would_deny", s->journal.n_would_deny);
	json_key_uint(&w, "lost", s->journal.n_lost);
	/* With the end named here, records that are missing there are noticed; see leash verify. */
	json_key_string_opt(&w, "head", span_of(head));
	json_end_object(&w);
	(void)buf_append_char(&out, '\n');
	if (file_replace(path, buf_span(&out), 0600, /* want_sync = */ false, &err) < 0)
		log_warning("%s", err.text);
}
