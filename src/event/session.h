/*
 * The sessions that were recorded: one directory for each, below one that has
 * them all. Its name is the session's id; it holds events.db and session.json.
 */
#pragma once

#include "base/clock.h"
#include "base/json-writer.h"
#include "base/json.h"
#include "base/vec.h"
#include "event/store.h"

#define EVENT_SESSION_ID_LEN 20 /* 20260131-142501-k3f9 */

/* Has the text the shape of an id? It is the name of a file then, and no way out of a directory. */
bool event_session_is_id(struct span text);

/* Owned. */
typedef VEC(char *) event_session_ids;

/* The newest first. No such directory is no session. */
int event_session_ids_read(const char *sessions, event_session_ids *ret,
			   struct err *err) _must_check_;
void event_session_ids_done(event_session_ids *ids);

/* session.json; NULL where it is missing or damaged. Lives in the arena. */
const struct json *event_session_summary(const char *directory, struct arena *a);
/* Is the last record a session.stop? 1, 0, or a negative errno. */
int event_session_is_stopped(struct event_reader *reader, struct err *err) _must_check_;

/* When the session of that id began, as RFC 3339 has it. */
void event_session_started(const char *id, char out[RFC3339_LEN + 1]);

struct event_session {
	const char *id; /* the caller's */
	/* "running", "ended", "died" (its writer is gone without an end), or "damaged". */
	const char *state;
	const struct json *summary; /* may be NULL */
	uint64_t n_events, n_denied;
	char started[RFC3339_LEN + 1];
};

/* How the session stands that has the directory. The summary lives in the arena. */
void event_session_read(const char *directory, const char *id, struct arena *a,
			struct event_session *ret);
/* Its members, in an object that is open; of the command no more than so many bytes, 0: all. */
void event_session_json(const struct event_session *s, size_t max_command, struct json_writer *w);
