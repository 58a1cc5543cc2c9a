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
	ret->log_path = path_join(ret->directory, "events.jsonl");
	ret->log_fd = open(ret->log_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (ret->log_fd < 0)
		return err_set(err, -errno, "open the session's event log %s", ret->log_path);
	return 0;
}

void records_done(struct records *r)
{
	if (r->log_fd >= 0)
		fd_close(TAKE_FD(r->log_fd));
	xfree(r->id);
	xfree(r->directory);
	xfree(r->log_path);
	r->id = r->directory = r->log_path = NULL;
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
