/*
 * POST /api/policies/complete: what can stand at the cursor, with the paths,
 * hosts and programs of recent events.
 */
#include <errno.h>

#include "api/handlers.h"
#include "api/private.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "cedar/cedar.h"
#include "event/store.h"
#include "policy/complete.h"

/* Events that are looked at, the newest; names that are kept of each kind. */
#define MAX_EVENTS 3000
#define MAX_NAMES 300
#define ITEMS_DEFAULT 75
#define ITEMS_MAX 500
/* What was seen is looked up again after so long. */
#define FRESH_MS 2000

struct names {
	VEC(struct span) list; /* in the arena */
	struct map known;
};

struct api_seen {
	struct arena arena;
	struct names paths, hosts, programs;
	uint64_t until; /* by uv_now: as good as new */
};

static void names_done(struct names *n)
{
	vec_done(&n->list);
	map_done(&n->known, NULL);
}

static void clear(struct api_seen *s)
{
	names_done(&s->paths);
	names_done(&s->hosts);
	names_done(&s->programs);
	arena_done(&s->arena);
	s->arena = (struct arena)ARENA_INIT(LIMIT_API_ARENA);
	s->paths = s->hosts = s->programs = (struct names){ 0 };
}

void api_seen_free(struct api_seen *s)
{
	if (!s)
		return;
	clear(s);
	xfree(s);
}

static void add(struct api_seen *s, struct names *n, struct span name)
{
	char *copy;

	if (!name.len || n->list.len >= MAX_NAMES || map_get(&n->known, name))
		return;
	copy = arena_dup(&s->arena, name);
	if (!copy)
		return;
	(void)map_put(&n->known, name, copy);
	vec_push(&n->list, span_make(copy, name.len));
}

static int on_record(const struct event_record *r, void *ctx)
{
	const struct event *e = &r->event;
	struct api_seen *s = ctx;
	_cleanup_buf_ struct buf peer = BUF_INIT(LIMIT_PATH);

	if (e->path.len && e->path.p[0] == '/')
		add(s, e->kind == EVENT_PROC_EXEC ? &s->programs : &s->paths, e->path);
	if (e->exe.len && e->exe.p[0] == '/')
		add(s, &s->programs, e->exe);
	if (e->host.len) {
		(void)buf_append_span(&peer, e->host);
		if (e->has_port && e->port)
			(void)buf_printf(&peer, ":%u", e->port);
		add(s, &s->hosts, buf_span(&peer));
	}
	return 0;
}

/* An editor can do without it. */
static void look(struct api *a, struct event_reader *reader)
{
	const struct event_query q = { .is_newest_first = true, .limit = MAX_EVENTS };
	struct err err = { 0 };

	if (!a->seen)
		a->seen = xnew(struct api_seen);
	else if (api_now(a) < a->seen->until)
		return;
	clear(a->seen);
	(void)!event_reader_query(reader, &q, on_record, a->seen, &err);
	a->seen->until = api_now(a) + FRESH_MS;
}

/* ---- The cursor --------------------------------------------------------------------------- */

/* The byte at which that line and column (in Unicode scalars) are. */
static size_t offset_of(struct span text, uint64_t line, uint64_t column)
{
	size_t at = 0;

	for (; line > 1 && at < text.len; at++)
		line -= text.p[at] == '\n';
	for (; column > 1 && at < text.len && text.p[at] != '\n'; column--) {
		at++;
		while (at < text.len && ((unsigned char)text.p[at] & 0xc0) == 0x80)
			at++;
	}
	return at;
}

static bool read_cursor(struct api_call *c, struct span text, const struct json *cursor,
			const struct json *offset, size_t *ret)
{
	const struct json *line, *column;
	const struct api_key keys[] = { { "line", JSON_NUMBER, true, &line },
					{ "column", JSON_NUMBER, true, &column } };
	uint64_t n = text.len, at_line = 1, at_column = 1;

	if (!cursor == !offset) {
		api_problem_key(c, SPAN("cursor"), "there must be cursor or offset");
		return false;
	}
	if (offset && !api_read_uint(c, offset, "offset", SIZE_MAX, &n))
		return false;
	*ret = MIN((size_t)n, text.len);
	if (!cursor)
		return true;
	if (!api_read_object(c, cursor, "cursor", keys, ARRAY_SIZE(keys)) ||
	    !api_read_uint(c, line, "line", UINT32_MAX, &at_line) ||
	    !api_read_uint(c, column, "column", UINT32_MAX, &at_column))
		return false;
	if (!at_line || !at_column) {
		api_problem_key(c, at_line ? SPAN("column") : SPAN("line"),
				"lines and columns count from 1");
		return false;
	}
	*ret = offset_of(text, at_line, at_column);
	return true;
}

/* ---- Hints ---------------------------------------------------------------------------------- */

static bool read_list(struct api_call *c, const struct json *list, const char *key,
		      const struct span **ret, size_t *ret_n)
{
	size_t n = 0;
	struct span *items;

	for (const struct json *item = list ? list->first : NULL; item; item = item->next, n++) {
		if (item->type != JSON_STRING) {
			api_problem_key(c, span_of(key), "%s must be a list of texts", key);
			return false;
		}
	}
	items = arena_alloc_array(&c->arena, n + 1, sizeof(*items));
	*ret_n = 0;
	for (const struct json *item = list ? list->first : NULL; items && item; item = item->next)
		items[(*ret_n)++] = item->text;
	*ret = items;
	return true;
}

static bool read_hints(struct api_call *c, const struct json *hints, struct completion_seen *seen)
{
	const struct json *tools, *servers;
	const struct api_key keys[] = { { "tools", JSON_ARRAY, false, &tools },
					{ "servers", JSON_ARRAY, false, &servers } };

	return api_read_object(c, hints, "idHints", keys, ARRAY_SIZE(keys)) &&
	       read_list(c, tools, "tools", &seen->tools, &seen->n_tools) &&
	       read_list(c, servers, "servers", &seen->servers, &seen->n_servers);
}

/* ---- The answer -------------------------------------------------------------------------------
 */

static void json_position(struct json_writer *w, const char *key, struct span text, size_t at)
{
	size_t line, column;

	cedar_position(text, at, &line, &column);
	json_key(w, key);
	json_begin_object(w);
	json_key_uint(w, "line", line);
	json_key_uint(w, "column", column);
	json_key_uint(w, "offset", at);
	json_end_object(w);
}

static void answer(struct api_call *c, struct span text, const struct completions *found)
{
	struct json_writer *w = api_answer_json(c, 200);
	_cleanup_buf_ struct buf sort = BUF_INIT(0);

	json_begin_object(w);
	json_key(w, "items");
	json_begin_array(w);
	for (size_t i = 0; i < found->n; i++) {
		const struct completion *item = &found->items[i];

		buf_reset(&sort);
		(void)buf_printf(&sort, "%05zu", i);
		json_begin_object(w);
		json_key_string(w, "label", item->label);
		json_key_string(w, "kind", span_of(completion_kind_name(item->kind)));
		json_key_string(w, "insertText", item->insert);
		json_key_bool(w, "snippet", item->is_snippet);
		json_key_string_opt(w, "detail", span_of(item->detail));
		json_key_string(w, "sortText", buf_span(&sort));
		json_key(w, "range");
		json_begin_object(w);
		json_position(w, "start", text, found->begin);
		json_position(w, "end", text, found->end);
		json_end_object(w);
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

static void complete(struct api_call *c, struct span text, size_t offset,
		     struct completion_seen *seen, uint64_t max)
{
	const struct api_seen *s;
	struct completions found;
	struct event_reader *reader = api_events(c);
	struct api_facts f;

	if (!reader)
		return;
	look(c->api, reader);
	s = c->api->seen;
	f = api_describe(c->api);
	seen->paths = s->paths.list.items;
	seen->n_paths = s->paths.list.len;
	seen->hosts = s->hosts.list.items;
	seen->n_hosts = s->hosts.list.len;
	seen->programs = s->programs.list.items;
	seen->n_programs = s->programs.list.len;
	seen->agent = span_of(f.agent);
	if (policy_complete(text, offset, seen, max, &c->arena, &found) < 0)
		api_problem(c, 413, "the text is too large to be looked at");
	else
		answer(c, text, &found);
}

void answer_complete(struct api_call *c)
{
	const struct json *text, *cedar, *offset, *cursor, *max, *hints;
	const struct api_key keys[] = { { "text", JSON_STRING, false, &text },
					{ "cedar", JSON_STRING, false, &cedar },
					{ "offset", JSON_NUMBER, false, &offset },
					{ "cursor", JSON_OBJECT, false, &cursor },
					{ "maxItems", JSON_NUMBER, false, &max },
					{ "idHints", JSON_OBJECT, false, &hints } };
	struct completion_seen seen = { 0 };
	uint64_t n_items = ITEMS_DEFAULT;
	struct span all;
	size_t at = 0;

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)))
		return;
	if (!text == !cedar) {
		api_problem_key(c, SPAN("text"), "text is missing");
		return;
	}
	all = (text ? text : cedar)->text;
	if (read_cursor(c, all, cursor, offset, &at) && read_hints(c, hints, &seen) &&
	    api_read_uint(c, max, "maxItems", ITEMS_MAX, &n_items))
		complete(c, all, at, &seen, n_items);
}
