/* The JSON form of schemas: {NAMESPACE: {"commonTypes", "entityTypes", "actions"}}. */
#include "cedar/schema-read.h"

#include <errno.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"

/* Calls read for each member of an object; j may be NULL. */
static int each(struct schema_reader *s, struct schema_namespace *ns, const struct json *j,
		const char *what,
		int (*read)(struct schema_reader *, struct schema_namespace *, const struct json *))
{
	int err = 0;

	if (!j)
		return 0;
	if (j->type != JSON_OBJECT)
		return json_wrong_type(&s->r, j, what);
	for (const struct json *m = j->first; m && !s->r.is_limited; m = m->next) {
		s->nesting = 0;
		if (read(s, ns, m) < 0)
			err = -EINVAL;
	}
	return err;
}

/* ---- Common types ------------------------------------------------------- */

static int read_common(struct schema_reader *s, struct schema_namespace *ns, const struct json *j)
{
	struct schema_common common = { .range = json_key_range(j) };
	struct json key = schema_key(j);

	if (schema_read_ident(s, &key, &common.name) < 0 ||
	    schema_check_common_name(common.name, common.range, s->r.diags) < 0 ||
	    schema_read_common_type(s, j, &common.type, &common.annotations) < 0)
		return -EINVAL;
	return schema_namespace_add_common(s->tree, ns, &common) < 0 ? json_out_of_memory(&s->r)
								     : 0;
}

/* ---- Entity types ------------------------------------------------------- */

static int read_names(struct schema_reader *s, const struct json *j, struct schema_names *ret)
{
	int err = 0;

	*ret = (struct schema_names){ .index = s->tree->n_lists++ };
	if (!j)
		return 0;
	if (j->type != JSON_ARRAY)
		return json_wrong_type(&s->r, j, "a list of entity types");
	ret->items = arena_alloc_array(s->r.arena, json_count(j), sizeof(*ret->items));
	if (!ret->items)
		return json_out_of_memory(&s->r);
	for (const struct json *m = j->first; m; m = m->next) {
		ret->items[ret->len].range = json_range(m);
		if (schema_read_path(s, m, &ret->items[ret->len].text) < 0)
			err = -EINVAL;
		ret->len++;
	}
	return err;
}

static int read_enum_ids(struct schema_reader *s, const struct json *j, struct schema_entity *ret)
{
	int err = 0;

	ret->is_enum = true;
	if (j->type != JSON_ARRAY)
		return json_wrong_type(&s->r, j, "a list of ids");
	if (!j->first)
		return json_error(&s->r, "empty_enum", json_range(j), NULL,
				  "an enumerated entity type needs at least one id");
	ret->enum_ids = arena_alloc_array(s->r.arena, json_count(j), sizeof(*ret->enum_ids));
	if (!ret->enum_ids)
		return json_out_of_memory(&s->r);
	for (const struct json *m = j->first; m; m = m->next)
		if (json_read_string(&s->r, m, "an id", &ret->enum_ids[ret->n_enum_ids++]) < 0)
			err = -EINVAL;
	return err;
}

enum { MEMBER_OF, SHAPE, TAGS, ENUM, ENTITY_ANNOTATIONS };

static int read_enum(struct schema_reader *s, const struct json_member *members,
		     struct schema_entity *entity)
{
	int err = 0;

	for (int i = MEMBER_OF; i <= TAGS; i++)
		if (members[i].value)
			err = json_error(&s->r, "unknown_member", json_key_range(members[i].value),
					 NULL, "an enumerated entity type has no member `%s`",
					 members[i].name);
	return read_enum_ids(s, members[ENUM].value, entity) < 0 ? -EINVAL : err;
}

static int read_entity_body(struct schema_reader *s, const struct json_member *members,
			    struct schema_entity *entity)
{
	int err = read_names(s, members[MEMBER_OF].value, &entity->parents);

	if (members[SHAPE].value && schema_read_type(s, members[SHAPE].value, &entity->shape) < 0)
		err = -EINVAL;
	if (members[TAGS].value && schema_read_type(s, members[TAGS].value, &entity->tags) < 0)
		err = -EINVAL;
	return err;
}

static int read_entity(struct schema_reader *s, struct schema_namespace *ns, const struct json *j)
{
	struct schema_entity entity = { .range = json_key_range(j) };
	struct json_member members[] = {
		{ .name = "memberOfTypes", .is_optional = true },
		{ .name = "shape", .is_optional = true },
		{ .name = "tags", .is_optional = true },
		{ .name = "enum", .is_optional = true },
		{ .name = "annotations", .is_optional = true },
	};
	struct json key = schema_key(j);
	int err;

	if (schema_read_ident(s, &key, &entity.name) < 0 ||
	    schema_check_entity_name(entity.name, entity.range, s->r.diags) < 0)
		return -EINVAL;
	err = json_members(&s->r, j, "an entity type", members, ARRAY_SIZE(members), false);
	if (schema_read_annotations(s, members[ENTITY_ANNOTATIONS].value, &entity.annotations) < 0)
		err = -EINVAL;
	if (members[ENUM].value)
		err = read_enum(s, members, &entity) < 0 ? -EINVAL : err;
	else
		err = read_entity_body(s, members, &entity) < 0 ? -EINVAL : err;
	if (schema_namespace_add_entity(s->tree, ns, &entity) < 0)
		return json_out_of_memory(&s->r);
	return err;
}

/* ---- Actions ------------------------------------------------------------ */

static bool is_absent(const struct json *j)
{
	return !j || j->type == JSON_NULL;
}

static int read_ref(struct schema_reader *s, const struct json *j, struct schema_action_ref *ret)
{
	struct json_member members[] = { { .name = "id" },
					 { .name = "type", .is_optional = true } };

	ret->range = json_range(j);
	if (json_members(&s->r, j, "a group of actions", members, 2, false) < 0 ||
	    json_read_string(&s->r, members[0].value, "the id of an action", &ret->id) < 0)
		return -EINVAL;
	return is_absent(members[1].value)
		       ? 0
		       : json_read_type_name(&s->r, members[1].value, &ret->type);
}

static int read_parents(struct schema_reader *s, const struct json *j,
			struct schema_action_refs *ret)
{
	int err = 0;

	ret->index = s->tree->n_lists++;
	if (is_absent(j))
		return 0;
	ret->is_written = true;
	if (j->type != JSON_ARRAY)
		return json_wrong_type(&s->r, j, "a list of actions");
	ret->items = arena_alloc_array(s->r.arena, json_count(j), sizeof(*ret->items));
	if (!ret->items)
		return json_out_of_memory(&s->r);
	for (const struct json *m = j->first; m; m = m->next)
		if (read_ref(s, m, &ret->items[ret->len++]) < 0)
			err = -EINVAL;
	return err;
}

static int read_applies_to(struct schema_reader *s, const struct json *j,
			   const struct schema_applies_to **ret)
{
	struct json_member members[] = { { .name = "principalTypes" },
					 { .name = "resourceTypes" },
					 { .name = "context", .is_optional = true } };
	struct schema_applies_to *to;
	int err;

	if (is_absent(j))
		return 0;
	err = json_members(&s->r, j, "`appliesTo`", members, ARRAY_SIZE(members), false);
	to = arena_new(s->r.arena, struct schema_applies_to);
	if (!to)
		return json_out_of_memory(&s->r);
	*ret = to;
	if (read_names(s, members[0].value, &to->principals) < 0)
		err = -EINVAL;
	if (read_names(s, members[1].value, &to->resources) < 0)
		err = -EINVAL;
	if (members[2].value && schema_read_type(s, members[2].value, &to->context) < 0)
		err = -EINVAL;
	return err;
}

static int read_action(struct schema_reader *s, struct schema_namespace *ns, const struct json *j)
{
	struct schema_action action = { .range = json_key_range(j) };
	struct json_member members[] = { { .name = "appliesTo", .is_optional = true },
					 { .name = "memberOf", .is_optional = true },
					 { .name = "annotations", .is_optional = true },
					 { .name = "attributes", .is_optional = true } };
	int err;

	if (json_keep(&s->r, j->key, &action.id) < 0)
		return -ENOMEM;
	err = json_members(&s->r, j, "an action", members, ARRAY_SIZE(members), false);
	if (schema_read_annotations(s, members[2].value, &action.annotations) < 0)
		err = -EINVAL;
	if (read_parents(s, members[1].value, &action.parents) < 0)
		err = -EINVAL;
	if (read_applies_to(s, members[0].value, &action.applies_to) < 0)
		err = -EINVAL;
	if (!is_absent(members[3].value))
		err = json_error(&s->r, "unsupported", json_key_range(members[3].value),
				 "remove `attributes`", "actions cannot have attributes");
	if (schema_namespace_add_action(s->tree, ns, &action) < 0)
		return json_out_of_memory(&s->r);
	return err;
}

/* ---- Namespaces --------------------------------------------------------- */

static int read_body(struct schema_reader *s, struct schema_namespace *ns, const struct json *j)
{
	struct json_member members[] = { { .name = "commonTypes", .is_optional = true },
					 { .name = "entityTypes" },
					 { .name = "actions" },
					 { .name = "annotations", .is_optional = true } };
	int err = json_members(&s->r, j, "a namespace", members, ARRAY_SIZE(members), false);

	if (j->type != JSON_OBJECT)
		return err;
	if (each(s, ns, members[0].value, "an object of types", read_common) < 0)
		err = -EINVAL;
	if (each(s, ns, members[1].value, "an object of entity types", read_entity) < 0)
		err = -EINVAL;
	if (each(s, ns, members[2].value, "an object of actions", read_action) < 0)
		err = -EINVAL;
	if (schema_read_annotations(s, members[3].value, &ns->annotations) < 0)
		err = -EINVAL;
	if (ns->name.len == 0 && ns->annotations.len)
		err = json_error(&s->r, "unsupported", json_key_range(members[3].value), NULL,
				 "the empty namespace cannot have annotations");
	return err;
}

static int read_namespace(struct schema_reader *s, struct schema_namespace *outer,
			  const struct json *j)
{
	struct json key = schema_key(j);
	struct schema_namespace *ns;
	struct span name;

	if (j->key.len == 0) {
		outer->is_written = true;
		return read_body(s, outer, j);
	}
	if (json_read_type_name(&s->r, &key, &name) < 0)
		return -EINVAL;
	ns = schema_tree_namespace_new(s->tree, name, json_key_range(j));
	return ns ? read_body(s, ns, j) : json_out_of_memory(&s->r);
}

static int read_tree(struct schema_reader *s, const struct json *j)
{
	struct schema_namespace *outer =
		schema_tree_namespace_new(s->tree, SPAN(""), (struct cedar_range){ 0, 0 });
	int err;

	if (!outer)
		return json_out_of_memory(&s->r);
	err = each(s, outer, j, "an object of namespaces", read_namespace);
	if (!s->r.is_limited)
		schema_tree_finish(s->tree, s->r.diags);
	return err;
}

int cedar_schema_tree_parse_json(struct span text, struct cedar_diagnostics *diags,
				 struct cedar_schema_tree **ret)
{
	_cleanup_(schema_tree_cleanup) struct cedar_schema_tree *tree = schema_tree_new();
	struct schema_reader s = { .tree = tree };
	const struct json *j;
	int err;

	if (json_reader_begin(&s.r, text, &tree->arena, diags, &j) == 0)
		(void)read_tree(&s, j);
	err = json_reader_end(&s.r);
	if (err == 0)
		*ret = TAKE_PTR(tree);
	return err;
}
