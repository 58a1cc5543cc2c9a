#include "cedar/lexer.h"

#include "base/utf8.h"

static const unsigned char symbols[] = {
	['@'] = TOKEN_AT,	['('] = TOKEN_LPAREN, [')'] = TOKEN_RPAREN,
	['{'] = TOKEN_LBRACE,	['}'] = TOKEN_RBRACE, ['['] = TOKEN_LBRACKET,
	[']'] = TOKEN_RBRACKET, [','] = TOKEN_COMMA,  [';'] = TOKEN_SEMICOLON,
	[':'] = TOKEN_COLON,	['.'] = TOKEN_DOT,    ['<'] = TOKEN_LT,
	['>'] = TOKEN_GT,	['!'] = TOKEN_NOT,    ['+'] = TOKEN_PLUS,
	['-'] = TOKEN_MINUS,	['*'] = TOKEN_STAR,   ['/'] = TOKEN_SLASH,
	['%'] = TOKEN_PERCENT,	['='] = TOKEN_ASSIGN,
};

/* Symbols of two characters. */
static enum token_kind pair_kind(char a, char b)
{
	if (b == '=')
		return a == '='	  ? TOKEN_EQ
		       : a == '!' ? TOKEN_NE
		       : a == '<' ? TOKEN_LE
		       : a == '>' ? TOKEN_GE
				  : TOKEN_END;
	if (a != b)
		return TOKEN_END;
	return a == ':' ? TOKEN_PATH : a == '&' ? TOKEN_AND : a == '|' ? TOKEN_OR : TOKEN_END;
}

bool cedar_is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

enum {
	BLANK = 1,
	IDENT_START = 2,
	IDENT_PART = 4,
	DIGIT = 8,
};

static const unsigned char classes[256] = {
	['\t' ... '\r'] = BLANK,
	[' '] = BLANK,
	['_'] = IDENT_START | IDENT_PART,
	['a' ... 'z'] = IDENT_START | IDENT_PART,
	['A' ... 'Z'] = IDENT_START | IDENT_PART,
	['0' ... '9'] = IDENT_PART | DIGIT,
};

static inline bool is_class(char c, unsigned char class)
{
	return (classes[(unsigned char)c] & class) != 0;
}

bool cedar_is_ident(struct span s)
{
	if (s.len == 0 || !is_class(s.p[0], IDENT_START))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_class(s.p[i], IDENT_PART))
			return false;
	return true;
}

bool cedar_is_reserved(struct span s)
{
	switch (s.len) {
	case 2:
		return span_eq(s, SPAN("in")) || span_eq(s, SPAN("is")) || span_eq(s, SPAN("if"));
	case 3:
		return span_eq(s, SPAN("has"));
	case 4:
		return span_eq(s, SPAN("true")) || span_eq(s, SPAN("then")) ||
		       span_eq(s, SPAN("else")) || span_eq(s, SPAN("like"));
	case 5:
		return span_eq(s, SPAN("false"));
	case 7:
		return span_eq(s, SPAN("__cedar"));
	default:
		return false;
	}
}

static void skip_comment(struct lexer *lx)
{
	while (lx->at < lx->text.len && lx->text.p[lx->at] != '\n' && lx->text.p[lx->at] != '\r')
		lx->at++;
}

static void skip_class(struct lexer *lx, unsigned char class)
{
	size_t at = lx->at;

	while (at < lx->text.len && is_class(lx->text.p[at], class))
		at++;
	lx->at = at;
}

static void skip_blank(struct lexer *lx)
{
	for (;;) {
		struct span rest;
		uint32_t c;
		size_t n;

		skip_class(lx, BLANK);
		rest = span_from(lx->text, lx->at);
		if (rest.len > 1 && rest.p[0] == '/' && rest.p[1] == '/') {
			skip_comment(lx);
			continue;
		}
		if (rest.len == 0 || (unsigned char)rest.p[0] < 0x80)
			return;
		n = utf8_decode(rest, &c);
		if (n == 0 || !cedar_is_space(c))
			return;
		lx->at += n;
	}
}

/* On return lx->at is behind the string, or behind what is wrong with it. */
static enum token_kind lex_string(struct lexer *lx)
{
	enum token_kind kind = TOKEN_STRING;

	for (lx->at++; lx->at < lx->text.len; lx->at++) {
		char c = lx->text.p[lx->at];

		if (c == '"') {
			lx->at++;
			return kind;
		}
		if (c == '\\') {
			lx->at++;
			if (lx->at < lx->text.len && lx->text.p[lx->at] == '\n')
				kind = TOKEN_BAD_STRING;
		}
	}
	lx->at = lx->text.len;
	return TOKEN_UNTERMINATED;
}

static enum token_kind lex_symbol(struct lexer *lx)
{
	struct span rest = span_from(lx->text, lx->at);
	enum token_kind kind = rest.len > 1 ? pair_kind(rest.p[0], rest.p[1]) : TOKEN_END;
	unsigned char c = (unsigned char)rest.p[0];
	uint32_t scalar;
	size_t n;

	if (kind != TOKEN_END) {
		lx->at += 2;
		return kind;
	}
	if (c < ARRAY_SIZE(symbols) && symbols[c]) {
		lx->at++;
		return (enum token_kind)symbols[c];
	}
	if (rest.len > 1 && c == '?' && is_class(rest.p[1], IDENT_START)) {
		lx->at++;
		skip_class(lx, IDENT_PART);
		return TOKEN_SLOT;
	}
	n = utf8_decode(rest, &scalar);
	lx->at += n ? n : 1;
	return n ? TOKEN_UNKNOWN : TOKEN_BAD_BYTES;
}

static enum token_kind lex(struct lexer *lx)
{
	char c = lx->text.p[lx->at];

	if (is_class(c, IDENT_START)) {
		skip_class(lx, IDENT_PART);
		return TOKEN_IDENT;
	}
	if (is_class(c, DIGIT)) {
		skip_class(lx, DIGIT);
		return TOKEN_NUMBER;
	}
	return c == '"' ? lex_string(lx) : lex_symbol(lx);
}

struct token lexer_next(struct lexer *lx)
{
	struct token t = { .kind = TOKEN_END };

	skip_blank(lx);
	t.range.begin = lx->at;
	if (lx->at < lx->text.len)
		t.kind = lex(lx);
	t.range.end = lx->at;
	return t;
}
