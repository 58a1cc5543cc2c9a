#include "cedar/lexer.h"

#include "base/utf8.h"

static const unsigned char symbols[] = {
	['@'] = TOKEN_AT,	 ['('] = TOKEN_LPAREN,	  [')'] = TOKEN_RPAREN,
	['{'] = TOKEN_LBRACE,	 ['}'] = TOKEN_RBRACE,	  ['['] = TOKEN_LBRACKET,
	[']'] = TOKEN_RBRACKET,	 [','] = TOKEN_COMMA,	  [';'] = TOKEN_SEMICOLON,
	[':'] = TOKEN_COLON,	 ['.'] = TOKEN_DOT,	  ['<'] = TOKEN_LT,
	['>'] = TOKEN_GT,	 ['!'] = TOKEN_NOT,	  ['+'] = TOKEN_PLUS,
	['-'] = TOKEN_MINUS,	 ['*'] = TOKEN_STAR,	  ['/'] = TOKEN_SLASH,
	['%'] = TOKEN_PERCENT,	 ['='] = TOKEN_ASSIGN,
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

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_ident_start(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_ident_part(char c)
{
	return is_ident_start(c) || is_digit(c);
}

bool cedar_is_ident(struct span s)
{
	if (s.len == 0 || !is_ident_start(s.p[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_ident_part(s.p[i]))
			return false;
	return true;
}

bool cedar_is_reserved(struct span s)
{
	static const struct span words[] = {
		{ "true", 4 }, { "false", 5 }, { "if", 2 },   { "then", 4 }, { "else", 4 },
		{ "in", 2 },   { "is", 2 },    { "like", 4 }, { "has", 3 },  { "__cedar", 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (s.len == words[i].len && s.p[0] == words[i].p[0] && span_eq(s, words[i]))
			return true;
	return false;
}

static bool starts_comment(const struct lexer *lx)
{
	return lx->text.len - lx->at >= 2 && lx->text.p[lx->at] == '/' &&
	       lx->text.p[lx->at + 1] == '/';
}

static void skip_comment(struct lexer *lx)
{
	while (lx->at < lx->text.len && lx->text.p[lx->at] != '\n' && lx->text.p[lx->at] != '\r')
		lx->at++;
}

static void skip_blank(struct lexer *lx)
{
	while (lx->at < lx->text.len) {
		uint32_t c;
		size_t n;

		if (lx->text.p[lx->at] == ' ' || lx->text.p[lx->at] == '\n' || lx->text.p[lx->at] == '\t') {
			lx->at++;
			continue;
		}
		if (starts_comment(lx)) {
			skip_comment(lx);
			continue;
		}
		c = (unsigned char)lx->text.p[lx->at];
		n = c < 0x80 ? 1 : utf8_decode(span_from(lx->text, lx->at), &c);
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

static void skip_ident(struct lexer *lx)
{
	while (lx->at < lx->text.len && is_ident_part(lx->text.p[lx->at]))
		lx->at++;
}

static enum token_kind lex_symbol(struct lexer *lx)
{
	struct span rest = span_from(lx->text, lx->at);
	enum token_kind kind;
	uint32_t scalar;
	size_t n;

	if (rest.len > 1 && rest.p[0] == '?' && is_ident_start(rest.p[1])) {
		lx->at++;
		skip_ident(lx);
		return TOKEN_SLOT;
	}
	kind = rest.len > 1 ? pair_kind(rest.p[0], rest.p[1]) : TOKEN_END;
	if (kind != TOKEN_END) {
		lx->at += 2;
		return kind;
	}
	if ((unsigned char)rest.p[0] < ARRAY_SIZE(symbols) && symbols[(unsigned char)rest.p[0]]) {
		lx->at++;
		return symbols[(unsigned char)rest.p[0]];
	}
	n = utf8_decode(rest, &scalar);
	lx->at += n ? n : 1;
	return n ? TOKEN_UNKNOWN : TOKEN_BAD_BYTES;
}

static enum token_kind lex(struct lexer *lx)
{
	char c = lx->text.p[lx->at];

	if (is_ident_start(c)) {
		skip_ident(lx);
		return TOKEN_IDENT;
	}
	if (is_digit(c)) {
		while (lx->at < lx->text.len && is_digit(lx->text.p[lx->at]))
			lx->at++;
		return TOKEN_NUMBER;
	}
	if (c == '"')
		return lex_string(lx);
	return lex_symbol(lx);
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
