#include "cli/records.h"

#include <errno.h>

#include "base/alloc.h"
#include "cli/directories.h"
#include "cli/state.h"

int records_open(const char *name, struct records *ret, struct err *err)
{
	_cleanup_free_ char *home = home_directory(err);
	_cleanup_free_ char *state = home ? state_directory(home) : NULL;
	int r = state ? state_session_find(state, name, &ret->id, &ret->directory, err) : -ENOENT;

	if (r < 0)
		return r;
	return event_reader_open(ret->directory, &ret->reader, err);
}

void records_done(struct records *r)
{
	event_reader_free(r->reader);
	xfree(r->id);
	xfree(r->directory);
	*r = (struct records){ 0 };
}
