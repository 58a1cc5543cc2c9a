/*
 * The sessions that were recorded beside this one: which there are, and their events.
 */
#include <errno.h>
#include <stdio.h>

#include "api/handlers.h"
#include "api/private.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"
#include "event/session.h"

#define PAGE_DEFAULT 50

/* All of them lie beside each other. Newly allocated. */
static char *sessions_directory(const struct api *a)
{
	const struct api_facts f = api_describe(a);
	const char *slash = strrchr(f.directory, '/');

	return xmemdup0(f.directory, slash ? (size_t)(slash - f.directory) : 0);
}

struct event_reader *api_events_of(struct api_call *c, struct span session,
				   struct event_reader **ret_own)
{
	_cleanup_free_ char *sessions = sessions_directory(c->api);
	_cleanup_free_ char *directory = NULL;
	char id[EVENT_SESSION_ID_LEN + 1];
	struct err err = { 0 };
	struct api_facts f;
	int r;

	f = api_describe(c->api);
	if (!session.len || span_eq_str(session, f.id))
		return api_events(c);
	if (!event_session_is_id(session)) {
		api_problem_key(c, SPAN("session"), "this is not the id of a session");
		return NULL;
	}
	(void)snprintf(id, sizeof(id), "%.*s", SPAN_ARG(session));
	directory = path_join(sessions, id);
	r = event_reader_open(directory, ret_own, &err);
	if (r == -ENOENT)
		api_problem(c, 404, "there is no record of a session %s", id);
	else if (r < 0)
		api_problem(c, 503, "%s", err.text);
	return r < 0 ? NULL : *ret_own;
}

/* ---- GET /api/sessions --------------------------------------------------------- */

struct sessions_page {
	uint64_t limit;
	struct span before; /* an id; empty: from the newest on */
};

static bool read_parameters(struct api_call *c, struct sessions_page *p)
{
	struct api_query q = { .rest = c->query };
	int r;

	while ((r = api_query_next(c, &q)) > 0) {
		if (span_eq_str(q.name, "limit")) {
			if (!api_query_uint(c, &q, LIMIT_API_SESSIONS, &p->limit))
				return false;
		} else if (!span_eq_str(q.name, "before")) {
			api_problem_key(c, q.name, "there is no parameter of that name here");
			return false;
		} else if (!event_session_is_id(q.value)) {
			api_problem_key(c, q.name, "this is not the id of a session");
			return false;
		} else {
			p->before = q.value;
		}
	}
	return r == 0;
}

static void json_session(struct api_call *c, const char *sessions, const char *id,
			 struct json_writer *w)
{
	_cleanup_arena_ struct arena arena = ARENA_INIT(LIMIT_API_ARENA);
	_cleanup_free_ char *directory = path_join(sessions, id);
	struct event_session s;
	struct api_facts f;

	event_session_read(directory, id, &arena, &s);
	/* A database is opened for each: there are others who wait. */
	c->api->host.breathe(c->api->host.ctx);
	f = api_describe(c->api);
	json_begin_object(w);
	event_session_json(&s, LIMIT_API_COMMAND, w);
	json_key_bool(w, "current", strcmp(id, f.id) == 0);
	json_end_object(w);
}

/* Ids sort as the sessions began. */
static bool is_before(const char *id, struct span before)
{
	return !before.len || memcmp(id, before.p, EVENT_SESSION_ID_LEN) < 0;
}

static void answer_list(struct api_call *c, const char *sessions, const struct sessions_page *p,
			const event_session_ids *ids)
{
	struct json_writer *w = api_answer_json(c, 200);
	const char *last = NULL;
	uint64_t n = 0;
	size_t i = 0;

	json_begin_object(w);
	json_key(w, "sessions");
	json_begin_array(w);
	for (; i < ids->len && n < p->limit; i++) {
		if (!is_before(ids->items[i], p->before))
			continue;
		last = ids->items[i];
		json_session(c, sessions, last, w);
		n++;
	}
	json_end_array(w);
	json_key(w, "next");
	if (last && i < ids->len)
		json_string(w, span_of(last));
	else
		json_null(w);
	json_end_object(w);
}

void answer_sessions(struct api_call *c)
{
	_cleanup_(event_session_ids_done) event_session_ids ids = { 0 };
	_cleanup_free_ char *sessions = sessions_directory(c->api);
	struct sessions_page p = { .limit = PAGE_DEFAULT };
	struct err err = { 0 };

	if (!read_parameters(c, &p))
		return;
	if (event_session_ids_read(sessions, &ids, &err) < 0)
		api_problem(c, 503, "%s", err.text);
	else
		answer_list(c, sessions, &p, &ids);
}
