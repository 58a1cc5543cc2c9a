#include "cli/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/nearest.h"
#include "event/event.h"

/* Is kind the value itself, or one of the group that value names? */
static bool is_of_kind(struct span kind, const char *value)
{
	struct span group = span_of(value);

	return span_starts_with(kind, group) && (kind.len == group.len || kind.p[group.len] == '.');
}

int filter_add_kind(struct filter *f, const char *value, struct err *err)
{
	struct nearest nearest = { .word = span_of(value) };

	for (int k = EVENT_NONE + 1; k < EVENT_KIND_MAX; k++) {
		const char *name = event_kind_name((enum event_kind)k);

		if (*value && is_of_kind(span_of(name), value)) {
			vec_push(&f->kinds, value);
			return 0;
		}
		nearest_offer(&nearest, name);
	}
	return err_say(err, -EINVAL, "--kind %s: no kind of event is called so%s%s", value,
		       nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "");
}

int filter_add_decision(struct filter *f, const char *value, struct err *err)
{
	if (event_decision_from_name(span_of(value)) == EVENT_DECISION_NONE)
		return err_say(err, -EINVAL,
			       "--decision %s: the decisions are allow, deny, would-deny and asked",
			       value);
	vec_push(&f->decisions, value);
	return 0;
}

int filter_set_path(struct filter *f, const char *value, struct err *err)
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
	xfree(f->path);
	f->path = buf_take(&absolute);
	return 0;
}

static bool matches_any_kind(const struct filter *f, const struct json *event)
{
	struct span kind = json_get_string(event, "kind");

	for (size_t i = 0; i < f->kinds.len; i++)
		if (is_of_kind(kind, f->kinds.items[i]))
			return true;
	return f->kinds.len == 0;
}

static bool matches_any_decision(const struct filter *f, const struct json *event)
{
	struct span decision = json_get_string(event, "decision");

	for (size_t i = 0; i < f->decisions.len; i++)
		if (span_eq_str(decision, f->decisions.items[i]))
			return true;
	return f->decisions.len == 0;
}

static bool matches_path(const struct filter *f, const struct json *event)
{
	struct span path = json_get_string(event, "path");
	struct span target = json_get_string(event, "target");

	return !f->path || (path.len && path_is_within(path, span_of(f->path))) ||
	       (target.len && path_is_within(target, span_of(f->path)));
}

static bool matches_host(const struct filter *f, const struct json *event)
{
	struct span host = json_get_string(event, "host");
	struct span wanted = span_of(f->host);

	if (!f->host)
		return true;
	if (span_starts_with(wanted, SPAN("*."))) {
		wanted = span_from(wanted, 1);
		if (host.len <= wanted.len)
			return false;
		host = span_from(host, host.len - wanted.len);
	}
	return host.len == wanted.len && strncasecmp(host.p, wanted.p, host.len) == 0;
}

static bool matches_number(const struct json *event, const char *key, uint64_t wanted)
{
	uint64_t n;

	return json_to_uint(json_get(event, key), &n) && n == wanted;
}

bool filter_matches(const struct filter *f, const struct json *event)
{
	uint64_t seq;

	return (!f->since || (json_to_uint(json_get(event, "seq"), &seq) && seq > f->since)) &&
	       (!f->pid || matches_number(event, "pid", f->pid)) && matches_any_kind(f, event) &&
	       matches_any_decision(f, event) && matches_path(f, event) && matches_host(f, event);
}

void filter_done(struct filter *f)
{
	vec_done(&f->kinds);
	vec_done(&f->decisions);
	xfree(f->path);
	f->path = NULL;
}
