/*
 * Expressions from JSON. Recursion is bounded by the depth that json_reader
 * allows; the tree's own depth is checked as the parser checks it.
 */
#include "cedar/json-read-expr.h"

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/function.h"
#include "cedar/lexer.h"

struct context {
	struct json_reader *r;
	bool allow_slots;
};

static struct cedar_expr *read_expr(struct context *c, const struct json *j);

static struct cedar_expr *make(struct context *c, enum cedar_expr_kind kind, const struct json *j)
{
	struct cedar_expr *e = arena_new(c->r->arena, struct cedar_expr);

	if (!e) {
		(void)json_out_of_memory(c->r);
		return NULL;
	}
	e->kind = kind;
	e->range = json_range(j);
	e->depth = 1;
	return e;
}

static int deepen(struct context *c, struct cedar_expr *e, const struct cedar_expr *child)
{
	if (child->depth >= LIMIT_CEDAR_DEPTH) {
		if (!c->r->is_limited)
			(void)json_error(c->r, "too_deep", child->range, NULL,
					 "the expression is nested too deeply");
		c->r->is_limited = true;
		return -EMSGSIZE;
	}
	e->depth = MAX(e->depth, child->depth + 1);
	return 0;
}

static int read_child(struct context *c, struct cedar_expr *e, const struct json *j,
		      struct cedar_expr **ret)
{
	struct cedar_expr *child = read_expr(c, j);

	if (!child)
		return -EINVAL;
	*ret = child;
	return deepen(c, e, child);
}

/* ---- Lists -------------------------------------------------------------- */

static int alloc_items(struct context *c, struct cedar_expr *e, size_t n)
{
	e->items = arena_alloc_array(c->r->arena, n, sizeof(struct cedar_expr *));
	return e->items ? 0 : json_out_of_memory(c->r);
}

static int alloc_names(struct context *c, struct cedar_expr *e, size_t n)
{
	e->names = arena_alloc_array(c->r->arena, n, sizeof(*e->names));
	return e->names ? 0 : json_out_of_memory(c->r);
}

typedef struct cedar_expr *(*read_fn)(struct context *c, const struct json *j);

/* The items of a list, or the members of an object with their keys, each read by fn. */
static struct cedar_expr *read_items(struct context *c, struct cedar_expr *e,
				     const struct json *list, read_fn fn)
{
	bool is_record = e && e->kind == CEDAR_EXPR_RECORD;
	size_t n = json_count(list);
	bool is_ok = true;

	if (!e || alloc_items(c, e, n) < 0 || (is_record && alloc_names(c, e, n) < 0))
		return NULL;
	for (const struct json *it = list->first; it && !c->r->is_limited; it = it->next) {
		struct cedar_expr *item = fn(c, it);

		if (is_record && json_keep(c->r, it->key, &e->names[e->n_names++]) < 0)
			return NULL;
		if (!item || deepen(c, e, item) < 0) {
			is_ok = false;
			continue;
		}
		e->items[e->n_items++] = item;
	}
	return is_ok && !c->r->is_limited ? e : NULL;
}

/* ---- Values ------------------------------------------------------------- */

static struct cedar_expr *read_value(struct context *c, const struct json *j);

/* Functions may be in namespaces that do not exist: that is found when they are called. */
static int read_function_name(struct context *c, const struct json *j, struct span *ret)
{
	struct json_reader *r = c->r;
	size_t n_errors = r->diags->n_errors;

	if (function_find(j->text))
		return json_keep(r, j->text, ret);
	if (json_read_type_name(r, j, ret) < 0)
		return r->diags->n_errors > n_errors ? -EINVAL : -ENOMEM;
	return 0;
}

/* {"fn": ..., "arg": ...} or {"fn": ..., "args": [...]} */
static struct cedar_expr *read_extension(struct context *c, const struct json *j)
{
	const struct json *arg = json_get(j, "arg");
	const struct function *f = function_find(json_get(j, "fn")->text);
	struct cedar_expr *e = make(c, CEDAR_EXPR_CALL, j);
	struct json one;

	if (!e || read_function_name(c, json_get(j, "fn"), &e->string) < 0)
		return NULL;
	if (arg) {
		one = *j;
		one.first = &(struct json){ 0 };
		*one.first = *arg;
		one.first->next = NULL;
		e = read_items(c, e, &one, read_value);
	} else {
		e = read_items(c, e, json_get(j, "args"), read_value);
	}
	if (e)
		e->is_method = f && f->is_method && !f->is_builtin && e->n_items > 0;
	return e;
}

static struct cedar_expr *read_value_object(struct context *c, const struct json *j)
{
	const struct json *escaped = json_entity_escape(j);
	struct cedar_expr *e;

	if (json_is_expr_escape(j)) {
		(void)json_no_expr_escape(c->r, j);
		return NULL;
	}
	if (escaped) {
		e = make(c, CEDAR_EXPR_ENTITY, j);
		return e && json_read_uid(c->r, escaped, &e->uid) == 0 ? e : NULL;
	}
	escaped = json_extension_escape(j);
	if (escaped)
		return read_extension(c, escaped);
	return read_items(c, make(c, CEDAR_EXPR_RECORD, j), j, read_value);
}

static struct cedar_expr *read_value(struct context *c, const struct json *j)
{
	struct cedar_expr *e;

	switch (j->type) {
	case JSON_BOOL:
		e = make(c, CEDAR_EXPR_BOOL, j);
		if (e)
			e->boolean = j->is_true;
		return e;
	case JSON_STRING:
		e = make(c, CEDAR_EXPR_STRING, j);
		return e && json_keep(c->r, j->text, &e->string) == 0 ? e : NULL;
	case JSON_ARRAY:
		return read_items(c, make(c, CEDAR_EXPR_SET, j), j, read_value);
	case JSON_OBJECT:
		return read_value_object(c, j);
	case JSON_NULL:
	case JSON_NUMBER:
		break;
	}
	e = make(c, CEDAR_EXPR_LONG, j);
	return e && json_read_long(c->r, j, &e->integer) == 0 ? e : NULL;
}

/* ---- Operators ---------------------------------------------------------- */

struct operation {
	const char *name;
	enum cedar_expr_kind kind;
	struct cedar_expr *(*read)(struct context *c, const struct operation *,
				   const struct json *j);
};

static struct cedar_expr *read_value_operator(struct context *c, const struct operation *op,
					      const struct json *j)
{
	(void)op;
	return read_value(c, j);
}

static struct cedar_expr *read_var(struct context *c, const struct operation *op,
				   const struct json *j)
{
	static const char *const names[] = { "principal", "action", "resource", "context" };
	struct cedar_expr *e = make(c, op->kind, j);

	for (size_t i = 0; e && j->type == JSON_STRING && i < ARRAY_SIZE(names); i++) {
		if (span_eq_str(j->text, names[i])) {
			e->var = (enum cedar_var)i;
			return e;
		}
	}
	(void)json_error(c->r, "unknown_variable", json_range(j),
			 "the variables are principal, action, resource and context",
			 "this is not a variable");
	return NULL;
}

static struct cedar_expr *read_slot(struct context *c, const struct operation *op,
				    const struct json *j)
{
	bool is_resource = j->type == JSON_STRING && span_eq(j->text, SPAN("?resource"));
	struct cedar_expr *e = make(c, op->kind, j);

	if (!c->allow_slots) {
		(void)json_error(c->r, "slot_in_condition", json_range(j),
				 "use the slot in the policy's scope",
				 "slots cannot be used in conditions");
		return NULL;
	}
	if (!is_resource && !(j->type == JSON_STRING && span_eq(j->text, SPAN("?principal")))) {
		(void)json_error(c->r, "invalid_slot", json_range(j),
				 "slots are ?principal and ?resource",
				 "this is not a template slot");
		return NULL;
	}
	if (e)
		e->var = is_resource ? CEDAR_RESOURCE : CEDAR_PRINCIPAL;
	return e;
}

static struct cedar_expr *read_unary(struct context *c, const struct operation *op,
				     const struct json *j)
{
	struct json_member arg = { .name = "arg" };
	struct cedar_expr *e = make(c, op->kind, j);

	if (!e || json_members(c->r, j, op->name, &arg, 1, /* want_others = */ false) < 0 ||
	    read_child(c, e, arg.value, &e->left) < 0)
		return NULL;
	return e;
}

static struct cedar_expr *read_binary(struct context *c, const struct operation *op,
				      const struct json *j)
{
	struct json_member m[] = { { .name = "left" }, { .name = "right" } };
	struct cedar_expr *e = make(c, op->kind, j);
	int left, right;

	if (!e || json_members(c->r, j, op->name, m, 2, /* want_others = */ false) < 0)
		return NULL;
	left = read_child(c, e, m[0].value, &e->left);
	right = c->r->is_limited ? -EMSGSIZE : read_child(c, e, m[1].value, &e->right);
	return left < 0 || right < 0 ? NULL : e;
}

/* contains, hasTag and the like: written as operators, but methods in the tree. */
static struct cedar_expr *read_method(struct context *c, const struct operation *op,
				      const struct json *j)
{
	bool is_unary = function_find(span_of(op->name))->n_args == 1;
	struct cedar_expr *e = (is_unary ? read_unary : read_binary)(c, op, j);

	if (!e || alloc_items(c, e, 2) < 0)
		return NULL;
	e->string = span_of(op->name);
	e->is_method = true;
	e->items[e->n_items++] = TAKE_PTR(e->left);
	if (!is_unary)
		e->items[e->n_items++] = TAKE_PTR(e->right);
	return e;
}

static struct cedar_expr *read_attribute(struct context *c, const struct operation *op,
					 const struct json *j)
{
	struct json_member m[] = { { .name = "left" }, { .name = "attr" } };
	struct cedar_expr *e = make(c, op->kind, j);

	if (!e || json_members(c->r, j, op->name, m, 2, /* want_others = */ false) < 0 ||
	    json_read_string(c->r, m[1].value, "an attribute's name", &e->string) < 0 ||
	    read_child(c, e, m[0].value, &e->left) < 0)
		return NULL;
	return e;
}

static int read_has_names(struct context *c, struct cedar_expr *e, const struct json *j)
{
	size_t n = j->type == JSON_ARRAY ? json_count(j) : 1;

	if (alloc_names(c, e, n) < 0)
		return -ENOMEM;
	if (j->type == JSON_STRING)
		return json_keep(c->r, j->text, &e->names[e->n_names++]);
	if (j->type != JSON_ARRAY || n == 0)
		return json_error(c->r, "invalid_has", json_range(j), NULL,
				  "expected a name, or a list of names that is not empty");
	for (const struct json *it = j->first; it; it = it->next)
		if (json_read_string(c->r, it, "an attribute's name", &e->names[e->n_names++]) < 0)
			return -EINVAL;
	return 0;
}

static struct cedar_expr *read_has(struct context *c, const struct operation *op,
				   const struct json *j)
{
	struct json_member m[] = { { .name = "left" }, { .name = "attr" } };
	struct cedar_expr *e = make(c, op->kind, j);

	if (!e || json_members(c->r, j, op->name, m, 2, /* want_others = */ false) < 0 ||
	    read_has_names(c, e, m[1].value) < 0 || read_child(c, e, m[0].value, &e->left) < 0)
		return NULL;
	return e;
}

/* One element of a pattern, put behind the others; literals side by side become one piece. */
static int read_pattern_element(struct context *c, struct cedar_expr *e, const struct json *j,
				char *text, size_t *len)
{
	const struct json *literal = json_get(j, "Literal");
	struct cedar_pattern_piece *piece = e->n_pattern ? &e->pattern[e->n_pattern - 1] : NULL;

	if (j->type == JSON_STRING && span_eq(j->text, SPAN("Wildcard"))) {
		e->pattern[e->n_pattern++].is_wildcard = true;
		return 0;
	}
	if (!literal || literal->type != JSON_STRING || j->first->next)
		return json_error(c->r, "invalid_pattern", json_range(j), NULL,
				  "expected \"Wildcard\" or {\"Literal\": \"text\"}");
	if (literal->text.len == 0)
		return 0;
	if (!piece || piece->is_wildcard) {
		piece = &e->pattern[e->n_pattern++];
		piece->literal.p = text + *len;
	}
	memcpy(text + *len, literal->text.p, literal->text.len);
	*len += literal->text.len;
	piece->literal.len += literal->text.len;
	return 0;
}

static int read_pattern(struct context *c, struct cedar_expr *e, const struct json *j)
{
	size_t len = 0;
	char *text;

	if (j->type != JSON_ARRAY)
		return json_wrong_type(c->r, j, "a pattern, which is a list");
	/* The decoded literals are never longer than their JSON. */
	text = arena_alloc(c->r->arena, j->end - j->begin);
	e->pattern = arena_alloc_array(c->r->arena, json_count(j), sizeof(*e->pattern));
	if (!text || !e->pattern)
		return json_out_of_memory(c->r);
	for (const struct json *it = j->first; it; it = it->next)
		if (read_pattern_element(c, e, it, text, &len) < 0)
			return -EINVAL;
	return 0;
}

static struct cedar_expr *read_like(struct context *c, const struct operation *op,
				    const struct json *j)
{
	struct json_member m[] = { { .name = "left" }, { .name = "pattern" } };
	struct cedar_expr *e = make(c, op->kind, j);

	if (!e || json_members(c->r, j, op->name, m, 2, /* want_others = */ false) < 0 ||
	    read_pattern(c, e, m[1].value) < 0 || read_child(c, e, m[0].value, &e->left) < 0)
		return NULL;
	return e;
}

static struct cedar_expr *read_is(struct context *c, const struct operation *op,
				  const struct json *j)
{
	struct json_member m[] = { { .name = "left" },
				   { .name = "entity_type" },
				   { .name = "in", .is_optional = true } };
	struct cedar_expr *e = make(c, op->kind, j);

	if (!e || json_members(c->r, j, op->name, m, 3, /* want_others = */ false) < 0 ||
	    json_read_type_name(c->r, m[1].value, &e->type_name) < 0 ||
	    read_child(c, e, m[0].value, &e->left) < 0)
		return NULL;
	if (m[2].value && m[2].value->type != JSON_NULL &&
	    read_child(c, e, m[2].value, &e->right) < 0)
		return NULL;
	return e;
}

static struct cedar_expr *read_if(struct context *c, const struct operation *op,
				  const struct json *j)
{
	struct json_member m[] = { { .name = "if" }, { .name = "then" }, { .name = "else" } };
	struct cedar_expr *e = make(c, op->kind, j);
	int code = 0;

	if (!e || json_members(c->r, j, op->name, m, 3, /* want_others = */ false) < 0)
		return NULL;
	code = read_child(c, e, m[0].value, &e->left) < 0 ? -EINVAL : code;
	if (!c->r->is_limited)
		code = read_child(c, e, m[1].value, &e->right) < 0 ? -EINVAL : code;
	if (!c->r->is_limited)
		code = read_child(c, e, m[2].value, &e->third) < 0 ? -EINVAL : code;
	return code < 0 || c->r->is_limited ? NULL : e;
}

static struct cedar_expr *read_list(struct context *c, const struct operation *op,
				    const struct json *j)
{
	enum json_type wanted = op->kind == CEDAR_EXPR_RECORD ? JSON_OBJECT : JSON_ARRAY;

	if (j->type != wanted) {
		(void)json_wrong_type(c->r, j, json_type_name(wanted));
		return NULL;
	}
	return read_items(c, make(c, op->kind, j), j, read_expr);
}

static const struct operation operators[] = {
	{ "Value", CEDAR_EXPR_BOOL, read_value_operator },
	{ "Var", CEDAR_EXPR_VAR, read_var },
	{ "Slot", CEDAR_EXPR_SLOT, read_slot },
	{ "!", CEDAR_EXPR_NOT, read_unary },
	{ "neg", CEDAR_EXPR_NEG, read_unary },
	{ "==", CEDAR_EXPR_EQ, read_binary },
	{ "!=", CEDAR_EXPR_NE, read_binary },
	{ "in", CEDAR_EXPR_IN, read_binary },
	{ "<", CEDAR_EXPR_LT, read_binary },
	{ "<=", CEDAR_EXPR_LE, read_binary },
	{ ">", CEDAR_EXPR_GT, read_binary },
	{ ">=", CEDAR_EXPR_GE, read_binary },
	{ "&&", CEDAR_EXPR_AND, read_binary },
	{ "||", CEDAR_EXPR_OR, read_binary },
	{ "+", CEDAR_EXPR_ADD, read_binary },
	{ "-", CEDAR_EXPR_SUB, read_binary },
	{ "*", CEDAR_EXPR_MUL, read_binary },
	{ "contains", CEDAR_EXPR_CALL, read_method },
	{ "containsAll", CEDAR_EXPR_CALL, read_method },
	{ "containsAny", CEDAR_EXPR_CALL, read_method },
	{ "isEmpty", CEDAR_EXPR_CALL, read_method },
	{ "getTag", CEDAR_EXPR_CALL, read_method },
	{ "hasTag", CEDAR_EXPR_CALL, read_method },
	{ ".", CEDAR_EXPR_ATTRIBUTE, read_attribute },
	{ "has", CEDAR_EXPR_HAS, read_has },
	{ "like", CEDAR_EXPR_LIKE, read_like },
	{ "is", CEDAR_EXPR_IS, read_is },
	{ "if-then-else", CEDAR_EXPR_IF, read_if },
	{ "Set", CEDAR_EXPR_SET, read_list },
	{ "Record", CEDAR_EXPR_RECORD, read_list },
};

/* ---- Calls -------------------------------------------------------------- */

static struct cedar_expr *unknown_operator(struct context *c, const struct json *m)
{
	const char *names[ARRAY_SIZE(operators) + 64];
	const struct function *f;
	const char *nearest;
	char help[60];
	size_t n = 0;

	for (; n < ARRAY_SIZE(operators); n++)
		names[n] = operators[n].name;
	for (size_t i = 0; n < ARRAY_SIZE(names) && (f = function_at(i)); i++)
		names[n++] = f->name;
	nearest = nearest_word(m->key, names, n);
	if (nearest)
		(void)snprintf(help, sizeof(help), "did you mean `%s`?", nearest);
	(void)json_error(c->r, "unknown_operator", json_key_range(m), nearest ? help : NULL,
			 "`%.*s` is not an operator or extension function",
			 SPAN_ARG(diagnostic_quote(m->key)));
	return NULL;
}

/* {"FUNCTION": [receiver and arguments]}; `unknown` belongs to partial evaluation. */
static struct cedar_expr *read_call(struct context *c, const struct json *m)
{
	const struct function *f = function_find(m->key);
	struct cedar_expr *e;

	if (!f && !span_eq(m->key, SPAN("unknown")))
		return unknown_operator(c, m);
	if (m->type != JSON_ARRAY) {
		(void)json_wrong_type(c->r, m, "a list of arguments");
		return NULL;
	}
	e = make(c, CEDAR_EXPR_CALL, m);
	if (!e || json_keep(c->r, m->key, &e->string) < 0)
		return NULL;
	e = read_items(c, e, m, read_expr);
	if (e)
		e->is_method = f && f->is_method && e->n_items > 0;
	return e;
}

static struct cedar_expr *read_expr(struct context *c, const struct json *j)
{
	const struct json *m = j->first;

	if (j->type != JSON_OBJECT) {
		(void)json_wrong_type(c->r, j, "an expression, which is an object");
		return NULL;
	}
	if (!m || m->next) {
		(void)json_error(c->r, "invalid_expression", json_range(m ? m->next : j), NULL,
				 m ? "an expression has only one member"
				   : "an empty object is not an expression");
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (span_eq_str(m->key, operators[i].name))
			return operators[i].read(c, &operators[i], m);
	return read_call(c, m);
}

struct cedar_expr *json_read_expr(struct json_reader *r, const struct json *j, bool allow_slots)
{
	struct context c = { r, allow_slots };

	return read_expr(&c, j);
}

int cedar_expr_parse_json(struct span text, struct arena *arena, struct cedar_diagnostics *diags,
			  struct cedar_expr **ret)
{
	struct cedar_expr *e = NULL;
	const struct json *j;
	struct json_reader r;
	int code;

	if (json_reader_begin(&r, text, arena, diags, &j) == 0)
		e = json_read_expr(&r, j, /* allow_slots = */ true);
	code = json_reader_end(&r);
	if (code == 0)
		*ret = e;
	return code;
}
