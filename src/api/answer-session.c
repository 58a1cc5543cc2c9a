#include <unistd.h>

#include "api/handlers.h"
#include "api/page.h"
#include "api/private.h"
#include "base/clock.h"

void answer_health(struct api_call *c)
{
	api_answer_text(c, 200, "text/plain; charset=utf-8", SPAN("ok\n"));
}

void answer_ready(struct api_call *c)
{
	struct api_facts f;

	f = api_describe(c->api);
	if (f.is_ready && !f.is_ending)
		api_answer_text(c, 200, "text/plain; charset=utf-8", SPAN("ready\n"));
	else
		api_answer_text(c, 503, "text/plain; charset=utf-8", SPAN("not ready\n"));
}

/* ---- Login ---------------------------------------------------------------------- */

void answer_login(struct api_call *c)
{
	const struct json *token;
	const struct api_key keys[] = { { "token", JSON_STRING, true, &token } };
	const struct api_auth *auth = &c->api->auth;
	_cleanup_buf_ struct buf cookie = BUF_INIT(0);
	struct span kept;

	if (!api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	if (!api_auth_is_token(auth, token->text)) {
		api_problem(c, 401, "this is not the session's token");
		return;
	}
	/* No Secure: this is HTTP, and browsers would drop it on some names of this machine. */
	(void)buf_printf(&cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict", auth->cookie_name,
			 auth->cookie);
	if (!api_keep(c, buf_span(&cookie), &kept))
		return;
	c->status = 204;
	api_answer_field(c, "set-cookie", kept);
}

/* ---- The session ------------------------------------------------------------------ */

void api_json_counters(struct json_writer *w, const struct api_facts *f)
{
	json_key(w, "counters");
	json_begin_object(w);
	json_key_uint(w, "events", f->n_events);
	json_key_uint(w, "denied", f->n_denied);
	json_key_uint(w, "would_deny", f->n_would_deny);
	json_key_uint(w, "lost", f->n_lost);
	json_end_object(w);
}

static void json_time(struct json_writer *w, const char *key, uint64_t ns)
{
	char text[RFC3339_LEN + 1];

	clock_format_rfc3339(ns, text);
	json_key_string(w, key, span_of(text));
}

static void json_listen(struct json_writer *w, const struct api_listen *l)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);

	(void)buf_printf(&text, strchr(l->address, ':') ? "[%s]:%u" : "%s:%u", l->address, l->port);
	json_key(w, "listen");
	json_begin_array(w);
	json_string(w, buf_span(&text));
	json_end_array(w);
}

void answer_session(struct api_call *c)
{
	const struct api *a = c->api;
	struct api_facts f;
	struct json_writer *w;

	if (!api_query_is_empty(c))
		return;
	f = api_describe(a);
	w = api_answer_json(c, 200);
	json_begin_object(w);
	json_key_string(w, "id", span_of(f.id));
	json_key_string(w, "version", SPAN(LEASH_VERSION));
	json_key_string(w, "state", f.is_ending ? SPAN("ending") : SPAN("running"));
	json_key(w, "command");
	json_begin_array(w);
	for (char *const *arg = f.argv; *arg; arg++)
		json_string(w, span_of(*arg));
	json_end_array(w);
	json_key_string(w, "agent", span_of(f.agent));
	json_key_string(w, "workspace", span_of(f.workspace));
	json_key_string(w, "home", span_of(f.home));
	json_time(w, "started", f.started_ns);
	json_key_uint(w, "uptime_ms", (clock_real_ns() - f.started_ns) / NS_PER_MS);
	json_key_int(w, "pid", f.pid);
	json_key_string(w, "runtime", span_of(f.runtime));
	json_key_string(w, "backend", span_of(f.backend));
	json_key_string(w, "mode", span_of(policy_mode_name(f.mode)));
	json_key_string(w, "profile", span_of(f.profile));
	json_key_string_opt(w, "policy_file", span_of(f.policy_file));
	json_key_uint(w, "generation", f.generation);
	json_key_uint(w, "policies", f.n_policies);
	api_json_counters(w, &f);
	json_listen(w, &a->auth.listen);
	json_key_uint(w, "clients", a->live.n);
	json_end_object(w);
}

void answer_session_stop(struct api_call *c)
{
	struct json_writer *w;

	if (!api_query_is_empty(c) || !api_read_body(c, NULL, 0))
		return;
	w = api_answer_json(c, 202);
	json_begin_object(w);
	json_key_string(w, "state", SPAN("ending"));
	json_end_object(w);
	c->api->host.stop(c->api->host.ctx);
}

/* ---- The mode --------------------------------------------------------------------- */

static const enum policy_mode modes[] = { POLICY_ENFORCE, POLICY_SHADOW, POLICY_RECORD };

void answer_mode(struct api_call *c)
{
	struct api_facts f;
	struct json_writer *w;

	if (!api_query_is_empty(c))
		return;
	f = api_describe(c->api);
	w = api_answer_json(c, 200);
	json_begin_object(w);
	json_key_string(w, "mode", span_of(policy_mode_name(f.mode)));
	json_key(w, "modes");
	json_begin_array(w);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		json_string(w, span_of(policy_mode_name(modes[i])));
	json_end_array(w);
	json_end_object(w);
}

void answer_mode_change(struct api_call *c)
{
	struct api_change change = { .has_mode = true };
	const struct json *mode;
	const struct api_key keys[] = { { "mode", JSON_STRING, true, &mode } };

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	if (policy_mode_from_name(mode->text, &change.mode) < 0)
		api_problem_key(c, SPAN("mode"), "the modes are enforce, shadow and record");
	else
		policies_apply(c, &change, policies_answer_applied);
}

void answer_openapi(struct api_call *c)
{
	if (!api_query_is_empty(c))
		return;
	(void)api_answer_json(c, 200);
	c->file = api_openapi;
}
