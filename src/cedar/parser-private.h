/*
 * The parser's state and what its files share. A recursive descent with one
 * token of look-ahead; nesting is counted, nothing recurses without it.
 *
 * Two kinds of mistakes: a *syntax* error ends the current policy (functions
 * return NULL or a negative errno and the caller resynchronises at ';'), all
 * others are reported and parsing goes on, so that one run shows them all.
 */
#pragma once

#include "cedar/cedar.h"
#include "cedar/lexer.h"

struct parser {
	struct lexer lexer;
	struct token token; /* the next one */
	size_t last_end;    /* end of the one before */
	struct arena *arena;
	struct cedar_diagnostics *diags;
	size_t nesting;
	size_t max_policies; /* 0: as many as memory allows */
	bool allow_slots; /* in expressions */
	bool allow_cedar; /* names may contain __cedar, as references in schemas do */
	bool is_limited;  /* a limit was passed: parsing stops */
};

/* Checks size and encoding, and replaces *text by a copy in the arena. Errors as of the parsers. */
int parser_copy_text(struct span *text, size_t limit, struct arena *arena,
		     struct cedar_diagnostics *diags);
void parser_init(struct parser *p, struct span text, struct arena *arena,
		 struct cedar_diagnostics *diags);
void parser_advance(struct parser *p);
/* The token after the next. */
struct token parser_peek(const struct parser *p);
static inline struct span parser_text(const struct parser *p, struct cedar_range range)
{
	return (struct span){ p->lexer.text.p + range.begin, range.end - range.begin };
}

static inline struct span parser_token_text(const struct parser *p)
{
	return parser_text(p, p->token.range);
}

/* Is the next token this identifier or keyword? */
static inline bool parser_at_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_IDENT && span_eq_str(parser_token_text(p), word);
}

/* Advances over a token of this kind. */
static inline bool parser_accept(struct parser *p, enum token_kind kind)
{
	if (p->token.kind != kind)
		return false;
	parser_advance(p);
	return true;
}

static inline bool parser_accept_word(struct parser *p, const char *word)
{
	if (!parser_at_word(p, word))
		return false;
	parser_advance(p);
	return true;
}

/* As parser_accept, else reports what was expected and returns -EINVAL. */
int parser_expect(struct parser *p, enum token_kind kind, const char *what);

/* An error at a range; returns -EINVAL so that it can end a statement. suggestion may be NULL. */
int parser_error(struct parser *p, const char *code, struct cedar_range range,
		 const char *suggestion, const char *fmt, ...) _printf_(5, 6);
/* "unexpected token X, expected WHAT", or what is wrong with the token itself. */
int parser_unexpected(struct parser *p, const char *what);
/* The limit on memory or size was passed. */
int parser_out_of_memory(struct parser *p);
/* The expression or the brackets are too deep. */
int parser_too_deep(struct parser *p, struct cedar_range range);

/* A list that grows in the arena: *items gets room for one more; -ENOMEM when exhausted. */
int parser_list_grow(struct parser *p, void **items, size_t len, size_t *cap, size_t size);

/* Unescapes the next token, a string, and advances. */
int parser_string(struct parser *p, struct span *ret);
/*
 * A name A::B::C; leaves a "::" before a string alone. ret is the normalised
 * text, range covers it.
 */
int parser_name(struct parser *p, struct span *ret, struct cedar_range *ret_range);
/* Reports names that Cedar keeps to itself. */
int parser_check_name(struct parser *p, struct span name, struct cedar_range range);
/* A::B::"id", given the already parsed name. */
int parser_uid_after_name(struct parser *p, struct span name, struct cedar_entity_uid *ret);

/* expr = if | or */
struct cedar_expr *parser_expr(struct parser *p);
/* member = primary { .name | .name(args) | ["name"] } */
struct cedar_expr *parser_member(struct parser *p);
/* A node over [begin, end of the last token); NULL past a limit. */
struct cedar_expr *parser_node(struct parser *p, enum cedar_expr_kind kind, size_t begin,
			       struct cedar_expr *left, struct cedar_expr *right);
/* Takes a child that parser_node did not get into account for the depth. */
int parser_node_deepen(struct parser *p, struct cedar_expr *e, const struct cedar_expr *child);
/* A number, folded with a minus before it. */
struct cedar_expr *parser_number(struct parser *p, bool is_negative, size_t begin);

/* One of principal, action and resource in the scope. */
int parser_scope(struct parser *p, enum cedar_var var, struct cedar_scope *ret);
