/* Expressions into documents, from the weakest operator to the strongest. */
#include "cedar/format-private.h"

static const struct doc *group(struct formatter *f, const struct doc *d)
{
	return doc_group(&f->docs, d);
}

/* A::B, A::B::"id" or a variable: tokens side by side. */
static const struct doc *name(struct formatter *f)
{
	const struct doc *d = format_token(f, doc_nil);

	while (format_at(f, TOKEN_PATH)) {
		d = doc_append(&f->docs, d, format_token(f, doc_nil));
		d = doc_append(&f->docs, d, format_token(f, doc_nil));
	}
	return d;
}

/* item {"," item} [","], one a line unless all fit */
static const struct doc *items(struct formatter *f, enum token_kind close,
			       const struct doc *(*item)(struct formatter *f))
{
	const struct doc *all = doc_nil;

	while (!format_at(f, close) && !f->has_failed) {
		all = doc_append(&f->docs, all, item(f));
		if (format_at(f, close))
			break;
		if (!format_at(f, TOKEN_COMMA))
			f->has_failed = true;
		else if (f->next.kind == close)
			format_skip(f, /* want_behind = */ false);
		else
			all = doc_append(&f->docs, all, format_token(f, doc_line));
	}
	return all;
}

/* "(" expr ")" and "[" items "]" */
static const struct doc *parenthesised(struct formatter *f)
{
	const struct doc *open = format_token(f, doc_nil);
	const struct doc *inner = doc_nest(&f->docs, 1, format_expr(f));

	return group(f, doc_concat(&f->docs, open, inner, format_expect(f, TOKEN_RPAREN, doc_nil)));
}

static const struct doc *set(struct formatter *f)
{
	const struct doc *open = format_token(f, doc_nil);
	const struct doc *inner = doc_nest(&f->docs, 1, items(f, TOKEN_RBRACKET, format_expr));

	return doc_concat(&f->docs, open, inner, format_expect(f, TOKEN_RBRACKET, doc_nil));
}

static const struct doc *record_entry(struct formatter *f)
{
	const struct doc *key = format_token(f, doc_nil);
	const struct doc *colon = format_expect(f, TOKEN_COLON, doc_nil);

	return doc_concat(&f->docs, key, colon, doc_space, format_expr(f));
}

static const struct doc *record(struct formatter *f)
{
	const struct doc *open = format_token(f, doc_nil);
	const struct doc *inner = items(f, TOKEN_RBRACE, record_entry);
	const struct doc *close = format_expect(f, TOKEN_RBRACE, doc_nil);

	if (inner == doc_nil)
		return doc_append(&f->docs, open, close);
	inner = format_nest(f, doc_append(&f->docs, doc_line, inner));
	/* The brace stands outside: a comment behind it ends its line, not that of the entries. */
	inner = group(f, doc_append(&f->docs, inner, doc_line));
	return doc_concat(&f->docs, open, inner, close);
}

static const struct doc *primary(struct formatter *f)
{
	if (format_at(f, TOKEN_NUMBER))
		return format_number(f);
	if (format_at(f, TOKEN_LPAREN))
		return parenthesised(f);
	if (format_at(f, TOKEN_LBRACKET))
		return set(f);
	if (format_at(f, TOKEN_LBRACE))
		return record(f);
	return name(f);
}

/* "(" args ")" */
static const struct doc *arguments(struct formatter *f)
{
	const struct doc *open = format_token(f, doc_nil);
	const struct doc *inner = items(f, TOKEN_RPAREN, format_expr);
	const struct doc *close = format_expect(f, TOKEN_RPAREN, doc_nil);

	if (inner == doc_nil)
		return doc_append(&f->docs, open, close);
	return doc_concat(&f->docs, open, format_nest(f, doc_append(&f->docs, doc_softline, inner)),
			  doc_softline, close);
}

/* .name, (args) or ["name"] */
static const struct doc *access(struct formatter *f)
{
	const struct doc *d;

	if (format_at(f, TOKEN_LPAREN))
		return arguments(f);
	d = format_token(f, doc_nil);
	if (format_at(f, TOKEN_STRING)) {
		d = doc_append(&f->docs, d, format_token(f, doc_nil));
		return doc_append(&f->docs, d, format_expect(f, TOKEN_RBRACKET, doc_nil));
	}
	return doc_append(&f->docs, d, format_expect(f, TOKEN_IDENT, doc_nil));
}

static bool at_access(const struct formatter *f)
{
	return format_at(f, TOKEN_DOT) || format_at(f, TOKEN_LPAREN) ||
	       format_at(f, TOKEN_LBRACKET);
}

/* primary { access }: the first stays beside the primary */
static const struct doc *member(struct formatter *f)
{
	const struct doc *d = primary(f);
	const struct doc *accesses = doc_nil;

	if (!at_access(f))
		return group(f, d);
	accesses = access(f);
	while (at_access(f) && !f->has_failed)
		accesses = doc_concat(&f->docs, accesses, doc_softline, access(f));
	return group(f, doc_append(&f->docs, d, format_nest(f, accesses)));
}

static const struct doc *unary(struct formatter *f)
{
	const struct doc *d = doc_nil;

	while (format_at(f, TOKEN_NOT) || format_at(f, TOKEN_MINUS))
		d = doc_append(&f->docs, d, format_token(f, doc_nil));
	return doc_append(&f->docs, d, member(f));
}

/* operand { operator operand }, a line after each operator */
static const struct doc *chain(struct formatter *f, enum token_kind a, enum token_kind b,
			       const struct doc *(*operand)(struct formatter *f))
{
	const struct doc *d = operand(f);

	while ((format_at(f, a) || format_at(f, b)) && !f->has_failed) {
		const struct doc *op = format_token(f, doc_line);

		d = doc_concat(&f->docs, d, doc_space, op, operand(f));
	}
	return d;
}

static const struct doc *mul(struct formatter *f)
{
	return group(f, chain(f, TOKEN_STAR, TOKEN_STAR, unary));
}

const struct doc *format_add(struct formatter *f)
{
	return group(f, chain(f, TOKEN_PLUS, TOKEN_MINUS, mul));
}

/* left has right, left like right */
static const struct doc *has_or_like(struct formatter *f, const struct doc *left)
{
	const struct doc *op = format_token(f, doc_line);

	return group(f, doc_concat(&f->docs, left, doc_line, op, format_nest(f, format_add(f))));
}

static const struct doc *is(struct formatter *f, const struct doc *left)
{
	const struct doc *op = format_token(f, doc_nil);
	const struct doc *d =
		doc_concat(&f->docs, left, doc_space, op, doc_space, format_nest(f, format_add(f)));

	if (!format_at_word(f, SPAN("in")))
		return d;
	op = format_token(f, doc_nil);
	return group(
		f, doc_concat(&f->docs, d, doc_line, op, doc_space, format_nest(f, format_add(f))));
}

static const struct doc *relation(struct formatter *f)
{
	const struct doc *d = format_add(f);
	enum token_kind kind = f->token.kind;

	if (format_at_word(f, SPAN("has")) || format_at_word(f, SPAN("like")))
		return has_or_like(f, d);
	if (format_at_word(f, SPAN("is")))
		return is(f, d);
	if (kind == TOKEN_EQ || kind == TOKEN_NE || kind == TOKEN_LT || kind == TOKEN_LE ||
	    kind == TOKEN_GT || kind == TOKEN_GE || format_at_word(f, SPAN("in"))) {
		const struct doc *op = format_token(f, doc_nil);

		d = doc_concat(&f->docs, d, doc_space, op, doc_space, format_add(f));
	}
	return d;
}

static const struct doc * and (struct formatter * f)
{
	return chain(f, TOKEN_AND, TOKEN_AND, relation);
}

/* The word, then an expression of its own line. */
static const struct doc *branch(struct formatter *f, struct span word)
{
	const struct doc *d;

	if (!format_at_word(f, word)) {
		f->has_failed = true;
		return doc_nil;
	}
	d = format_token(f, doc_nil);
	return doc_append(&f->docs, d,
			  format_nest(f, doc_append(&f->docs, doc_line, format_expr(f))));
}

static const struct doc *conditional(struct formatter *f)
{
	const struct doc *condition = branch(f, SPAN("if"));
	const struct doc *yes = branch(f, SPAN("then"));
	const struct doc *no = branch(f, SPAN("else"));

	return group(f, doc_concat(&f->docs, condition, doc_line, yes, doc_line, no));
}

const struct doc *format_expr(struct formatter *f)
{
	if (format_at_word(f, SPAN("if")))
		return conditional(f);
	return chain(f, TOKEN_OR, TOKEN_OR, and);
}
