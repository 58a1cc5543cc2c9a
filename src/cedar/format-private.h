/*
 * The formatter's state: the next token with its comments, and the documents
 * made so far. The text has been parsed before, so the walk only follows the
 * grammar; where it meets something else it marks itself as failed.
 *
 * A gap between two tokens is blanks and comments. What it holds before its
 * first newline is a comment behind the left token (a carriage return in it
 * stays); the lines after it are comments before the right one.
 */
#pragma once

#include "cedar/cedar-format.h"
#include "cedar/doc.h"
#include "cedar/lexer.h"

struct formatter {
	struct lexer lexer;
	struct token token, next;
	struct span before;	 /* the gap's lines before the token */
	struct span behind;	 /* the comment behind the token */
	struct span left_out[2]; /* comments around a token that was left out, for the next one */
	struct doc_builder docs;
	size_t indent;
	bool has_failed;
};

/* Without blanks at either end. */
struct span format_trim(struct span s);
/* Takes the first line off and returns the comment in it; a carriage return ends one too. */
struct span format_take_comment(struct span *text);

void format_start(struct formatter *f, struct span text);
/* Is the next token of this kind, or this word? */
bool format_at(const struct formatter *f, enum token_kind kind);
bool format_at_word(const struct formatter *f, struct span word);

/* The comments before the next token; format_token then leaves them out. */
const struct doc *format_before(struct formatter *f);
/*
 * The next token with its comments, then `after`; a comment behind the token
 * ends the line itself, without `after`.
 */
const struct doc *format_token(struct formatter *f, const struct doc *after);
/* As above if it is of this kind, else the walk has failed. */
const struct doc *format_expect(struct formatter *f, enum token_kind kind, const struct doc *after);
/* The next token, a number, without leading zeros. */
const struct doc *format_number(struct formatter *f);
/*
 * Leaves the next token out; its comments go before the one behind, or with
 * want_behind the comment behind goes behind that if it has none of its own.
 */
void format_skip(struct formatter *f, bool want_behind);
/* Lines of comments, without a line break at either end. */
const struct doc *format_comments(struct formatter *f, struct span gap);

const struct doc *format_nest(struct formatter *f, const struct doc *d);

/* expr = if | or */
const struct doc *format_expr(struct formatter *f);
/* add, the strongest operators that an `in` may have on its right */
const struct doc *format_add(struct formatter *f);
/* A policy, annotations and semicolon included. */
const struct doc *format_policy(struct formatter *f, const struct cedar_policy *p);

/* Do both texts have the same tokens and comments, but for what the formatter may change? */
bool format_is_same(struct span a, struct span b);
