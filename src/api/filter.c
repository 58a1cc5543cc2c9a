#include "api/filter.h"

#include "base/path.h"

enum text_key { KEY_PATH, KEY_HOST, KEY_EXE, KEY_TEXT, N_TEXT_KEYS };

static const char *const text_names[N_TEXT_KEYS] = { "path", "host", "exe", "text" };

static bool refuse(struct api_call *c, const char *key, const char *why)
{
	api_problem_key(c, span_of(key), "%s: %s", key, why);
	return false;
}

static bool set_text(struct api_call *c, struct event_filter *f, enum text_key key, struct span value,
		     struct arena *arena)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);
	const char **fields[N_TEXT_KEYS] = { &f->path, &f->host, &f->exe, &f->text };
	const char *copy;

	if (value.len == 0 || memchr(value.p, 0, value.len))
		return refuse(c, text_names[key], "it must be a text without NUL");
	if (key == KEY_PATH) {
		if (value.p[0] != '/' || path_normalise(SPAN("/"), value, &path) < 0)
			return refuse(c, text_names[key], "it must be an absolute path");
		value = buf_span(&path);
	}
	copy = arena_dup(arena, value);
	if (!copy)
		return refuse(c, text_names[key], "it is too long");
	*fields[key] = copy;
	return true;
}

static bool add_name(struct api_call *c, struct event_filter *f, bool is_kind, struct span name)
{
	int r = is_kind ? event_filter_add_kind(f, name) : event_filter_add_decision(f, name);

	return r >= 0 || refuse(c, is_kind ? "kind" : "decision", "there is none of that name");
}

/* With commas between them. */
static bool add_names(struct api_call *c, struct event_filter *f, bool is_kind, struct span list)
{
	while (list.len) {
		const char *comma = memchr(list.p, ',', list.len);
		struct span name = span_make(list.p, comma ? (size_t)(comma - list.p) : list.len);

		if (!add_name(c, f, is_kind, name))
			return false;
		list = span_from(list, name.len + 1);
	}
	return true;
}

static bool set_number(struct api_call *c, struct event_filter *f, const struct api_query *q)
{
	uint64_t n = 0;

	if (span_eq_str(q->name, "since"))
		return api_query_uint(c, q, INT64_MAX, &f->since_seq);
	if (span_eq_str(q->name, "until"))
		return api_query_uint(c, q, INT64_MAX, &f->until_seq);
	if (!api_query_uint(c, q, INT32_MAX, &n))
		return false;
	f->pid = (int32_t)n;
	return true;
}

int api_filter_parameter(struct api_call *c, struct event_filter *f, const struct api_query *q,
			 struct arena *arena)
{
	for (size_t i = 0; i < N_TEXT_KEYS; i++)
		if (span_eq_str(q->name, text_names[i]))
			return set_text(c, f, (enum text_key)i, q->value, arena) ? 1 : -1;
	if (span_eq_str(q->name, "kind") || span_eq_str(q->name, "decision"))
		return add_names(c, f, span_eq_str(q->name, "kind"), q->value) ? 1 : -1;
	if (span_eq_str(q->name, "pid") || span_eq_str(q->name, "since") || span_eq_str(q->name, "until"))
		return set_number(c, f, q) ? 1 : -1;
	return 0;
}

static bool read_names(struct api_call *c, struct event_filter *f, const struct json *list, bool is_kind)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next)
		if (item->type != JSON_STRING)
			return refuse(c, is_kind ? "kinds" : "decisions", "it must be a list of names");
		else if (!add_name(c, f, is_kind, item->text))
			return false;
	return true;
}

bool api_filter_read(struct api_call *c, struct event_filter *f, const struct json *object,
		     struct arena *arena)
{
	const struct json *kinds, *decisions, *texts[N_TEXT_KEYS], *pid, *since, *until;
	const struct api_key keys[] = {
		{ "kinds", JSON_ARRAY, false, &kinds },
		{ "decisions", JSON_ARRAY, false, &decisions },
		{ "path", JSON_STRING, false, &texts[KEY_PATH] },
		{ "host", JSON_STRING, false, &texts[KEY_HOST] },
		{ "exe", JSON_STRING, false, &texts[KEY_EXE] },
		{ "text", JSON_STRING, false, &texts[KEY_TEXT] },
		{ "pid", JSON_NUMBER, false, &pid },
		{ "since", JSON_NUMBER, false, &since },
		{ "until", JSON_NUMBER, false, &until },
	};
	uint64_t n = 0;

	if (!api_read_object(c, object, "the filter", keys, ARRAY_SIZE(keys)) ||
	    !read_names(c, f, kinds, true) || !read_names(c, f, decisions, false))
		return false;
	for (size_t i = 0; i < N_TEXT_KEYS; i++)
		if (texts[i] && !set_text(c, f, (enum text_key)i, texts[i]->text, arena))
			return false;
	if (!api_read_uint(c, pid, "pid", INT32_MAX, &n) ||
	    !api_read_uint(c, since, "since", INT64_MAX, &f->since_seq) ||
	    !api_read_uint(c, until, "until", INT64_MAX, &f->until_seq))
		return false;
	f->pid = (int32_t)n;
	return true;
}
