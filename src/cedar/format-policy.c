/* Policies into documents: annotations, scope, conditions. */
#include "cedar/format-private.h"

static const struct doc *annotation(struct formatter *f)
{
	const struct doc *d = format_token(f, doc_nil);

	d = doc_append(&f->docs, d, format_expect(f, TOKEN_IDENT, doc_nil));
	if (format_at(f, TOKEN_LPAREN)) {
		d = doc_append(&f->docs, d, format_token(f, doc_nil));
		d = doc_append(&f->docs, d, format_expect(f, TOKEN_STRING, doc_nil));
		d = doc_append(&f->docs, d, format_expect(f, TOKEN_RPAREN, doc_nil));
	}
	return doc_append(&f->docs, d, doc_hardline);
}

/* The operator, on a line of its own unless it fits behind d. */
static const struct doc *with_operator(struct formatter *f, const struct doc *d)
{
	return doc_group(&f->docs, doc_concat(&f->docs, d, doc_line, format_token(f, doc_nil)));
}

static const struct doc *operand(struct formatter *f)
{
	return doc_append(&f->docs, doc_line, format_add(f));
}

/* "is" and a type */
static const struct doc *type_constraint(struct formatter *f)
{
	const struct doc *op = with_operator(f, doc_nil);

	return doc_group(&f->docs, format_nest(f, doc_append(&f->docs, op, operand(f))));
}

/* principal, action or resource with its constraint */
static const struct doc *constraint(struct formatter *f)
{
	const struct doc *before = format_before(f);
	const struct doc *d = format_expect(f, TOKEN_IDENT, doc_nil);

	if (format_at_word(f, SPAN("is")))
		d = doc_append(&f->docs, d, type_constraint(f));
	if (format_at_word(f, SPAN("in")) || format_at(f, TOKEN_EQ)) {
		d = with_operator(f, d);
		d = doc_append(&f->docs, d, format_nest(f, operand(f)));
	}
	return doc_append(&f->docs, before, doc_group(&f->docs, d));
}

/* The three constraints with the commas between them. */
static const struct doc *constraints(struct formatter *f, const struct doc *separator)
{
	const struct doc *d = constraint(f);

	for (int i = 0; i < 2; i++) {
		d = doc_append(&f->docs, d, format_expect(f, TOKEN_COMMA, separator));
		d = doc_append(&f->docs, d, constraint(f));
	}
	if (format_at(f, TOKEN_COMMA))
		format_skip(f, /* want_behind = */ true);
	return d;
}

static bool is_open(const struct cedar_policy *p)
{
	return p->principal.op == CEDAR_SCOPE_ANY && p->action.op == CEDAR_SCOPE_ANY &&
	       p->resource.op == CEDAR_SCOPE_ANY;
}

/* What is between the parentheses. */
static const struct doc *scope(struct formatter *f, const struct cedar_policy *p)
{
	const struct doc *inner;

	if (is_open(p))
		return format_nest(f, constraints(f, doc_space));
	inner = doc_append(&f->docs, doc_hardline, constraints(f, doc_hardline));
	return doc_append(&f->docs, format_nest(f, inner), doc_hardline);
}

/* "{" expr "}" */
static const struct doc *braces(struct formatter *f)
{
	const struct doc *before = format_before(f);
	const struct doc *open = format_expect(f, TOKEN_LBRACE, doc_nil);
	const struct doc *remarks = format_before(f);
	const struct doc *body = doc_group(&f->docs, format_expr(f));
	const struct doc *close = format_expect(f, TOKEN_RBRACE, doc_nil);

	body = format_nest(f, doc_concat(&f->docs, doc_line, remarks, body));
	return doc_append(&f->docs, before,
			  doc_group(&f->docs, doc_concat(&f->docs, open, body, doc_line, close)));
}

/* "when" or "unless", and the braces beside it if all fits */
static const struct doc *condition(struct formatter *f)
{
	const struct doc *before = format_before(f);
	const struct doc *word = format_token(f, doc_line);

	return doc_append(&f->docs, before,
			  doc_group(&f->docs, doc_append(&f->docs, word, braces(f))));
}

/* "permit" or "forbid" with the parenthesis */
static const struct doc *effect(struct formatter *f)
{
	const struct doc *before = format_before(f);
	const struct doc *word = format_expect(f, TOKEN_IDENT, doc_line);
	const struct doc *open = format_expect(f, TOKEN_LPAREN, doc_nil);

	return doc_append(&f->docs, before, doc_group(&f->docs, doc_append(&f->docs, word, open)));
}

const struct doc *format_policy(struct formatter *f, const struct cedar_policy *p)
{
	const struct doc *d = doc_nil;

	while (format_at(f, TOKEN_AT) && !f->has_failed)
		d = doc_append(&f->docs, d, annotation(f));
	d = doc_append(&f->docs, d, effect(f));
	d = doc_append(&f->docs, d, scope(f, p));
	d = doc_append(&f->docs, d, format_expect(f, TOKEN_RPAREN, doc_nil));
	for (size_t i = 0; i < p->n_conditions; i++) {
		d = doc_append(&f->docs, d, doc_hardline);
		d = doc_append(&f->docs, d, condition(f));
	}
	return doc_append(&f->docs, d, format_expect(f, TOKEN_SEMICOLON, doc_nil));
}
