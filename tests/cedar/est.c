#include "est.h"

#include "base/utf8.h"

static json_t *text(struct span s)
{
	return json_stringn(s.p ? s.p : "", s.len);
}

static json_t *wrap(const char *key, json_t *value)
{
	return json_pack("{s:o}", key, value);
}

static json_t *uid(struct cedar_entity_uid u)
{
	return json_pack("{s:o,s:o}", "type", text(u.type), "id", text(u.id));
}

static json_t *expr(const struct cedar_expr *e);

static json_t *binary(const char *op, const struct cedar_expr *e)
{
	return wrap(op, json_pack("{s:o,s:o}", "left", expr(e->left), "right", expr(e->right)));
}

static json_t *items(const struct cedar_expr *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->n_items; i++)
		json_array_append_new(list, expr(e->items[i]));
	return list;
}

static json_t *record(const struct cedar_expr *e)
{
	json_t *object = json_object();

	for (size_t i = 0; i < e->n_items; i++)
		json_object_setn_new(object, e->names[i].p, e->names[i].len, expr(e->items[i]));
	return wrap("Record", object);
}

/* The built-in methods have left and right, or arg; the extensions' a list. */
static json_t *call(const struct cedar_expr *e)
{
	static const char *const builtins[] = { "contains", "containsAll", "containsAny", "getTag",
						"hasTag" };
	json_t *object;

	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (span_eq_str(e->string, builtins[i]))
			return wrap(builtins[i], json_pack("{s:o,s:o}", "left", expr(e->items[0]),
							   "right", expr(e->items[1])));
	if (span_eq_str(e->string, "isEmpty"))
		return wrap("isEmpty", wrap("arg", expr(e->items[0])));
	object = json_object();
	json_object_setn_new(object, e->string.p, e->string.len, items(e));
	return object;
}

/* One attribute is a string, a path is a list. */
static json_t *has(const struct cedar_expr *e)
{
	json_t *names = json_array();
	json_t *body = wrap("left", expr(e->left));

	for (size_t i = 0; i < e->n_names; i++)
		json_array_append_new(names, text(e->names[i]));
	json_object_set(body, "attr", e->n_names == 1 ? json_array_get(names, 0) : names);
	json_decref(names);
	return wrap("has", body);
}

static json_t *like(const struct cedar_expr *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->n_pattern; i++) {
		struct span rest = e->pattern[i].literal;

		if (e->pattern[i].is_wildcard)
			json_array_append_new(list, text(SPAN("Wildcard")));
		while (rest.len) {
			uint32_t scalar;
			size_t n = utf8_decode(rest, &scalar);

			json_array_append_new(list, wrap("Literal", json_stringn(rest.p, n)));
			rest = span_from(rest, n);
		}
	}
	return wrap("like", json_pack("{s:o,s:o}", "left", expr(e->left), "pattern", list));
}

static json_t *is(const struct cedar_expr *e)
{
	json_t *body =
		json_pack("{s:o,s:o}", "left", expr(e->left), "entity_type", text(e->type_name));

	if (e->right)
		json_object_set_new(body, "in", expr(e->right));
	return wrap("is", body);
}

static json_t *expr(const struct cedar_expr *e)
{
	static const char *const vars[] = { "principal", "action", "resource", "context" };

	switch (e->kind) {
	case CEDAR_EXPR_BOOL:
		return wrap("Value", json_boolean(e->boolean));
	case CEDAR_EXPR_LONG:
		return wrap("Value", json_integer(e->integer));
	case CEDAR_EXPR_STRING:
		return wrap("Value", text(e->string));
	case CEDAR_EXPR_ENTITY:
		return wrap("Value", wrap("__entity", uid(e->uid)));
	case CEDAR_EXPR_VAR:
		return wrap("Var", text(span_of(vars[e->var])));
	case CEDAR_EXPR_SLOT:
		return wrap("Slot", json_sprintf("?%s", vars[e->var]));
	case CEDAR_EXPR_NOT:
		return wrap("!", wrap("arg", expr(e->left)));
	case CEDAR_EXPR_NEG:
		return wrap("neg", wrap("arg", expr(e->left)));
	case CEDAR_EXPR_AND:
		return binary("&&", e);
	case CEDAR_EXPR_OR:
		return binary("||", e);
	case CEDAR_EXPR_EQ:
		return binary("==", e);
	case CEDAR_EXPR_NE:
		return binary("!=", e);
	case CEDAR_EXPR_LT:
		return binary("<", e);
	case CEDAR_EXPR_LE:
		return binary("<=", e);
	case CEDAR_EXPR_GT:
		return binary(">", e);
	case CEDAR_EXPR_GE:
		return binary(">=", e);
	case CEDAR_EXPR_IN:
		return binary("in", e);
	case CEDAR_EXPR_ADD:
		return binary("+", e);
	case CEDAR_EXPR_SUB:
		return binary("-", e);
	case CEDAR_EXPR_MUL:
		return binary("*", e);
	case CEDAR_EXPR_IF:
		return wrap("if-then-else", json_pack("{s:o,s:o,s:o}", "if", expr(e->left), "then",
						      expr(e->right), "else", expr(e->third)));
	case CEDAR_EXPR_HAS:
		return has(e);
	case CEDAR_EXPR_LIKE:
		return like(e);
	case CEDAR_EXPR_IS:
		return is(e);
	case CEDAR_EXPR_ATTRIBUTE:
		return wrap(".",
			    json_pack("{s:o,s:o}", "left", expr(e->left), "attr", text(e->string)));
	case CEDAR_EXPR_CALL:
		return call(e);
	case CEDAR_EXPR_SET:
		return wrap("Set", items(e));
	case CEDAR_EXPR_RECORD:
		return record(e);
	}
	return NULL;
}

/* Puts the entity, the list or the slot into object; a list of one is an entity there. */
static void add_target(json_t *object, const struct cedar_scope *s, const char *var)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_uids; i++)
		json_array_append_new(list, uid(s->uids[i]));
	if (s->is_slot)
		json_object_set_new(object, "slot", json_sprintf("?%s", var));
	else if (s->n_uids != 1)
		json_object_set(object, "entities", list);
	else
		json_object_set(object, "entity", json_array_get(list, 0));
	json_decref(list);
}

static json_t *scope(const struct cedar_scope *s, const char *var)
{
	static const char *const ops[] = {
		[CEDAR_SCOPE_ANY] = "All", [CEDAR_SCOPE_EQ] = "==",    [CEDAR_SCOPE_IN] = "in",
		[CEDAR_SCOPE_IS] = "is",   [CEDAR_SCOPE_IS_IN] = "is",
	};
	json_t *object = wrap("op", text(span_of(ops[s->op])));
	json_t *in;

	if (s->op == CEDAR_SCOPE_IS || s->op == CEDAR_SCOPE_IS_IN)
		json_object_set_new(object, "entity_type", text(s->type_name));
	if (s->op == CEDAR_SCOPE_EQ || s->op == CEDAR_SCOPE_IN)
		add_target(object, s, var);
	if (s->op == CEDAR_SCOPE_IS_IN) {
		in = json_object();
		add_target(in, s, var);
		json_object_set_new(object, "in", in);
	}
	return object;
}

json_t *est_policy(const struct cedar_policy *p)
{
	json_t *conditions = json_array();
	json_t *annotations = json_object();
	json_t *j = json_pack("{s:s,s:o,s:o,s:o,s:o}", "effect", p->is_forbid ? "forbid" : "permit",
			      "principal", scope(&p->principal, "principal"), "action",
			      scope(&p->action, "action"), "resource",
			      scope(&p->resource, "resource"), "conditions", conditions);

	for (size_t i = 0; i < p->n_conditions; i++)
		json_array_append_new(conditions,
				      json_pack("{s:s,s:o}", "kind",
						p->conditions[i].is_unless ? "unless" : "when",
						"body", expr(p->conditions[i].body)));
	for (size_t i = 0; i < p->n_annotations; i++) {
		const struct cedar_annotation *a = &p->annotations[i];

		json_object_setn_new(annotations, a->key.p, a->key.len,
				     a->has_value ? text(a->value) : json_null());
	}
	if (p->n_annotations)
		json_object_set(j, "annotations", annotations);
	json_decref(annotations);
	return j;
}
