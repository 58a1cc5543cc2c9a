#include "event/filter.h"

#include <errno.h>

#include "base/path.h"

/* Is kind the value itself, or one of the group that value names? */
static bool is_of_kind(struct span kind, struct span value)
{
	return value.len && span_starts_with(kind, value) &&
	       (kind.len == value.len || kind.p[value.len] == '.');
}

int event_filter_add_kind(struct event_filter *f, struct span value)
{
	uint64_t kinds = 0;

	for (int k = EVENT_NONE + 1; k < EVENT_KIND_MAX; k++)
		if (is_of_kind(span_of(event_kind_name((enum event_kind)k)), value))
			kinds |= EVENT_BIT(k);
	f->kinds |= kinds;
	return kinds ? 0 : -EINVAL;
}

int event_filter_add_decision(struct event_filter *f, struct span value)
{
	enum event_decision d = event_decision_from_name(value);

	if (d == EVENT_DECISION_NONE)
		return -EINVAL;
	f->decisions |= EVENT_BIT(d);
	return 0;
}

static bool is_within(struct span path, const char *wanted)
{
	return path.len && path_is_within(path, span_of(wanted));
}

bool event_host_matches(struct span host, const char *wanted)
{
	struct span w = span_of(wanted);

	if (!span_starts_with(w, SPAN("*.")))
		return span_eq_nocase(host, w);
	w = span_from(w, 1);
	return host.len > w.len && span_eq_nocase(span_from(host, host.len - w.len), w);
}

bool event_exe_matches(struct span exe, const char *wanted)
{
	const char *slash;

	if (strchr(wanted, '/'))
		return span_eq_str(exe, wanted);
	slash = exe.len ? memrchr(exe.p, '/', exe.len) : NULL;
	return span_eq_str(slash ? span_from(exe, (size_t)(slash - exe.p) + 1) : exe, wanted);
}

/* Letters of ASCII count the same in either case. */
static bool holds(struct span s, struct span wanted)
{
	while (s.len >= wanted.len) {
		if (span_eq_nocase(span_make(s.p, wanted.len), wanted))
			return true;
		s = span_from(s, 1);
	}
	return false;
}

static bool matches_text(const struct event *e, const char *text)
{
	const struct span places[] = { e->path, e->target, e->host,    e->url,
				       e->exe,	e->message, e->argv };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].len && holds(places[i], span_of(text)))
			return true;
	return false;
}

bool event_filter_matches(const struct event_filter *f, uint64_t seq, const struct event *e)
{
	return seq > f->since_seq && (!f->until_seq || seq <= f->until_seq) &&
	       (!f->kinds || f->kinds & EVENT_BIT(e->kind)) &&
	       (!f->decisions || f->decisions & EVENT_BIT(e->decision)) &&
	       (!f->pid || e->pid == f->pid) && e->time_ns >= f->since_ns &&
	       (!f->until_ns || e->time_ns <= f->until_ns) &&
	       (!f->path || is_within(e->path, f->path) || is_within(e->target, f->path)) &&
	       (!f->host || event_host_matches(e->host, f->host)) &&
	       (!f->exe || event_exe_matches(e->exe, f->exe)) &&
	       (!f->text || matches_text(e, f->text));
}
