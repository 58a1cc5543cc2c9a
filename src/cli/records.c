#include "cli/records.h"

#include <errno.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cli/directories.h"
#include "cli/state.h"

#define SUMMARY_MAX_LEN ((size_t)4 * 1024 * 1024) /* it holds the command's arguments */

int records_open(const char *name, struct records *ret, struct err *err)
{
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = home ? state_directory(home) : NULL;
	int r = state ? state_session_find(state, name, &ret->id, &ret->directory, err) : -ENOENT;

	if (r < 0)
		return r;
	return event_reader_open(ret->directory, &ret->reader, err);
}

static int see_whether_stop(const struct event_record *record, void *ctx)
{
	*(bool *)ctx = record->event.kind == EVENT_SESSION_STOP;
	return 0;
}

int records_is_stopped(struct event_reader *reader, struct err *err)
{
	const struct event_query last = { .is_newest_first = true, .limit = 1 };
	bool is_stop = false;
	int64_t n = event_reader_query(reader, &last, see_whether_stop, &is_stop, err);

	return n < 0 ? (int)n : is_stop;
}

void records_done(struct records *r)
{
	event_reader_free(r->reader);
	xfree(r->id);
	xfree(r->directory);
	*r = (struct records){ 0 };
}

const struct json *records_summary(const char *directory, struct arena *a)
{
	_cleanup_free_ char *path = path_join(directory, "session.json");
	_cleanup_buf_ struct buf text = BUF_INIT(SUMMARY_MAX_LEN);
	struct json *summary;

	if (file_read_at(AT_FDCWD, path, &text) < 0 ||
	    json_parse(a, buf_span(&text), &summary, NULL) < 0)
		return NULL;
	return summary->type == JSON_OBJECT ? summary : NULL;
}
