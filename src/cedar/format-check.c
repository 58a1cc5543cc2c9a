/*
 * Does formatted text say what the text said? Both have the same tokens, but
 * for trailing commas and zeros in front of numbers, which the parser does not
 * look at; and the same comments in the same order.
 */
#include "cedar/format-private.h"

struct reader {
	struct lexer lexer;
	struct token token; /* the next one */
	uint64_t comments;  /* a sum over all comments so far, and their order */
};

static void sum_comments(struct reader *r, size_t begin)
{
	struct span gap = { r->lexer.text.p + begin, r->token.range.begin - begin };

	while (gap.len > 0) {
		struct span comment = format_take_comment(&gap);

		for (size_t i = 0; i < comment.len; i++)
			r->comments = (r->comments ^ (unsigned char)comment.p[i]) * 0x100000001b3;
		if (comment.len > 0)
			r->comments = (r->comments ^ '\n') * 0x100000001b3;
	}
}

static void advance(struct reader *r)
{
	size_t begin = r->lexer.at;

	r->token = lexer_next(&r->lexer);
	if (r->token.range.begin > begin + 1)
		sum_comments(r, begin);
}

/* Takes the next token, but not a comma that ends a list. */
static struct token take(struct reader *r)
{
	struct token t = r->token;

	advance(r);
	if (t.kind != TOKEN_COMMA ||
	    (r->token.kind != TOKEN_RPAREN && r->token.kind != TOKEN_RBRACKET &&
	     r->token.kind != TOKEN_RBRACE))
		return t;
	t = r->token;
	advance(r);
	return t;
}

static struct span token_text(const struct reader *r, const struct token *t)
{
	struct span text = { r->lexer.text.p + t->range.begin, t->range.end - t->range.begin };

	while (t->kind == TOKEN_NUMBER && text.len > 1 && text.p[0] == '0')
		text = span_from(text, 1);
	return text;
}

bool format_is_same(struct span a, struct span b)
{
	struct reader x = { .lexer.text = a };
	struct reader y = { .lexer.text = b };

	advance(&x);
	advance(&y);
	for (;;) {
		struct token s = take(&x);
		struct token t = take(&y);

		if (s.kind != t.kind || !span_eq(token_text(&x, &s), token_text(&y, &t)))
			return false;
		if (s.kind == TOKEN_END)
			return x.comments == y.comments;
	}
}
