/* Expressions as JSON. Recursion is bounded by the depth of the tree. */
#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "cedar/function.h"
#include "cedar/json-print.h"

static void print_expr(struct json_printer *p, const struct cedar_expr *e);
static void print_value(struct json_printer *p, const struct cedar_expr *e);

void json_print_uid(struct json_writer *w, struct cedar_entity_uid uid)
{
	json_begin_object(w);
	json_key_string(w, "type", uid.type);
	json_key_string(w, "id", uid.id);
	json_end_object(w);
}

void json_print_entity(struct json_printer *p, struct cedar_entity_uid uid)
{
	json_begin_object(&p->w);
	json_key(&p->w, "__entity");
	json_print_uid(&p->w, uid);
	json_end_object(&p->w);
}

const char *json_variable_name(enum cedar_var var)
{
	static const char *const names[] = {
		[CEDAR_PRINCIPAL] = "principal",
		[CEDAR_ACTION] = "action",
		[CEDAR_RESOURCE] = "resource",
		[CEDAR_CONTEXT] = "context",
	};

	return names[var];
}

void json_print_slot(struct json_writer *w, enum cedar_var var)
{
	json_string(w, var == CEDAR_RESOURCE ? SPAN("?resource") : SPAN("?principal"));
}

/* {"NAME": { ... and the two brackets that close it. */
static void open_operator(struct json_printer *p, const char *name)
{
	json_begin_object(&p->w);
	json_key(&p->w, name);
	json_begin_object(&p->w);
}

static void close_operator(struct json_printer *p)
{
	json_end_object(&p->w);
	json_end_object(&p->w);
}

static void print_member(struct json_printer *p, const char *key, const struct cedar_expr *e)
{
	json_key(&p->w, key);
	print_expr(p, e);
}

static void print_unary(struct json_printer *p, const char *name, const struct cedar_expr *arg)
{
	open_operator(p, name);
	print_member(p, "arg", arg);
	close_operator(p);
}

static void print_binary(struct json_printer *p, const char *name, const struct cedar_expr *left,
			 const struct cedar_expr *right)
{
	open_operator(p, name);
	print_member(p, "left", left);
	print_member(p, "right", right);
	close_operator(p);
}

static void print_items(struct json_printer *p, const struct cedar_expr *e)
{
	json_begin_array(&p->w);
	for (size_t i = 0; i < e->n_items; i++)
		print_expr(p, e->items[i]);
	json_end_array(&p->w);
}

/* What {"NAME": [...]} can call; error() is what partial evaluation leaves of a failure. */
static bool is_function(const struct cedar_expr *e)
{
	const struct function *f = function_find(e->string);

	if (e->n_items == 0 && span_eq(e->string, SPAN("error")))
		return true;
	return f ? !f->is_builtin : span_eq(e->string, SPAN("unknown"));
}

static void print_literal_items(struct json_printer *p, const struct cedar_expr *e)
{
	json_begin_array(&p->w);
	for (size_t i = 0; i < e->n_items; i++)
		print_value(p, e->items[i]);
	json_end_array(&p->w);
}

static void print_literal_call(struct json_printer *p, const struct cedar_expr *e)
{
	json_begin_object(&p->w);
	json_key(&p->w, "__extn");
	json_begin_object(&p->w);
	json_key_string(&p->w, "fn", e->string);
	json_key(&p->w, e->n_items == 1 ? "arg" : "args");
	if (e->n_items == 1)
		print_value(p, e->items[0]);
	else
		print_literal_items(p, e);
	json_end_object(&p->w);
	json_end_object(&p->w);
}

static void print_literal_record(struct json_printer *p, const struct cedar_expr *e)
{
	json_begin_object(&p->w);
	for (size_t i = 0; i < e->n_items; i++) {
		json_key_span(&p->w, e->names[i]);
		print_value(p, e->items[i]);
	}
	json_end_object(&p->w);
}

/*
 * A literal, as it stands behind "Value". Only there can unknown functions be
 * called, and so only literals are their arguments.
 */
static void print_value(struct json_printer *p, const struct cedar_expr *e)
{
	if (e->kind == CEDAR_EXPR_BOOL)
		json_bool(&p->w, e->boolean);
	else if (e->kind == CEDAR_EXPR_LONG)
		json_int(&p->w, e->integer);
	else if (e->kind == CEDAR_EXPR_STRING)
		json_string(&p->w, e->string);
	else if (e->kind == CEDAR_EXPR_ENTITY)
		json_print_entity(p, e->uid);
	else if (e->kind == CEDAR_EXPR_SET)
		print_literal_items(p, e);
	else if (e->kind == CEDAR_EXPR_RECORD)
		print_literal_record(p, e);
	else if (e->kind == CEDAR_EXPR_CALL)
		print_literal_call(p, e);
	else
		p->w.out->failed = true;
}

/* The built-in methods look like operators, those of the extensions like functions. */
static void print_call(struct json_printer *p, const struct cedar_expr *e)
{
	static const char *const binary[] = { "contains", "containsAll", "containsAny", "getTag",
					      "hasTag" };

	for (size_t i = 0; e->is_method && e->n_items == 2 && i < ARRAY_SIZE(binary); i++) {
		if (span_eq_str(e->string, binary[i])) {
			print_binary(p, binary[i], e->items[0], e->items[1]);
			return;
		}
	}
	if (e->is_method && e->n_items == 1 && span_eq(e->string, SPAN("isEmpty"))) {
		print_unary(p, "isEmpty", e->items[0]);
		return;
	}
	json_begin_object(&p->w);
	if (is_function(e)) {
		json_key_span(&p->w, e->string);
		print_items(p, e);
	} else {
		json_key(&p->w, "Value");
		print_value(p, e);
	}
	json_end_object(&p->w);
}

static int compare_named(const void *a, const void *b)
{
	const struct json_named *x = a;
	const struct json_named *y = b;

	return span_cmp(x->name, y->name);
}

struct json_named *json_print_sorted(struct json_printer *p, size_t n)
{
	struct json_named *list = arena_alloc_array(&p->scratch, n, sizeof(*list));

	if (!list)
		p->w.out->failed = true;
	return list;
}

void json_print_sort(struct json_named *list, size_t n)
{
	if (n > 1)
		qsort(list, n, sizeof(*list), compare_named);
}

static void print_record(struct json_printer *p, const struct cedar_expr *e)
{
	struct json_named *list = json_print_sorted(p, e->n_items);

	open_operator(p, "Record");
	for (size_t i = 0; list && i < e->n_items; i++)
		list[i] = (struct json_named){ e->names[i], e->items[i] };
	if (list)
		json_print_sort(list, e->n_items);
	for (size_t i = 0; list && i < e->n_items; i++) {
		json_key_span(&p->w, list[i].name);
		print_expr(p, list[i].item);
	}
	close_operator(p);
}

/* One attribute is a string, a path a list. */
static void print_has(struct json_printer *p, const struct cedar_expr *e)
{
	open_operator(p, "has");
	print_member(p, "left", e->left);
	json_key(&p->w, "attr");
	if (e->n_names == 1) {
		json_string(&p->w, e->names[0]);
	} else {
		json_begin_array(&p->w);
		for (size_t i = 0; i < e->n_names; i++)
			json_string(&p->w, e->names[i]);
		json_end_array(&p->w);
	}
	close_operator(p);
}

/* A literal of a pattern, character by character. */
static void print_literal(struct json_printer *p, struct span rest)
{
	while (rest.len) {
		uint32_t scalar;
		size_t n = utf8_decode(rest, &scalar);

		n = n ? n : 1;
		json_begin_object(&p->w);
		json_key_string(&p->w, "Literal", span_make(rest.p, n));
		json_end_object(&p->w);
		rest = span_from(rest, n);
	}
}

static void print_like(struct json_printer *p, const struct cedar_expr *e)
{
	open_operator(p, "like");
	print_member(p, "left", e->left);
	json_key(&p->w, "pattern");
	json_begin_array(&p->w);
	for (size_t i = 0; i < e->n_pattern; i++) {
		if (e->pattern[i].is_wildcard)
			json_string(&p->w, SPAN("Wildcard"));
		else
			print_literal(p, e->pattern[i].literal);
	}
	json_end_array(&p->w);
	close_operator(p);
}

static void print_is(struct json_printer *p, const struct cedar_expr *e)
{
	open_operator(p, "is");
	print_member(p, "left", e->left);
	json_key_string(&p->w, "entity_type", e->type_name);
	if (e->right)
		print_member(p, "in", e->right);
	close_operator(p);
}

static void print_attribute(struct json_printer *p, const struct cedar_expr *e)
{
	open_operator(p, ".");
	print_member(p, "left", e->left);
	json_key_string(&p->w, "attr", e->string);
	close_operator(p);
}

static void print_if(struct json_printer *p, const struct cedar_expr *e)
{
	open_operator(p, "if-then-else");
	print_member(p, "if", e->left);
	print_member(p, "then", e->right);
	print_member(p, "else", e->third);
	close_operator(p);
}

/* Literals, variables, slots and sets: {"NAME": something}. */
static void print_leaf(struct json_printer *p, const struct cedar_expr *e)
{
	json_begin_object(&p->w);
	if (e->kind == CEDAR_EXPR_VAR) {
		json_key_string(&p->w, "Var", span_of(json_variable_name(e->var)));
	} else if (e->kind == CEDAR_EXPR_SLOT) {
		json_key(&p->w, "Slot");
		json_print_slot(&p->w, e->var);
	} else if (e->kind == CEDAR_EXPR_SET) {
		json_key(&p->w, "Set");
		print_items(p, e);
	} else {
		json_key(&p->w, "Value");
		print_value(p, e);
	}
	json_end_object(&p->w);
}

static const char *operator_name(enum cedar_expr_kind kind)
{
	static const char *const names[] = {
		[CEDAR_EXPR_AND] = "&&", [CEDAR_EXPR_OR] = "||", [CEDAR_EXPR_EQ] = "==",
		[CEDAR_EXPR_NE] = "!=",	 [CEDAR_EXPR_LT] = "<",	 [CEDAR_EXPR_LE] = "<=",
		[CEDAR_EXPR_GT] = ">",	 [CEDAR_EXPR_GE] = ">=", [CEDAR_EXPR_IN] = "in",
		[CEDAR_EXPR_ADD] = "+",	 [CEDAR_EXPR_SUB] = "-", [CEDAR_EXPR_MUL] = "*",
	};

	return names[kind];
}

static void print_expr(struct json_printer *p, const struct cedar_expr *e)
{
	switch (e->kind) {
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_LONG:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
	case CEDAR_EXPR_SET:
		print_leaf(p, e);
		return;
	case CEDAR_EXPR_NOT:
		print_unary(p, "!", e->left);
		return;
	case CEDAR_EXPR_NEG:
		print_unary(p, "neg", e->left);
		return;
	case CEDAR_EXPR_AND:
	case CEDAR_EXPR_OR:
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_NE:
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
	case CEDAR_EXPR_IN:
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
	case CEDAR_EXPR_MUL:
		print_binary(p, operator_name(e->kind), e->left, e->right);
		return;
	case CEDAR_EXPR_IF:
		print_if(p, e);
		return;
	case CEDAR_EXPR_HAS:
		print_has(p, e);
		return;
	case CEDAR_EXPR_LIKE:
		print_like(p, e);
		return;
	case CEDAR_EXPR_IS:
		print_is(p, e);
		return;
	case CEDAR_EXPR_ATTRIBUTE:
		print_attribute(p, e);
		return;
	case CEDAR_EXPR_CALL:
		print_call(p, e);
		return;
	case CEDAR_EXPR_RECORD:
		print_record(p, e);
		return;
	}
}

void json_print_expr(struct json_printer *p, const struct cedar_expr *e)
{
	print_expr(p, e);
}

int json_printer_end(struct json_printer *p)
{
	arena_done(&p->scratch);
	return p->w.out->failed ? -EMSGSIZE : 0;
}

int cedar_expr_print_json(const struct cedar_expr *e, struct buf *out)
{
	struct json_printer p = JSON_PRINTER_INIT(out);

	print_expr(&p, e);
	return json_printer_end(&p);
}
