#include "event/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "event/store-private.h"

#define SUMMARY_MAX_LEN ((size_t)4 * 1024 * 1024) /* it holds the command's arguments */

/* ---- Which there are -------------------------------------------------------- */

bool event_session_is_id(struct span text)
{
	static const char shape[] = "dddddddd-dddddd-aaaa";

	if (text.len != EVENT_SESSION_ID_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		bool is_digit = text.p[i] >= '0' && text.p[i] <= '9';
		bool is_letter = text.p[i] >= 'a' && text.p[i] <= 'z';

		if (shape[i] == '-' ? text.p[i] != '-'
				    : !(is_digit || (shape[i] == 'a' && is_letter)))
			return false;
	}
	return true;
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

int event_session_ids_read(const char *sessions, event_session_ids *ret, struct err *err)
{
	DIR *dir = opendir(sessions);
	struct dirent *entry;
	int error;

	if (!dir)
		return errno == ENOENT ? 0
				       : err_set(err, -errno, "list the sessions in %s", sessions);
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (event_session_is_id(span_of(entry->d_name)))
			vec_push(ret, xstrdup(entry->d_name));
	error = errno;
	(void)closedir(dir);
	if (error)
		return err_set(err, -error, "list the sessions in %s", sessions);
	if (ret->len)
		qsort(ret->items, ret->len, sizeof(*ret->items), newest_first);
	return 0;
}

void event_session_ids_done(event_session_ids *ids)
{
	for (size_t i = 0; i < ids->len; i++)
		xfree(ids->items[i]);
	vec_done(ids);
}

/* ---- How one stands --------------------------------------------------------- */

const struct json *event_session_summary(const char *directory, struct arena *a)
{
	_cleanup_free_ char *path = path_join(directory, "session.json");
	_cleanup_buf_ struct buf text = BUF_INIT(SUMMARY_MAX_LEN);
	struct json *summary;

	if (file_read_at(AT_FDCWD, path, &text) < 0 ||
	    json_parse(a, buf_span(&text), &summary, NULL) < 0)
		return NULL;
	return summary->type == JSON_OBJECT ? summary : NULL;
}

static bool is_locked(const char *directory, const char *name)
{
	_cleanup_free_ char *path = path_join(directory, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && lock_is_taken(fd);
}

bool event_store_is_open(const char *directory)
{
	return is_locked(directory, EVENT_LOCK_NAME) || is_locked(directory, EVENT_OUTSIDE_NAME);
}

static int see_whether_stop(const struct event_record *record, void *ctx)
{
	*(bool *)ctx = record->event.kind == EVENT_SESSION_STOP;
	return 0;
}

int event_session_is_stopped(struct event_reader *reader, struct err *err)
{
	const struct event_query last = { .is_newest_first = true, .limit = 1 };
	bool is_stop = false;
	int64_t n = event_reader_query(reader, &last, see_whether_stop, &is_stop, err);

	return n < 0 ? (int)n : is_stop;
}

static int count_events(struct event_reader *reader, struct event_session *s)
{
	int r = event_reader_last_seq(reader, &s->n_events, NULL);

	if (r == 0)
		r = event_reader_count_decision(reader, EVENT_DENY, &s->n_denied, NULL);
	return r < 0 ? r : event_session_is_stopped(reader, NULL);
}

/* Of a session without a database only its summary tells; there were such before events.db. */
static void believe_summary(struct event_session *s)
{
	if (!json_to_uint(json_get(s->summary, "events"), &s->n_events) ||
	    !json_to_uint(json_get(s->summary, "denied"), &s->n_denied))
		s->n_events = s->n_denied = 0;
	if (span_eq_str(json_get_string(s->summary, "state"), "ended"))
		s->state = "ended";
}

static void read_events(const char *directory, struct event_session *s)
{
	bool is_open = event_store_is_open(directory);
	struct event_reader *reader = NULL;
	int r = event_reader_open(directory, &reader, NULL);

	if (r == -ENOENT) {
		believe_summary(s);
		return;
	}
	if (r == 0)
		r = count_events(reader, s);
	event_reader_free(reader);
	s->state = is_open ? "running" : r < 0 ? "damaged" : r ? "ended" : "died";
}

/* 20260131-142501-k3f9 began at 2026-01-31T14:25:01Z. */
void event_session_started(const char *id, char out[RFC3339_LEN + 1])
{
	(void)snprintf(out, RFC3339_LEN + 1, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4, id + 6,
		       id + 9, id + 11, id + 13);
}

void event_session_read(const char *directory, const char *id, struct arena *a,
			struct event_session *ret)
{
	*ret = (struct event_session){ .id = id,
				       .state = "died",
				       .summary = event_session_summary(directory, a) };
	event_session_started(id, ret->started);
	read_events(directory, ret);
}

/* ---- As JSON ---------------------------------------------------------------- */

static void json_command(const struct event_session *s, size_t max, struct json_writer *w)
{
	const struct json *command = json_get(s->summary, "command");
	const struct json *arg = command ? command->first : NULL;
	size_t len = 0;

	json_key(w, "command");
	json_begin_array(w);
	for (; arg; arg = arg->next) {
		len += arg->text.len + 1;
		if (max && len > max)
			break;
		json_string(w, arg->text);
	}
	json_end_array(w);
	if (arg)
		json_key_bool(w, "command_cut", true);
}

void event_session_json(const struct event_session *s, size_t max_command, struct json_writer *w)
{
	static const char *const copied[] = { "name",	 "runtime", "workspace", "mode",
					      "profile", "policy",  "backend",	 "ended" };
	uint64_t status;

	json_key_string(w, "id", span_of(s->id));
	json_key_string(w, "started", span_of(s->started));
	json_key_string(w, "state", span_of(s->state));
	json_command(s, max_command, w);
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		json_key_string_opt(w, copied[i], json_get_string(s->summary, copied[i]));
	if (json_to_uint(json_get(s->summary, "status"), &status))
		json_key_uint(w, "status", status);
	json_key_uint(w, "events", s->n_events);
	json_key_uint(w, "denied", s->n_denied);
}
