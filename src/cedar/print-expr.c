/*
 * Expressions as Cedar text that parses back to the same tree: parentheses
 * exactly where the grammar needs them.
 */
#include <errno.h>

#include "base/limits.h"
#include "cedar/lexer.h"
#include "cedar/print-private.h"

/* How tightly an expression binds; an operand below what its place wants gets parentheses. */
enum binding {
	BINDING_IF,
	BINDING_OR,
	BINDING_AND,
	BINDING_RELATION,
	BINDING_ADD,
	BINDING_MUL,
	BINDING_UNARY,
	BINDING_MEMBER,
};

static bool is_plain_name(struct span name)
{
	return cedar_is_ident(name) && !cedar_is_reserved(name);
}

/* a.b after `has` takes identifiers only; JSON has other names there too. */
static bool must_unfold(const struct cedar_expr *e)
{
	for (size_t i = 0; e->n_names > 1 && i < e->n_names; i++)
		if (!is_plain_name(e->names[i]))
			return true;
	return false;
}

static enum binding binding_of(const struct cedar_expr *e)
{
	switch (e->kind) {
	case CEDAR_EXPR_IF:
		return BINDING_IF;
	case CEDAR_EXPR_OR:
		return BINDING_OR;
	case CEDAR_EXPR_AND:
		return BINDING_AND;
	case CEDAR_EXPR_EQ:
	case CEDAR_EXPR_NE:
	case CEDAR_EXPR_LT:
	case CEDAR_EXPR_LE:
	case CEDAR_EXPR_GT:
	case CEDAR_EXPR_GE:
	case CEDAR_EXPR_IN:
	case CEDAR_EXPR_LIKE:
	case CEDAR_EXPR_IS:
		return BINDING_RELATION;
	case CEDAR_EXPR_HAS:
		return must_unfold(e) ? BINDING_AND : BINDING_RELATION;
	case CEDAR_EXPR_ADD:
	case CEDAR_EXPR_SUB:
		return BINDING_ADD;
	case CEDAR_EXPR_MUL:
		return BINDING_MUL;
	case CEDAR_EXPR_NOT:
	case CEDAR_EXPR_NEG:
		return BINDING_UNARY;
	case CEDAR_EXPR_LONG:
		return e->integer < 0 ? BINDING_UNARY : BINDING_MEMBER;
	case CEDAR_EXPR_BOOL:
	case CEDAR_EXPR_STRING:
	case CEDAR_EXPR_ENTITY:
	case CEDAR_EXPR_VAR:
	case CEDAR_EXPR_SLOT:
	case CEDAR_EXPR_ATTRIBUTE:
	case CEDAR_EXPR_CALL:
	case CEDAR_EXPR_SET:
	case CEDAR_EXPR_RECORD:
		break;
	}
	return BINDING_MEMBER;
}

static int print_operand(const struct cedar_expr *e, enum binding wanted, struct buf *out)
{
	int r;

	if (binding_of(e) >= wanted)
		return cedar_expr_print(e, out);
	(void)buf_append_char(out, '(');
	r = cedar_expr_print(e, out);
	return r < 0 ? r : buf_append_char(out, ')');
}

static const char *operator_of(enum cedar_expr_kind kind)
{
	static const char *const names[] = {
		[CEDAR_EXPR_AND] = " && ", [CEDAR_EXPR_OR] = " || ", [CEDAR_EXPR_EQ] = " == ",
		[CEDAR_EXPR_NE] = " != ",  [CEDAR_EXPR_LT] = " < ",  [CEDAR_EXPR_LE] = " <= ",
		[CEDAR_EXPR_GT] = " > ",   [CEDAR_EXPR_GE] = " >= ", [CEDAR_EXPR_IN] = " in ",
		[CEDAR_EXPR_ADD] = " + ",  [CEDAR_EXPR_SUB] = " - ", [CEDAR_EXPR_MUL] = " * ",
	};

	return names[kind];
}

/* Relations do not associate; the others do to the left. */
static int print_binary(const struct cedar_expr *e, struct buf *out)
{
	enum binding own = binding_of(e);
	int r = print_operand(e->left, own == BINDING_RELATION ? BINDING_ADD : own, out);

	if (r < 0)
		return r;
	(void)buf_append_str(out, operator_of(e->kind));
	return print_operand(e->right, own + 1, out);
}

#define UNARY_MAX 4

/* Would what follows n signs of this kind be read as something else without parentheses? */
static bool needs_parentheses(enum cedar_expr_kind kind, size_t n, const struct cedar_expr *e)
{
	if (kind == CEDAR_EXPR_NEG && e->kind == CEDAR_EXPR_LONG)
		return e->integer >= 0 || n == UNARY_MAX;
	return binding_of(e) < BINDING_MEMBER;
}

static int print_unary(const struct cedar_expr *e, struct buf *out)
{
	enum cedar_expr_kind kind = e->kind;
	size_t n = 0;
	int r;

	for (; e->kind == kind && n < UNARY_MAX; n++) {
		(void)buf_append_char(out, kind == CEDAR_EXPR_NOT ? '!' : '-');
		e = e->left;
	}
	if (!needs_parentheses(kind, n, e))
		return cedar_expr_print(e, out);
	(void)buf_append_char(out, '(');
	r = cedar_expr_print(e, out);
	return r < 0 ? r : buf_append_char(out, ')');
}

static int print_if(const struct cedar_expr *e, struct buf *out)
{
	int r;

	(void)buf_append_str(out, "if ");
	r = cedar_expr_print(e->left, out);
	if (r < 0)
		return r;
	(void)buf_append_str(out, " then ");
	r = cedar_expr_print(e->right, out);
	if (r < 0)
		return r;
	(void)buf_append_str(out, " else ");
	return cedar_expr_print(e->third, out);
}

/* .name or ["name"] */
static int print_member_name(struct span name, struct buf *out)
{
	int r;

	if (is_plain_name(name)) {
		(void)buf_append_char(out, '.');
		return buf_append_span(out, name);
	}
	(void)buf_append_char(out, '[');
	r = print_string(name, out);
	return r < 0 ? r : buf_append_char(out, ']');
}

/* e, then .name or ["name"] for the first n names */
static int print_path(const struct cedar_expr *e, size_t n, enum binding wanted, struct buf *out)
{
	int r = print_operand(e->left, n ? BINDING_MEMBER : wanted, out);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = print_member_name(e->names[i], out);
	return r;
}

/*
 * e has "a b" && e["a b"] has c. The left side is written once for each name,
 * so where such expressions are nested in each other the text grows with the
 * power of their depth: what would not be read again is not written either.
 */
static int print_unfolded(const struct cedar_expr *e, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n_names; i++) {
		if (out->len > LIMIT_POLICY_TEXT)
			return -EMSGSIZE;
		if (i > 0)
			(void)buf_append_str(out, " && ");
		r = print_path(e, i, BINDING_ADD, out);
		(void)buf_append_str(out, " has ");
		if (r == 0)
			r = is_plain_name(e->names[i]) ? buf_append_span(out, e->names[i])
						       : print_string(e->names[i], out);
	}
	return r;
}

static int print_has(const struct cedar_expr *e, struct buf *out)
{
	int r;

	if (must_unfold(e))
		return print_unfolded(e, out);
	r = print_operand(e->left, BINDING_ADD, out);
	if (r < 0)
		return r;
	(void)buf_append_str(out, " has ");
	if (e->n_names == 1 && !is_plain_name(e->names[0]))
		return print_string(e->names[0], out);
	for (size_t i = 0; r == 0 && i < e->n_names; i++) {
		if (i > 0)
			(void)buf_append_char(out, '.');
		r = buf_append_span(out, e->names[i]);
	}
	return r;
}

static int print_like(const struct cedar_expr *e, struct buf *out)
{
	int r = print_operand(e->left, BINDING_ADD, out);

	if (r < 0)
		return r;
	(void)buf_append_str(out, " like \"");
	for (size_t i = 0; r == 0 && i < e->n_pattern; i++)
		r = e->pattern[i].is_wildcard
			    ? buf_append_char(out, '*')
			    : print_escaped(e->pattern[i].literal, /* for_pattern = */ true, out);
	return r < 0 ? r : buf_append_char(out, '"');
}

static int print_is(const struct cedar_expr *e, struct buf *out)
{
	int r = print_operand(e->left, BINDING_ADD, out);

	if (r < 0)
		return r;
	(void)buf_append_str(out, " is ");
	r = buf_append_span(out, e->type_name);
	if (r < 0 || !e->right)
		return r;
	(void)buf_append_str(out, " in ");
	return print_operand(e->right, BINDING_ADD, out);
}

static int print_attribute(const struct cedar_expr *e, struct buf *out)
{
	int r = print_operand(e->left, BINDING_MEMBER, out);

	return r < 0 ? r : print_member_name(e->string, out);
}

static int print_items(const struct cedar_expr *e, size_t first, struct buf *out)
{
	int r = 0;

	for (size_t i = first; r == 0 && i < e->n_items; i++) {
		if (i > first)
			(void)buf_append_str(out, ", ");
		if (e->kind == CEDAR_EXPR_RECORD) {
			r = print_string(e->names[i], out);
			(void)buf_append_str(out, ": ");
		}
		if (r == 0)
			r = cedar_expr_print(e->items[i], out);
	}
	return r;
}

static int print_call(const struct cedar_expr *e, struct buf *out)
{
	int r = e->is_method ? print_operand(e->items[0], BINDING_MEMBER, out) : 0;

	if (r < 0)
		return r;
	if (e->is_method)
		(void)buf_append_char(out, '.');
	(void)buf_append_span(out, e->string);
	(void)buf_append_char(out, '(');
	r = print_items(e, e->is_method ? 1 : 0, out);
	return r < 0 ? r : buf_append_char(out, ')');
}

static int print_enclosed(const struct cedar_expr *e, char open, char close, struct buf *out)
{
	int r;

	(void)buf_append_char(out, open);
	r = print_items(e, 0, out);
	return r < 0 ? r : buf_append_char(out, close);
}

static const char *variable_name(enum cedar_var var)
{
	static const char *const names[] = {
		[CEDAR_PRINCIPAL] = "principal",
		[CEDAR_ACTION] = "action",
		[CEDAR_RESOURCE] = "resource",
		[CEDAR_CONTEXT] = "context",
	};

	return names[var];
}

int cedar_expr_print(const struct cedar_expr *e, struct buf *out)
{
	switch (e->kind) {
	case CEDAR_EXPR_BOOL:
		return buf_append_str(out, e->boolean ? "true" : "false");
	case CEDAR_EXPR_LONG:
		return buf_printf(out, "%lld", (long long)e->integer);
	case CEDAR_EXPR_STRING:
		return print_string(e->string, out);
	case CEDAR_EXPR_ENTITY:
		return print_uid(e->uid, out);
	case CEDAR_EXPR_VAR:
		return buf_append_str(out, variable_name(e->var));
	case CEDAR_EXPR_SLOT:
		return buf_printf(out, "?%s", variable_name(e->var));
	case CEDAR_EXPR_NOT:
	case CEDAR_EXPR_NEG:
		return print_unary(e, out);
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
		return print_binary(e, out);
	case CEDAR_EXPR_IF:
		return print_if(e, out);
	case CEDAR_EXPR_HAS:
		return print_has(e, out);
	case CEDAR_EXPR_LIKE:
		return print_like(e, out);
	case CEDAR_EXPR_IS:
		return print_is(e, out);
	case CEDAR_EXPR_ATTRIBUTE:
		return print_attribute(e, out);
	case CEDAR_EXPR_CALL:
		return print_call(e, out);
	case CEDAR_EXPR_SET:
		return print_enclosed(e, '[', ']', out);
	case CEDAR_EXPR_RECORD:
		return print_enclosed(e, '{', '}', out);
	}
	return -EINVAL;
}
