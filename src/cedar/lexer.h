/*
 * Cedar text into tokens. The lexer keeps no memory and knows no grammar:
 * keywords are identifiers here, strings are raw (literal.h unescapes them).
 * Tokens that exist only to be refused ('/', '%', single '=') get their own
 * kinds so that the parser can say what to write instead.
 */
#pragma once

#include "cedar/cedar-ast.h"

enum token_kind {
	TOKEN_END,
	TOKEN_IDENT,
	TOKEN_NUMBER,
	TOKEN_STRING, /* range includes the quotes */
	TOKEN_SLOT,   /* ?name */
	TOKEN_AT,
	TOKEN_LPAREN,
	TOKEN_RPAREN,
	TOKEN_LBRACE,
	TOKEN_RBRACE,
	TOKEN_LBRACKET,
	TOKEN_RBRACKET,
	TOKEN_COMMA,
	TOKEN_SEMICOLON,
	TOKEN_COLON,
	TOKEN_PATH, /* :: */
	TOKEN_DOT,
	TOKEN_EQ,
	TOKEN_NE,
	TOKEN_LT,
	TOKEN_LE,
	TOKEN_GT,
	TOKEN_GE,
	TOKEN_NOT,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_STAR,
	TOKEN_SLASH,
	TOKEN_PERCENT,
	TOKEN_ASSIGN,
	TOKEN_UNTERMINATED, /* a string without its closing quote, to the end of the text */
	TOKEN_BAD_STRING,   /* a string with a backslash at the end of a line */
	TOKEN_BAD_BYTES,    /* not UTF-8 */
	TOKEN_UNKNOWN,	    /* a character that Cedar does not use */
};

struct token {
	enum token_kind kind;
	struct cedar_range range;
};

struct lexer {
	struct span text;
	size_t at;
};

struct token lexer_next(struct lexer *lx);
/* Whether a scalar is Unicode White_Space. */
bool cedar_is_space(uint32_t scalar);
/* [_a-zA-Z][_a-zA-Z0-9]* */
bool cedar_is_ident(struct span s);
/* Words that cannot be names: true false if then else in is like has __cedar. */
bool cedar_is_reserved(struct span s);
