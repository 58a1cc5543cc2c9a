/* Literals, names, calls, sets, records and what is accessed on them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cedar/diagnostics.h"
#include "cedar/function.h"
#include "cedar/parser-private.h"

static const char *const variables[] = { "principal", "action", "resource", "context" };

static bool find_variable(struct span name, enum cedar_var *ret)
{
	if (span_eq(name, SPAN("principal")))
		*ret = CEDAR_PRINCIPAL;
	else if (span_eq(name, SPAN("action")))
		*ret = CEDAR_ACTION;
	else if (span_eq(name, SPAN("resource")))
		*ret = CEDAR_RESOURCE;
	else if (span_eq(name, SPAN("context")))
		*ret = CEDAR_CONTEXT;
	else
		return false;
	return true;
}

/* Appends to e->items and accounts for the depth. */
static int add_item(struct parser *p, struct cedar_expr *e, size_t *cap, struct cedar_expr *item)
{
	void *items = e->items;

	if (parser_list_grow(p, &items, e->n_items, cap, sizeof(struct cedar_expr *)) < 0)
		return -ENOMEM;
	e->items = items;
	e->items[e->n_items++] = item;
	return parser_node_deepen(p, e, item);
}

/* expr {"," expr} [","] up to the closing token, which is consumed. */
static int parse_items(struct parser *p, struct cedar_expr *e, size_t *cap, enum token_kind close,
		       const char *what)
{
	while (p->token.kind != close) {
		struct cedar_expr *item = parser_expr(p);

		if (!item)
			return -EINVAL;
		if (add_item(p, e, cap, item) < 0)
			return -ENOMEM;
		if (p->token.kind != close && parser_expect(p, TOKEN_COMMA, what) < 0)
			return -EINVAL;
	}
	parser_advance(p);
	e->range.end = p->last_end;
	return 0;
}

static void suggest_call(char *out, size_t size, struct span name, bool is_method)
{
	const char *names[64];
	const struct function *f;
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; n < ARRAY_SIZE(names) && (f = function_at(i)); i++)
		if (f->is_method == is_method)
			names[n++] = f->name;
	nearest = nearest_word(name, names, n);
	if (nearest)
		(void)snprintf(out, size, "did you mean `%s`?", nearest);
}

/* Does the callee exist, and is it called in its own style? */
static void check_call(struct parser *p, const struct cedar_expr *e, struct cedar_range name_range)
{
	const struct function *f = function_find(e->string);
	struct span name = diagnostic_quote(e->string);
	const char *style = e->is_method ? "method" : "function";
	char help[80] = "";

	if (!f) {
		suggest_call(help, sizeof(help), e->string, e->is_method);
		(void)parser_error(p, "unknown_function", name_range, help[0] ? help : NULL,
				   "`%.*s` is not a valid %s", SPAN_ARG(name), style);
		return;
	}
	if (f->is_method != e->is_method) {
		(void)snprintf(help, sizeof(help),
			       f->is_method ? "write e.%s(...)" : "write %s(...)", f->name);
		(void)parser_error(p, "wrong_call_style", name_range, help,
				   "`%s` is a %s, not a %s", f->name,
				   f->is_method ? "method" : "function", style);
		return;
	}
	if (f->is_builtin && e->n_items != f->n_args)
		(void)parser_error(p, "wrong_arity", e->range, NULL,
				   "`%s` takes %d argument%s, but is given %zu", f->name,
				   f->n_args - 1, f->n_args == 2 ? "" : "s", e->n_items - 1);
}

/* name(args) or receiver.name(args); the next token is the parenthesis. */
static struct cedar_expr *parse_call(struct parser *p, size_t begin, struct span name,
				     struct cedar_range name_range, struct cedar_expr *receiver)
{
	struct cedar_expr *e = parser_node(p, CEDAR_EXPR_CALL, begin, NULL, NULL);
	size_t cap = 0;

	if (!e)
		return NULL;
	e->string = name;
	e->is_method = receiver;
	if (receiver && add_item(p, e, &cap, receiver) < 0)
		return NULL;
	parser_advance(p);
	if (parse_items(p, e, &cap, TOKEN_RPAREN, "`,` or `)`") < 0)
		return NULL;
	check_call(p, e, name_range);
	return e;
}

static struct cedar_expr *parse_variable(struct parser *p, struct span name,
					 struct cedar_range range)
{
	struct cedar_expr *e = parser_node(p, CEDAR_EXPR_VAR, range.begin, NULL, NULL);
	char help[120] = "the variables are principal, action, resource and context";
	const char *nearest;

	if (!e || find_variable(name, &e->var))
		return e;
	nearest = nearest_word(name, variables, ARRAY_SIZE(variables));
	if (nearest)
		(void)snprintf(help, sizeof(help), "did you mean `%s`?", nearest);
	else if (name.len < 60)
		(void)snprintf(help, sizeof(help), "for a string, write \"%.*s\" in quotes",
			       SPAN_ARG(name));
	(void)parser_error(p, "unknown_variable", range, help, "`%.*s` is not a variable",
			   SPAN_ARG(diagnostic_quote(name)));
	return e;
}

/* A name begins a variable, an entity or a call. */
static struct cedar_expr *parse_named(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_range range;
	struct cedar_entity_uid uid;
	struct cedar_expr *e;
	enum cedar_var var;
	struct span name;

	if (parser_name(p, &name, &range) < 0)
		return NULL;
	if (p->token.kind == TOKEN_PATH) {
		if (parser_uid_after_name(p, name, &uid) < 0)
			return NULL;
		e = parser_node(p, CEDAR_EXPR_ENTITY, begin, NULL, NULL);
		if (e) {
			e->uid = uid;
			e->type_range = range;
		}
		return e;
	}
	if (p->token.kind != TOKEN_LPAREN)
		return parse_variable(p, name, range);
	if (find_variable(name, &var)) {
		(void)parser_error(p, "invalid_call", range, NULL, "`%.*s` is not a function",
				   SPAN_ARG(name));
		return NULL;
	}
	return parse_call(p, begin, name, range, NULL);
}

static struct cedar_expr *parse_boolean(struct parser *p)
{
	bool value = parser_at_word(p, "true");
	size_t begin = p->token.range.begin;
	struct cedar_expr *e;

	parser_advance(p);
	e = parser_node(p, CEDAR_EXPR_BOOL, begin, NULL, NULL);
	if (e)
		e->boolean = value;
	return e;
}

static struct cedar_expr *parse_string_literal(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *e;
	struct span text;

	if (parser_string(p, &text) < 0)
		return NULL;
	e = parser_node(p, CEDAR_EXPR_STRING, begin, NULL, NULL);
	if (e)
		e->string = text;
	return e;
}

static struct cedar_expr *parse_slot(struct parser *p)
{
	struct cedar_range range = p->token.range;
	struct span text = parser_token_text(p);
	enum cedar_var var = CEDAR_PRINCIPAL;
	bool is_known;
	struct cedar_expr *e;

	is_known = find_variable(span_from(text, 1), &var) &&
		   (var == CEDAR_PRINCIPAL || var == CEDAR_RESOURCE);
	if (!is_known)
		(void)parser_error(p, "invalid_slot", range, "slots are ?principal and ?resource",
				   "`%.*s` is not a template slot",
				   SPAN_ARG(diagnostic_quote(text)));
	else if (!p->allow_slots)
		(void)parser_error(p, "slot_in_condition", range,
				   "use the slot in the policy's scope",
				   "slots cannot be used in conditions");
	parser_advance(p);
	e = parser_node(p, CEDAR_EXPR_SLOT, range.begin, NULL, NULL);
	if (e)
		e->var = is_known ? var : CEDAR_PRINCIPAL;
	return e;
}

static struct cedar_expr *parse_set(struct parser *p)
{
	struct cedar_expr *e = parser_node(p, CEDAR_EXPR_SET, p->token.range.begin, NULL, NULL);
	size_t cap = 0;

	parser_advance(p);
	if (!e || parse_items(p, e, &cap, TOKEN_RBRACKET, "`,` or `]`") < 0)
		return NULL;
	return e;
}

static int parse_record_key(struct parser *p, struct span *ret)
{
	struct span name = parser_token_text(p);

	if (p->token.kind == TOKEN_STRING)
		return parser_string(p, ret);
	if (p->token.kind != TOKEN_IDENT)
		return parser_unexpected(p, "an attribute name");
	(void)parser_check_name(p, name, p->token.range);
	*ret = name;
	parser_advance(p);
	return 0;
}

/* Reports duplicate keys; keys holds their sources. Sorted so that hostile records stay cheap. */
struct key {
	struct span name;
	struct cedar_range range;
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a;
	const struct key *y = b;
	int c = span_cmp(x->name, y->name);

	return c ? c : (x->range.begin > y->range.begin) - (x->range.begin < y->range.begin);
}

static void check_keys(struct parser *p, struct key *keys, size_t n)
{
	if (n > 1)
		qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (span_eq(keys[i - 1].name, keys[i].name))
			(void)parser_error(p, "duplicate_key", keys[i].range, NULL,
					   "the key `%.*s` occurs twice in this record",
					   SPAN_ARG(diagnostic_quote(keys[i].name)));
}

struct record_builder {
	struct cedar_expr *e;
	struct key *keys;
	size_t items_cap, keys_cap;
};

static int parse_record_entry(struct parser *p, struct record_builder *b)
{
	struct cedar_range range = p->token.range;
	struct cedar_expr *value;
	void *keys = b->keys;
	struct span name;

	if (parse_record_key(p, &name) < 0 || parser_expect(p, TOKEN_COLON, "`:`") < 0)
		return -EINVAL;
	value = parser_expr(p);
	if (!value)
		return -EINVAL;
	if (parser_list_grow(p, &keys, b->e->n_items, &b->keys_cap, sizeof(*b->keys)) < 0)
		return -ENOMEM;
	b->keys = keys;
	b->keys[b->e->n_items] = (struct key){ name, range };
	return add_item(p, b->e, &b->items_cap, value);
}

static int copy_keys(struct parser *p, struct record_builder *b)
{
	struct cedar_expr *e = b->e;

	e->names = arena_alloc_array(p->arena, e->n_items, sizeof(*e->names));
	if (!e->names)
		return parser_out_of_memory(p);
	e->n_names = e->n_items;
	for (size_t i = 0; i < e->n_items; i++)
		e->names[i] = b->keys[i].name;
	check_keys(p, b->keys, e->n_items);
	return 0;
}

static struct cedar_expr *parse_record(struct parser *p)
{
	struct record_builder b = {
		.e = parser_node(p, CEDAR_EXPR_RECORD, p->token.range.begin, NULL, NULL),
	};

	if (!b.e)
		return NULL;
	parser_advance(p);
	while (p->token.kind != TOKEN_RBRACE) {
		if (parse_record_entry(p, &b) < 0)
			return NULL;
		if (p->token.kind != TOKEN_RBRACE &&
		    parser_expect(p, TOKEN_COMMA, "`,` or `}`") < 0)
			return NULL;
	}
	parser_advance(p);
	b.e->range.end = p->last_end;
	return copy_keys(p, &b) < 0 ? NULL : b.e;
}

/* The node keeps its own range: parentheses belong to whoever is around them. */
static struct cedar_expr *parse_parenthesised(struct parser *p)
{
	struct cedar_expr *e;

	parser_advance(p);
	e = parser_expr(p);
	return e && parser_expect(p, TOKEN_RPAREN, "`)`") == 0 ? e : NULL;
}

static struct cedar_expr *parse_word(struct parser *p)
{
	if (parser_at_word(p, "true") || parser_at_word(p, "false"))
		return parse_boolean(p);
	if (parser_at_word(p, "if") && parser_peek(p).kind != TOKEN_PATH) {
		(void)parser_error(p, "if_needs_parentheses", p->token.range,
				   "write (if ... then ... else ...)",
				   "`if` can be an operand only in parentheses");
		return NULL;
	}
	return parse_named(p);
}

static struct cedar_expr *parse_primary(struct parser *p)
{
	if (p->token.kind == TOKEN_IDENT)
		return parse_word(p);
	if (p->token.kind == TOKEN_STRING)
		return parse_string_literal(p);
	if (p->token.kind == TOKEN_NUMBER)
		return parser_number(p, /* is_negative = */ false, p->token.range.begin);
	if (p->token.kind == TOKEN_SLOT)
		return parse_slot(p);
	if (p->token.kind == TOKEN_LPAREN)
		return parse_parenthesised(p);
	if (p->token.kind == TOKEN_LBRACKET)
		return parse_set(p);
	if (p->token.kind == TOKEN_LBRACE)
		return parse_record(p);
	(void)parser_unexpected(p, "an expression");
	return NULL;
}

static struct cedar_expr *attribute(struct parser *p, size_t begin, struct cedar_expr *left,
				    struct span name)
{
	struct cedar_expr *e = parser_node(p, CEDAR_EXPR_ATTRIBUTE, begin, left, NULL);

	if (e)
		e->string = name;
	return e;
}

/* .name or .name(args) */
static struct cedar_expr *parse_dot(struct parser *p, size_t begin, struct cedar_expr *left)
{
	struct cedar_range range;
	struct span name;

	parser_advance(p);
	name = parser_token_text(p);
	range = p->token.range;
	if (p->token.kind != TOKEN_IDENT) {
		(void)parser_unexpected(p, "an attribute or method name");
		return NULL;
	}
	(void)parser_check_name(p, name, range);
	parser_advance(p);
	if (p->token.kind == TOKEN_LPAREN)
		return parse_call(p, begin, name, range, left);
	return attribute(p, begin, left, name);
}

/* ["name"] */
static struct cedar_expr *parse_index(struct parser *p, size_t begin, struct cedar_expr *left)
{
	struct span name;

	parser_advance(p);
	if (p->token.kind != TOKEN_STRING) {
		(void)parser_error(p, "invalid_attribute", p->token.range,
				   "write e[\"name\"]; sets have no order and no index",
				   "an attribute in brackets must be a string");
		return NULL;
	}
	if (parser_string(p, &name) < 0 || parser_expect(p, TOKEN_RBRACKET, "`]`") < 0)
		return NULL;
	return attribute(p, begin, left, name);
}

struct cedar_expr *parser_member(struct parser *p)
{
	size_t begin = p->token.range.begin;
	struct cedar_expr *e = parse_primary(p);

	for (;;) {
		if (!e)
			return NULL;
		if (p->token.kind == TOKEN_DOT) {
			e = parse_dot(p, begin, e);
		} else if (p->token.kind == TOKEN_LBRACKET) {
			e = parse_index(p, begin, e);
		} else if (p->token.kind == TOKEN_LPAREN) {
			(void)parser_error(p, "invalid_call", p->token.range,
					   "write name(arguments)",
					   "only a named function can be called");
			return NULL;
		} else {
			return e;
		}
	}
}
