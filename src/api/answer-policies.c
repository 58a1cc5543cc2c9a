/*
 * What is in force, and changing it. A change is answered once every part of
 * leash decides by it.
 */
#include <errno.h>
#include <stdlib.h>

#include "api/earlier.h"
#include "api/handlers.h"
#include "api/private.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/limits.h"
#include "policy/json.h"

/* What an answer still needs when the policy is in force; in the call's arena. */
struct applied {
	struct span findings, ids; /* JSON */
	struct span name;
	enum policy_layer layer;
	bool is_in_memory;
};

const struct api_layer *policies_layers(struct api *a, struct api_layers *ret)
{
	*ret = (struct api_layers){ 0 };
	a->host.layers(a->host.ctx, ret);
	return &ret->items[ret->editable];
}

/* ---- History --------------------------------------------------------------------- */

static void forget_oldest(struct api *a)
{
	size_t bytes = 0;

	for (size_t i = 0; i < a->texts.len; i++)
		bytes += a->texts.items[i].text.len;
	while (a->texts.len > 1 &&
	       (a->texts.len > LIMIT_API_TEXTS || bytes > LIMIT_API_TEXTS_BYTES)) {
		bytes -= a->texts.items[0].text.len;
		buf_done(&a->texts.items[0].text);
		a->texts.len--;
		memmove(a->texts.items, a->texts.items + 1, a->texts.len * sizeof(*a->texts.items));
	}
}

/* Also what somebody else changed, an editor for example. */
void policies_remember(struct api *a)
{
	struct api_layers layers;
	const struct api_layer *l = policies_layers(a, &layers);
	struct api_text t = { .number = a->n_texts,
			      .layer = l->layer,
			      .is_in_memory = l->is_in_memory };
	struct api_facts f;

	if (a->texts.len && span_eq(buf_span(&a->texts.items[a->texts.len - 1].text), l->text))
		return;
	f = api_describe(a);
	t.generation = f.generation;
	t.time_ns = clock_real_ns();
	t.n_policies = f.n_policies;
	(void)buf_append_span(&t.text, l->text);
	vec_push(&a->texts, t);
	a->n_texts++;
	forget_oldest(a);
}

void answer_history(struct api_call *c)
{
	struct api *a = c->api;
	struct json_writer *w;

	if (!api_query_is_empty(c))
		return;
	policies_remember(a);
	w = api_answer_json(c, 200);
	json_begin_object(w);
	json_key(w, "entries");
	json_begin_array(w);
	for (size_t i = a->texts.len; i > 0; i--) {
		const struct api_text *t = &a->texts.items[i - 1];
		char time[RFC3339_LEN + 1];

		clock_format_rfc3339(t->time_ns, time);
		json_begin_object(w);
		json_key_uint(w, "number", t->number);
		json_key_string(w, "time", span_of(time));
		json_key_uint(w, "generation", t->generation);
		json_key_string(w, "layer", span_of(policy_layer_name(t->layer)));
		json_key_string(w, "stored", t->is_in_memory ? SPAN("memory") : SPAN("file"));
		json_key_uint(w, "policies", t->n_policies);
		json_key_bool(w, "current", i == a->texts.len);
		json_key_string(w, "text", buf_span(&t->text));
		json_end_object(w);
	}
	json_end_array(w);
	json_end_object(w);
}

/* ---- Into force ------------------------------------------------------------------- */

void policies_refuse(struct api_call *c, const struct policy_findings *list, const struct err *err)
{
	if (list->len || err->code == -EINVAL)
		api_problem_findings(c, list, err->text);
	else
		api_problem(c, 503, "%s", err->text);
}

static bool keep_findings(struct api_call *c, const struct policy_findings *list, struct span *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_API_REPLY);
	struct json_writer w = { .out = &text };

	api_json_findings(&w, list);
	return !text.failed && api_keep(c, buf_span(&text), ret);
}

/* The policies of the layer from that byte of its text on. */
static bool keep_ids(struct api_call *c, enum policy_layer layer, size_t from, struct span *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_API_REPLY);
	struct json_writer w = { .out = &text };
	const struct policy_source *s = c->api->host.source(c->api->host.ctx);

	json_begin_array(&w);
	for (size_t i = 0; s && i < policy_source_len(s); i++) {
		const struct policy_item item = policy_source_at(s, i);

		if (item.layer == layer && item.begin >= from)
			json_string(&w, span_of(item.id));
	}
	json_end_array(&w);
	return !text.failed && api_keep(c, buf_span(&text), ret);
}

static bool keep_applied(struct api_call *c, const struct api_applied *done,
			 const struct policy_findings *list, size_t new_from)
{
	struct applied *kept = arena_new(&c->arena, struct applied);
	struct api_layers layers;

	if (!kept)
		return false;
	kept->layer = policies_layers(c->api, &layers)->layer;
	kept->is_in_memory = done->is_in_memory;
	c->in_force_data = kept;
	if (new_from != SIZE_MAX && !keep_ids(c, kept->layer, new_from, &kept->ids))
		return false;
	return keep_findings(c, list, &kept->findings) &&
	       api_keep(c, span_of(done->name), &kept->name);
}

static void apply(struct api_call *c, const struct api_change *change, policies_answer_fn answer,
		  size_t new_from)
{
	struct api *a = c->api;
	_cleanup_(policy_findings_done) struct policy_findings list = { 0 };
	_cleanup_buf_ struct buf report = BUF_INIT(LIMIT_POLICY_TEXT);
	struct api_applied done = { 0 };
	struct err err = { 0 };

	policies_remember(a);
	if (a->host.apply(a->host.ctx, change, &list, &report, &done, &err) < 0) {
		policies_refuse(c, &list, &err);
		return;
	}
	if (!keep_applied(c, &done, &list, new_from)) {
		api_problem(c, 500,
			    "the policy is being applied, but there is no memory to say so");
		return;
	}
	c->status = 0;
	c->awaits = done.generation;
	c->in_force = answer;
}

void policies_apply(struct api_call *c, const struct api_change *change, policies_answer_fn answer)
{
	apply(c, change, answer, SIZE_MAX);
}

void policies_answer_applied(struct api_call *c, uint64_t generation, double ms)
{
	const struct applied *kept = c->in_force_data;
	struct json_writer *w = api_answer_json(c, 200);
	struct api_facts f;

	f = api_describe(c->api);
	json_begin_object(w);
	json_key_uint(w, "generation", generation);
	api_json_ms(w, ms);
	json_key_uint(w, "policies", f.n_policies);
	json_key_string(w, "mode", span_of(policy_mode_name(f.mode)));
	json_key_string(w, "layer", span_of(policy_layer_name(kept->layer)));
	json_key_string(w, "stored", kept->is_in_memory ? SPAN("memory") : SPAN("file"));
	json_key_string(w, "name", kept->name);
	json_key(w, "findings");
	api_json_raw(w, kept->findings);
	if (kept->ids.len) {
		json_key(w, "ids");
		api_json_raw(w, kept->ids);
	}
	json_end_object(w);
}

/* Nobody else has changed the policy since, if the client says what it has seen. */
static bool check_base(struct api_call *c, const struct json *base)
{
	struct api_facts f;
	uint64_t n = 0;

	if (!base)
		return true;
	if (!api_read_uint(c, base, "base", UINT64_MAX, &n))
		return false;
	f = api_describe(c->api);
	if (n == f.generation)
		return true;
	api_problem(c, 409, "generation %llu is in force by now, not %llu",
		    (unsigned long long)f.generation, (unsigned long long)n);
	return false;
}

void answer_policies_replace(struct api_call *c)
{
	struct api_change change = { .has_text = true };
	const struct json *text, *base;
	const struct api_key keys[] = { { "text", JSON_STRING, true, &text },
					{ "base", JSON_NUMBER, false, &base } };

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)) ||
	    !check_base(c, base))
		return;
	change.text = text->text;
	apply(c, &change, policies_answer_applied, 0);
}

void answer_rollback(struct api_call *c)
{
	struct api_change change = { .has_text = true };
	const struct json *number;
	const struct api_key keys[] = { { "number", JSON_NUMBER, true, &number } };
	struct span text = { 0 };
	uint64_t n = 0;
	bool is_found = false;

	policies_remember(c->api);
	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)) ||
	    !api_read_uint(c, number, "number", UINT64_MAX, &n))
		return;
	for (size_t i = 0; i < c->api->texts.len; i++) {
		if (c->api->texts.items[i].number != n)
			continue;
		is_found = true;
		text = buf_span(&c->api->texts.items[i].text);
	}
	if (!is_found) {
		api_problem(c, 404,
			    "there is no text of that number; /api/policies/history lists them");
		return;
	}
	/* Applying may drop the oldest text. */
	if (api_keep(c, text, &change.text))
		apply(c, &change, policies_answer_applied, SIZE_MAX);
}

/* ---- Adding ----------------------------------------------------------------------- */

/* Where it begins. */
static size_t append_policy(struct buf *out, struct span text)
{
	size_t at;

	while (out->len && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == ' '))
		out->len--;
	if (out->len)
		(void)buf_append_str(out, "\n\n");
	at = out->len;
	(void)buf_append_span(out, text);
	if (text.len && text.p[text.len - 1] != '\n')
		(void)buf_append_char(out, '\n');
	return at;
}

static void add_text(struct api_call *c, struct span added)
{
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_FILE);
	struct api_change change = { .has_text = true };
	struct api_layers layers;
	size_t at;

	(void)buf_append_span(&text, policies_layers(c->api, &layers)->text);
	at = append_policy(&text, added);
	if (text.failed) {
		api_problem(c, 413, "a policy file may have %zu bytes", LIMIT_POLICY_FILE);
		return;
	}
	change.text = buf_span(&text);
	apply(c, &change, policies_answer_applied, at);
}

void answer_policies_add(struct api_call *c)
{
	struct api_change change = { .has_session = true };
	const struct json *text = NULL, *cedar = NULL;
	const struct api_key keys[] = { { "text", JSON_STRING, false, &text },
					{ "cedar", JSON_STRING, false, &cedar } };

	if (!api_query_is_empty(c) || (!c->is_text && !api_read_body(c, keys, ARRAY_SIZE(keys))))
		return;
	if (text && !cedar) {
		add_text(c, text->text);
	} else if (c->is_text || (cedar && !text)) {
		change.session = c->is_text ? c->body : cedar->text;
		policies_apply(c, &change, earlier_answer);
	} else {
		api_problem_key(c, SPAN("text"),
				"text is to be added, or cedar to replace the session's own layer");
	}
}

/* ---- Changing by id ------------------------------------------------------------------ */

struct edit {
	size_t begin, end;
	struct span text; /* empty: the policy goes */
};

struct edits {
	struct edit *items;
	size_t n, max;
	struct buf added;
};

static int by_begin(const void *a, const void *b)
{
	const struct edit *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Without blanks and line ends around it. */
static struct span trim(struct span s)
{
	while (s.len && strchr(" \t\r\n", s.p[0]) && s.p[0])
		s = span_from(s, 1);
	while (s.len && strchr(" \t\r\n", s.p[s.len - 1]) && s.p[s.len - 1])
		s.len--;
	return s;
}

bool policies_is_in(const struct policy_item *item, const struct api_layer *l)
{
	return item->layer == l->layer && strcmp(item->file, l->name) == 0;
}

bool policies_find(const struct policy_source *s, const struct api_layer *l, struct span id,
		   struct span text, struct policy_item *ret)
{
	for (size_t i = 0; s && i < policy_source_len(s); i++) {
		struct policy_item item = policy_source_at(s, i);

		if (!policies_is_in(&item, l) ||
		    !(id.len ? span_eq_str(id, item.id) : span_eq(trim(text), item.text)))
			continue;
		*ret = item;
		return true;
	}
	return false;
}

static bool add_edit(struct api_call *c, struct edits *e, struct span id, struct span cedar,
		     struct span text)
{
	const struct policy_source *s = c->api->host.source(c->api->host.ctx);
	struct api_layers layers;
	struct policy_item item;

	if (!policies_find(s, policies_layers(c->api, &layers), id, cedar, &item)) {
		api_problem(c, 404, "the editable layer has no policy %.*s", (int)MIN(id.len, 200),
			    id.p);
		return false;
	}
	for (size_t i = 0; i < e->n; i++) {
		if (e->items[i].begin == item.begin) {
			api_problem(c, 400, "the policy %s is named twice", item.id);
			return false;
		}
	}
	e->items[e->n++] = (struct edit){ item.begin, item.end, text };
	return true;
}

static bool read_replace(struct api_call *c, struct edits *e, const struct json *list)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
		const struct json *id, *text;
		const struct api_key keys[] = { { "id", JSON_STRING, true, &id },
						{ "text", JSON_STRING, true, &text } };

		if (!api_read_object(c, item, "an item of replace", keys, ARRAY_SIZE(keys)) ||
		    !add_edit(c, e, id->text, (struct span){ 0 }, trim(text->text)))
			return false;
	}
	return true;
}

static bool read_remove(struct api_call *c, struct edits *e, const struct json *list)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
		const struct json *id, *cedar;
		const struct api_key keys[] = { { "id", JSON_STRING, false, &id },
						{ "cedar", JSON_STRING, false, &cedar } };

		if (!api_read_object(c, item, "an item of remove", keys, ARRAY_SIZE(keys)))
			return false;
		if (!id == !cedar) {
			api_problem_key(c, SPAN("id"), "an item of remove has id or cedar");
			return false;
		}
		if (!add_edit(c, e, id ? id->text : (struct span){ 0 },
			      cedar ? cedar->text : (struct span){ 0 }, (struct span){ 0 }))
			return false;
	}
	return true;
}

static bool read_add(struct api_call *c, struct edits *e, const struct json *list)
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
		const struct json *text, *cedar, *effect, *action;
		const struct api_key keys[] = { { "text", JSON_STRING, false, &text },
						{ "cedar", JSON_STRING, false, &cedar },
						{ "effect", JSON_STRING, false, &effect },
						{ "action", JSON_OBJECT, false, &action } };

		if (!api_read_object(c, item, "an item of add", keys, ARRAY_SIZE(keys)))
			return false;
		if (!!text + !!cedar + (effect && action) != 1) {
			api_problem_key(c, SPAN("text"),
					"an item of add has text, or effect and action");
			return false;
		}
		if (text || cedar)
			(void)append_policy(&e->added, (text ? text : cedar)->text);
		else if (!earlier_from_action(c, effect, action, &e->added))
			return false;
	}
	return true;
}

size_t policies_end_of_removed(struct span text, size_t end)
{
	for (int lines = 0; end < text.len && lines < 2; end++) {
		if (text.p[end] == '\n')
			lines++;
		else if (text.p[end] != ' ' && text.p[end] != '\t' && text.p[end] != '\r')
			break;
	}
	return end;
}

static void make_text(const struct edits *e, struct span old, struct buf *out)
{
	size_t at = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct edit *edit = &e->items[i];

		(void)buf_append(out, old.p + at, edit->begin - at);
		(void)buf_append_span(out, edit->text);
		at = edit->text.len ? edit->end : policies_end_of_removed(old, edit->end);
	}
	(void)buf_append_span(out, span_from(old, at));
	if (e->added.len)
		(void)append_policy(out, buf_span(&e->added));
}

static size_t count_items(const struct json *list)
{
	size_t n = 0;

	for (const struct json *item = list ? list->first : NULL; item; item = item->next)
		n++;
	return n;
}

static void change_by_id(struct api_call *c, struct edits *e, bool want_enforce)
{
	struct api_change change = { .has_text = true,
				     .has_mode = want_enforce,
				     .mode = POLICY_ENFORCE };
	_cleanup_buf_ struct buf text = BUF_INIT(LIMIT_POLICY_FILE);
	struct api_layers layers;

	if (e->n)
		qsort(e->items, e->n, sizeof(*e->items), by_begin);
	make_text(e, policies_layers(c->api, &layers)->text, &text);
	if (text.failed) {
		api_problem(c, 413, "a policy file may have %zu bytes", LIMIT_POLICY_FILE);
		return;
	}
	change.text = buf_span(&text);
	apply(c, &change, policies_answer_applied, SIZE_MAX);
}

void answer_policies_change(struct api_call *c)
{
	struct edits e = { .added = BUF_INIT(LIMIT_POLICY_FILE) };
	const struct json *add, *remove, *replace, *mode, *base;
	const struct api_key keys[] = { { "add", JSON_ARRAY, false, &add },
					{ "remove", JSON_ARRAY, false, &remove },
					{ "replace", JSON_ARRAY, false, &replace },
					{ "applyMode", JSON_STRING, false, &mode },
					{ "base", JSON_NUMBER, false, &base } };

	if (!api_query_is_empty(c) || !api_read_body(c, keys, ARRAY_SIZE(keys)) ||
	    !check_base(c, base))
		return;
	e.max = count_items(remove) + count_items(replace);
	e.items = arena_alloc_array(&c->arena, e.max + 1, sizeof(*e.items));
	if (!e.items)
		api_problem(c, 413, "there is too much to change");
	else if (mode && mode->text.len && !span_eq_str(mode->text, "enforce"))
		api_problem_key(c, SPAN("applyMode"), "applyMode is enforce or empty");
	else if (read_replace(c, &e, replace) && read_remove(c, &e, remove) &&
		 read_add(c, &e, add)) {
		if (e.n || e.added.len)
			change_by_id(c, &e, mode && mode->text.len);
		else
			api_problem(
				c, 400,
				"there is nothing to change: add, remove and replace are lists");
	}
	buf_done(&e.added);
}

/* ---- What is in force ----------------------------------------------------------------- */

static void json_layer(struct json_writer *w, const struct api_layer *l, bool is_editable, size_t n)
{
	bool is_builtin = l->layer == POLICY_LAYER_OWN || l->layer == POLICY_LAYER_PROFILE;

	json_begin_object(w);
	json_key_string(w, "layer", span_of(policy_layer_name(l->layer)));
	json_key_string(w, "name", span_of(l->name));
	json_key_uint(w, "policies", n);
	json_key_string(w, "stored",
			is_builtin	  ? SPAN("builtin")
			: l->is_in_memory ? SPAN("memory")
					  : SPAN("file"));
	json_key_bool(w, "editable", is_editable);
	json_key_bool(w, "exists", l->is_there);
	if (l->layer == POLICY_LAYER_PROJECT) {
		json_key_bool(w, "trusted", l->is_trusted);
		json_key_uint(w, "ignored", l->n_ignored);
	}
	if (is_editable)
		json_key_string(w, "text", l->text);
	json_end_object(w);
}

static size_t count_in(const struct policy_source *s, const struct api_layer *l)
{
	size_t n = 0;

	for (size_t i = 0; i < policy_source_len(s); i++) {
		const struct policy_item item = policy_source_at(s, i);

		n += policies_is_in(&item, l);
	}
	return n;
}

static void json_policy(struct json_writer *w, const struct policy_source *s, size_t i,
			const struct api_layer *editable)
{
	const struct policy_item item = policy_source_at(s, i);
	_cleanup_buf_ struct buf sentence = BUF_INIT(LIMIT_POLICY_TEXT);

	(void)policy_source_say(s, i, &sentence);
	json_begin_object(w);
	policy_json_item(w, &item);
	json_key_uint(w, "offset", item.begin);
	json_key_uint(w, "length", item.end - item.begin);
	json_key_string(w, "sentence", buf_span(&sentence));
	json_key_bool(w, "editable", item.layer == editable->layer);
	json_end_object(w);
}

void answer_policies(struct api_call *c)
{
	const struct policy_source *s = c->api->host.source(c->api->host.ctx);
	const struct api_layer *editable;
	struct api_layers layers;
	struct json_writer *w;
	struct api_facts f;

	if (!api_query_is_empty(c))
		return;
	editable = policies_layers(c->api, &layers);
	f = api_describe(c->api);
	w = api_answer_json(c, 200);
	json_begin_object(w);
	json_key_uint(w, "generation", f.generation);
	json_key_string(w, "mode", span_of(policy_mode_name(f.mode)));
	json_key_string(w, "editable", span_of(policy_layer_name(editable->layer)));
	json_key(w, "layers");
	json_begin_array(w);
	for (size_t i = 0; i < layers.n; i++)
		json_layer(w, &layers.items[i], i == layers.editable,
			   count_in(s, &layers.items[i]));
	json_end_array(w);
	json_key(w, "policies");
	json_begin_array(w);
	for (size_t i = 0; i < policy_source_len(s); i++)
		json_policy(w, s, i, editable);
	json_end_array(w);
	earlier_json(c->api, w);
	json_end_object(w);
}
