#include "cli/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/path.h"
#include "cli/moment.h"

int filter_add_kind(struct event_filter *f, const char *value, struct err *err)
{
	struct nearest nearest = { .word = span_of(value) };

	if (event_filter_add_kind(f, span_of(value)) == 0)
		return 0;
	for (int k = EVENT_NONE + 1; k < EVENT_KIND_MAX; k++)
		nearest_offer(&nearest, event_kind_name((enum event_kind)k));
	return err_say(err, -EINVAL, "--kind %s: no kind of event is called so%s%s", value,
		       nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "");
}

int filter_add_decision(struct event_filter *f, const char *value, struct err *err)
{
	if (event_filter_add_decision(f, span_of(value)) == 0)
		return 0;
	return err_say(err, -EINVAL,
		       "--decision %s: the decisions are allow, deny, would-deny and asked", value);
}

int filter_set_path(struct event_filter *f, const char *value, struct err *err)
{
	_cleanup_buf_ struct buf absolute = BUF_INIT(0);
	char *cwd = getcwd(NULL, 0);
	int r;

	if (!cwd)
		return err_set(err, -errno, "find the current directory");
	r = path_normalise(span_of(cwd), span_of(value), &absolute);
	xfree(cwd);
	if (r < 0)
		return err_set(err, r, "--path %s", value);
	f->path = buf_take(&absolute);
	return 0;
}

int filter_set_since(struct event_filter *f, const char *value, uint64_t now_ns, struct err *err)
{
	if (moment_parse_number(value, UINT64_MAX, &f->since_seq) == 0 ||
	    moment_parse(value, now_ns, &f->since_ns) == 0)
		return 0;
	return err_say(err, -EINVAL, "--since %s: expected " MOMENT_FORMS, value);
}

int filter_set_until(struct event_filter *f, const char *value, uint64_t now_ns, struct err *err)
{
	if ((moment_parse_number(value, UINT64_MAX, &f->until_seq) == 0 && f->until_seq) ||
	    moment_parse(value, now_ns, &f->until_ns) == 0)
		return 0;
	return err_say(err, -EINVAL, "--until %s: expected " MOMENT_FORMS, value);
}
