/* Entities from JSON, checked against the schema where there is one. */
#include <errno.h>

#include "base/alloc.h"
#include "cedar/conform.h"
#include "cedar/diagnostics.h"
#include "cedar/entities.h"
#include "cedar/json-read-value.h"

/* An entity that was read; what its ancestors are is known when all are. */
struct loaded {
	struct cedar_entity_uid uid;
	const struct json *at;			/* of the uid */
	const struct json *parents_at;		/* of the parents */
	const struct cedar_entity_type *type;	/* without a schema NULL, as for actions */
	const struct cedar_action_type *action; /* of the schema */
};

struct entities_reader {
	struct json_reader r;
	const struct cedar_schema *schema; /* may be NULL */
	struct cedar_entities *store;
	struct loaded *loaded;
	size_t n_loaded;
};

static int read_uid(struct entities_reader *s, const struct json *j, struct loaded *l)
{
	struct json_reader *r = &s->r;
	struct err err = { 0 };
	int code = json_read_uid(r, j, &l->uid);

	l->at = j;
	if (code < 0 || !s->schema)
		return code;
	if (json_is_action_type(l->uid.type)) {
		l->action = cedar_schema_action(s->schema, l->uid);
		if (!l->action)
			return json_error(r, "undeclared_action", json_range(j), NULL,
					  "this action is not in the schema");
		return 0;
	}
	l->type = cedar_schema_entity(s->schema, l->uid.type);
	if (!l->type)
		return json_error(r, "undeclared_type", json_range(j), NULL,
				  "the entity type `%.*s` is not in the schema",
				  SPAN_ARG(diagnostic_quote(l->uid.type)));
	if (conform_enum(l->type, l->uid, &err) < 0)
		return json_error(r, "invalid_enum_id", json_range(j), NULL, "%s", err.text);
	return 0;
}

static int read_parent(struct entities_reader *s, const struct loaded *l, const struct json *j,
		       struct cedar_entity_uid *ret)
{
	struct json_reader *r = &s->r;
	struct err err = { 0 };
	int code = json_read_uid(r, j, ret);

	if (code < 0)
		return code;
	if (json_is_action_type(l->uid.type) && !json_is_action_type(ret->type))
		return json_error(r, "invalid_parent", json_range(j), NULL,
				  "the parent of an action must be an action");
	if (s->schema && conform_enum(cedar_schema_entity(s->schema, ret->type), *ret, &err) < 0)
		return json_error(r, "invalid_enum_id", json_range(j), NULL, "%s", err.text);
	return 0;
}

static int read_parents(struct entities_reader *s, struct loaded *l, const struct json *j,
			struct cedar_entity_uid **ret, size_t *ret_n)
{
	struct cedar_entity_uid *parents;
	int result = 0;
	size_t n = 0;

	l->parents_at = j;
	if (j->type != JSON_ARRAY)
		return json_wrong_type(&s->r, j, "a list of entities");
	parents = arena_alloc_array(&s->r.scratch, json_count(j), sizeof(*parents));
	if (!parents)
		return json_out_of_memory(&s->r);
	for (const struct json *it = j->first; it && !s->r.is_limited; it = it->next) {
		int code = read_parent(s, l, it, &parents[n++]);

		result = code < 0 ? code : result;
	}
	*ret = parents;
	*ret_n = n;
	return result;
}

static int read_tags(struct entities_reader *s, const struct loaded *l, const struct json *j,
		     const struct cedar_value **ret)
{
	if (l->type && !l->type->tags && j->type == JSON_OBJECT && j->first)
		return json_error(&s->r, "unexpected_tag", json_key_range(j->first), NULL,
				  "entities of type `%.*s` have no tags",
				  SPAN_ARG(diagnostic_quote(l->uid.type)));
	return json_read_tags(&s->r, j, l->type ? l->type->tags : NULL, ret);
}

/* The attributes and tags of an action are those of the schema: none. */
static int check_action(struct entities_reader *s, const struct loaded *l,
			const struct cedar_value *attributes, const struct cedar_value *tags)
{
	if (!l->action || (attributes->record.len == 0 && (!tags || tags->record.len == 0)))
		return 0;
	return json_error(&s->r, "action_mismatch", json_range(l->at),
			  "leave the action out: those of the schema are added",
			  "the action is not as the schema declares it");
}

static int read_entity(struct entities_reader *s, const struct json *j)
{
	static const struct cedar_type closed = { .kind = CEDAR_TYPE_RECORD };
	struct json_member m[] = { { .name = "uid" },
				   { .name = "attrs" },
				   { .name = "parents" },
				   { .name = "tags", .is_optional = true } };
	struct loaded *l = &s->loaded[s->n_loaded];
	const struct cedar_value *attributes = NULL, *tags = NULL;
	const struct cedar_type *shape = NULL;
	struct cedar_entity_uid *parents = NULL;
	struct json_reader *r = &s->r;
	struct err err = { 0 };
	size_t n = 0;
	int result, code;

	if (json_members(r, j, "an entity", m, ARRAY_SIZE(m), /* want_others = */ true) < 0 ||
	    read_uid(s, m[0].value, l) < 0)
		return -EINVAL;
	if (l->type)
		shape = l->type->shape ? l->type->shape : &closed;
	result = json_read_record(r, m[1].value, shape, &attributes);
	code = read_parents(s, l, m[2].value, &parents, &n);
	result = code < 0 ? code : result;
	code = m[3].value ? read_tags(s, l, m[3].value, &tags) : 0;
	result = code < 0 ? code : result;
	if (result < 0 || check_action(s, l, attributes, tags) < 0)
		return -EINVAL;
	code = cedar_entities_add(s->store, l->uid, attributes, tags, parents, n, &err);
	if (code == -ENOMEM)
		return json_out_of_memory(r);
	if (code < 0)
		return json_error(r, "duplicate_entity", json_range(l->at), NULL, "%s", err.text);
	s->n_loaded++;
	return 0;
}

/* ---- When all are there -------------------------------------------------- */

static int close_store(struct entities_reader *s)
{
	struct cedar_range range = { 0, 0 };
	struct err err = { 0 };
	int code = cedar_entities_close(s->store, &err);

	if (code == -ENOMEM)
		return json_out_of_memory(&s->r);
	if (code == 0)
		return 0;
	/* Where the search met itself, its path is still open. */
	for (size_t i = s->n_loaded; i-- > 0;)
		if (entities_find(s->store, s->loaded[i].uid)->mark == MARK_OPEN)
			range = json_range(s->loaded[i].at);
	return json_error(&s->r, "cycle", range, NULL, "%s", err.text);
}

static bool may_be_in(const struct cedar_schema *schema, const struct cedar_entity_type *type,
		      struct cedar_entity_uid ancestor)
{
	const struct cedar_entity_type *other = cedar_schema_entity(schema, ancestor.type);

	return other && cedar_entity_type_is_in(type, other);
}

static void check_ancestors(struct entities_reader *s, const struct loaded *l,
			    const struct entity *e)
{
	for (size_t i = 0; i < e->n_ancestors; i++) {
		if (may_be_in(s->schema, l->type, e->ancestors[i]))
			continue;
		(void)json_error(&s->r, "invalid_ancestor", json_range(l->parents_at), NULL,
				 "an entity of type `%.*s` cannot be in one of type `%.*s`",
				 SPAN_ARG(diagnostic_quote(l->uid.type)),
				 SPAN_ARG(diagnostic_quote(e->ancestors[i].type)));
		return;
	}
}

/* Both lists are sorted by type and id. */
static void check_action_ancestors(struct entities_reader *s, const struct loaded *l,
				   const struct entity *e)
{
	bool is_same = e->n_ancestors == l->action->n_ancestors;

	for (size_t i = 0; is_same && i < e->n_ancestors; i++)
		is_same = cedar_uid_eq(e->ancestors[i], l->action->ancestors[i]->uid);
	if (!is_same)
		(void)json_error(&s->r, "action_mismatch", json_range(l->parents_at),
				 "leave the action out: those of the schema are added",
				 "the action is not in the same actions as in the schema");
}

static void add_action(struct entities_reader *s, const struct cedar_action_type *action)
{
	struct cedar_entity_uid *parents =
		arena_alloc_array(&s->r.scratch, action->n_ancestors, sizeof(*parents));
	struct cedar_entity_uid uid = { 0 };

	if (!parents || entities_find(s->store, action->uid)) {
		if (!parents)
			(void)json_out_of_memory(&s->r);
		return;
	}
	if (json_keep(&s->r, action->uid.type, &uid.type) < 0 ||
	    json_keep(&s->r, action->uid.id, &uid.id) < 0)
		return;
	for (size_t i = 0; i < action->n_ancestors; i++)
		if (json_keep(&s->r, action->ancestors[i]->uid.type, &parents[i].type) < 0 ||
		    json_keep(&s->r, action->ancestors[i]->uid.id, &parents[i].id) < 0)
			return;
	if (cedar_entities_add(s->store, uid, NULL, NULL, parents, action->n_ancestors, NULL) < 0)
		(void)json_out_of_memory(&s->r);
}

static int check_schema(struct entities_reader *s)
{
	for (size_t i = 0; i < s->n_loaded; i++) {
		const struct loaded *l = &s->loaded[i];
		const struct entity *e = entities_find(s->store, l->uid);

		if (l->action)
			check_action_ancestors(s, l, e);
		else
			check_ancestors(s, l, e);
	}
	for (size_t i = 0; i < s->schema->n_actions && !s->r.is_limited; i++)
		add_action(s, s->schema->actions[i]);
	return s->r.is_limited ? -ENOMEM : close_store(s);
}

static void read_entities(struct entities_reader *s, const struct json *j)
{
	if (j->type != JSON_ARRAY) {
		(void)json_wrong_type(&s->r, j, "a list of entities");
		return;
	}
	s->loaded = arena_alloc_array(&s->r.scratch, json_count(j), sizeof(*s->loaded));
	if (!s->loaded) {
		(void)json_out_of_memory(&s->r);
		return;
	}
	for (const struct json *it = j->first; it && !s->r.is_limited; it = it->next)
		(void)read_entity(s, it);
	if (s->r.is_limited || s->r.diags->n_errors > s->r.n_errors || close_store(s) < 0)
		return;
	if (s->schema)
		(void)check_schema(s);
}

int cedar_entities_parse_json(struct span text, const struct cedar_schema *schema,
			      struct cedar_diagnostics *diags, struct cedar_entities **ret)
{
	_cleanup_(cleanup_entity_store) struct cedar_entities *store = cedar_entities_new();
	struct entities_reader s = { .schema = schema, .store = store };
	const struct json *j;
	int code;

	if (json_reader_begin(&s.r, text, cedar_entities_arena(store), diags, &j) == 0)
		read_entities(&s, j);
	code = json_reader_end(&s.r);
	if (code == 0)
		*ret = TAKE_PTR(store);
	return code;
}
