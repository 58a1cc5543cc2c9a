#include "cedar-json.h"

#include <stdio.h>

#include "corpus.h"

static struct span keep(struct span s, struct arena *arena)
{
	return (struct span){ arena_dup(arena, s), s.len };
}

bool cedar_json_uid(const json_t *j, struct arena *arena, struct cedar_entity_uid *ret)
{
	const json_t *escaped = json_object_get(j, "__entity");
	const json_t *type, *id;

	if (escaped)
		j = escaped;
	type = json_object_get(j, "type");
	id = json_object_get(j, "id");
	if (!json_is_string(type) || !json_is_string(id))
		return false;
	ret->type = keep(corpus_string(type), arena);
	ret->id = keep(corpus_string(id), arena);
	return true;
}

static const struct cedar_value *call(struct span fn, struct arena *arena,
				      const struct cedar_value **args, size_t n_args);

/* {"fn": name, "arg": value} or {"fn": name, "args": [values]} */
static const struct cedar_value *extension(const json_t *j, struct arena *arena)
{
	const json_t *fn = json_object_get(j, "fn");
	const json_t *arg = json_object_get(j, "arg");
	const json_t *list = json_object_get(j, "args");
	const struct cedar_value *args[2] = { 0 };
	size_t n = arg ? 1 : json_array_size(list);

	if (!json_is_string(fn) || n < 1 || n > 2)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		args[i] = cedar_json_value(arg ? arg : json_array_get(list, i), arena);
		if (!args[i])
			return NULL;
	}
	return call(corpus_string(fn), arena, args, n);
}

/* Evaluates the call as an expression on the printed arguments. */
static const struct cedar_value *call(struct span fn, struct arena *arena,
				      const struct cedar_value **args, size_t n_args)
{
	struct cedar_diagnostics diags = { 0 };
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct cedar_request request = { 0 };
	struct cedar_eval_error error;
	const struct cedar_value *v = NULL;
	struct cedar_expr *e;

	if (n_args == 2) {
		(void)cedar_value_print(args[0], &text);
		(void)buf_append_char(&text, '.');
	}
	(void)buf_append_span(&text, fn);
	(void)buf_append_char(&text, '(');
	(void)cedar_value_print(args[n_args - 1], &text);
	(void)buf_append_char(&text, ')');
	if (cedar_expr_parse(buf_span(&text), arena, &diags, &e) < 0 ||
	    cedar_eval(e, &request, NULL, arena, &v, &error) < 0)
		(void)printf("cannot make an extension value of %s\n", text.data);
	cedar_diagnostics_done(&diags);
	return v;
}

static const struct cedar_value *record(const json_t *j, struct arena *arena)
{
	size_t n = json_object_size(j);
	struct cedar_record_entry *entries = arena_alloc_array(arena, n, sizeof(*entries));
	size_t i = 0;

	if (!entries)
		return NULL;
	for (void *it = json_object_iter((json_t *)(uintptr_t)j); it;
	     it = json_object_iter_next((json_t *)(uintptr_t)j, it), i++) {
		struct span key = { json_object_iter_key(it), json_object_iter_key_len(it) };

		entries[i].key = keep(key, arena);
		entries[i].value = cedar_json_value(json_object_iter_value(it), arena);
		if (!entries[i].value)
			return NULL;
	}
	return cedar_value_record(arena, entries, n);
}

static const struct cedar_value *object(const json_t *j, struct arena *arena)
{
	const json_t *entity = json_object_get(j, "__entity");
	const json_t *extn = json_object_get(j, "__extn");
	struct cedar_entity_uid uid;
	bool is_alone = json_object_size(j) == 1;

	if (is_alone && json_object_size(entity) >= 2)
		return cedar_json_uid(j, arena, &uid) ? cedar_value_entity(arena, uid) : NULL;
	if (is_alone && json_object_size(extn) >= 2)
		return extension(extn, arena);
	if (json_object_size(j) == 2 && cedar_json_uid(j, arena, &uid))
		return cedar_value_entity(arena, uid);
	return record(j, arena);
}

static const struct cedar_value *array(const json_t *j, struct arena *arena)
{
	size_t n = json_array_size(j);
	const struct cedar_value **items = arena_alloc_array(arena, n, sizeof(*items));

	for (size_t i = 0; items && i < n; i++) {
		items[i] = cedar_json_value(json_array_get(j, i), arena);
		if (!items[i])
			return NULL;
	}
	return items ? cedar_value_set(arena, items, n) : NULL;
}

const struct cedar_value *cedar_json_value(const json_t *j, struct arena *arena)
{
	if (json_is_boolean(j))
		return cedar_value_bool(arena, json_is_true(j));
	if (json_is_integer(j))
		return cedar_value_long(arena, json_integer_value(j));
	if (json_is_string(j))
		return cedar_value_string(arena, keep(corpus_string(j), arena));
	if (json_is_array(j))
		return array(j, arena);
	return json_is_object(j) ? object(j, arena) : NULL;
}

static bool add_entity(struct cedar_entities *e, const json_t *j)
{
	struct arena *arena = cedar_entities_arena(e);
	const json_t *tags = json_object_get(j, "tags");
	const json_t *list = json_object_get(j, "parents");
	size_t n = json_array_size(list);
	struct cedar_entity_uid *parents = arena_alloc_array(arena, n, sizeof(*parents));
	const struct cedar_value *attributes = record(json_object_get(j, "attrs"), arena);
	const struct cedar_value *tag_record = tags ? record(tags, arena) : NULL;
	struct cedar_entity_uid uid;
	struct err err = { 0 };

	if (!parents || !attributes || !cedar_json_uid(json_object_get(j, "uid"), arena, &uid))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!cedar_json_uid(json_array_get(list, i), arena, &parents[i]))
			return false;
	return cedar_entities_add(e, uid, attributes, tag_record, parents, n, &err) == 0;
}

struct cedar_entities *cedar_json_entities(const json_t *list)
{
	_cleanup_(cleanup_entities) struct cedar_entities *e = cedar_entities_new();
	struct err err = { 0 };

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!add_entity(e, json_array_get(list, i)))
			return NULL;
	return cedar_entities_close(e, &err) < 0 ? NULL : TAKE_PTR(e);
}

bool cedar_json_request(const json_t *j, struct arena *arena, struct cedar_request *r)
{
	const json_t *principal = json_object_get(j, "principal");
	const json_t *action = json_object_get(j, "action");
	const json_t *resource = json_object_get(j, "resource");
	const json_t *context = json_object_get(j, "context");

	if (principal && !cedar_json_uid(principal, arena, &r->principal))
		return false;
	if (action && !cedar_json_uid(action, arena, &r->action))
		return false;
	if (resource && !cedar_json_uid(resource, arena, &r->resource))
		return false;
	if (context)
		r->context = record(context, arena);
	return !context || r->context;
}
