#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cedar/diagnostics.h"
#include "cedar/literal.h"
#include "cedar/parser-private.h"

void parser_init(struct parser *p, struct span text, struct arena *arena,
		 struct cedar_diagnostics *diags)
{
	*p = (struct parser){ .lexer = { .text = text }, .arena = arena, .diags = diags };
	parser_advance(p);
	p->last_end = 0;
}

void parser_advance(struct parser *p)
{
	p->last_end = p->token.range.end;
	p->token = lexer_next(&p->lexer);
}

struct token parser_peek(const struct parser *p)
{
	struct lexer ahead = p->lexer;

	return lexer_next(&ahead);
}

int parser_expect(struct parser *p, enum token_kind kind, const char *what)
{
	return parser_accept(p, kind) ? 0 : parser_unexpected(p, what);
}

int parser_error(struct parser *p, const char *code, struct cedar_range range,
		 const char *suggestion, const char *fmt, ...)
{
	char message[400];
	va_list ap;

	if (diagnostics_are_full(p->diags)) {
		p->diags->n_errors++;
		return -EINVAL;
	}
	va_start(ap, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	diagnostic_add(p->diags, CEDAR_ERROR, code, range, suggestion, "%s", message);
	return -EINVAL;
}

int parser_unexpected(struct parser *p, const char *what)
{
	struct cedar_range range = p->token.range;
	struct span text = diagnostic_quote(parser_token_text(p));

	if (p->token.kind == TOKEN_END)
		return parser_error(p, "unexpected_end", range, NULL,
				    "unexpected end of input, expected %s", what);
	if (p->token.kind == TOKEN_UNTERMINATED)
		return parser_error(p, "unterminated_string", range, "close the string with `\"`",
				    "this string has no end");
	if (p->token.kind == TOKEN_BAD_STRING)
		return parser_error(p, "invalid_escape", range,
				    "write \\n for a new line, \\\\ for a backslash",
				    "a backslash at the end of a line is not a valid escape");
	if (p->token.kind == TOKEN_BAD_BYTES)
		return parser_error(p, "invalid_utf8", range, NULL, "the text is not UTF-8 here");
	if (p->token.kind == TOKEN_UNKNOWN)
		return parser_error(p, "invalid_token", range, NULL,
				    "invalid token: Cedar does not use this character here");
	return parser_error(p, "unexpected_token", range, NULL,
			    "unexpected token `%.*s`, expected %s", SPAN_ARG(text), what);
}

int parser_out_of_memory(struct parser *p)
{
	if (!p->is_limited)
		(void)parser_error(p, "too_large", p->token.range, "split the policies",
				   "the text up to here needs more than %zu bytes of memory",
				   p->arena->max ? p->arena->max : p->arena->used);
	p->is_limited = true;
	return -ENOMEM;
}

int parser_too_deep(struct parser *p, struct cedar_range range)
{
	if (!p->is_limited)
		(void)parser_error(p, "too_deep", range,
				   "split the policy, or use a set or a pattern",
				   "the expression is nested too deeply");
	p->is_limited = true;
	return -EMSGSIZE;
}

int parser_list_grow(struct parser *p, void **items, size_t len, size_t *cap, size_t size)
{
	/* Most lists have one item. */
	size_t wanted = *cap ? MAX(*cap * 2, (size_t)4) : 1;
	void *grown;

	if (len < *cap)
		return 0;
	grown = arena_alloc_array(p->arena, wanted, size);
	if (!grown)
		return parser_out_of_memory(p);
	if (len)
		memcpy(grown, *items, len * size);
	*items = grown;
	*cap = wanted;
	return 0;
}

/* Says which escape is wrong; the string counts as empty so that parsing can go on. */
int parser_string(struct parser *p, struct span *ret)
{
	struct cedar_range bad;
	struct span raw;
	size_t begin = p->token.range.begin + 1;
	int r;

	if (p->token.kind != TOKEN_STRING)
		return parser_unexpected(p, "a string");
	raw = parser_text(p, (struct cedar_range){ begin, p->token.range.end - 1 });
	r = literal_unescape(raw, p->arena, ret, &bad);
	if (r == -ENOMEM)
		return parser_out_of_memory(p);
	if (r < 0) {
		struct span text = diagnostic_quote(
			parser_text(p, (struct cedar_range){ begin + bad.begin, begin + bad.end }));

		(void)parser_error(
			p, "invalid_escape",
			(struct cedar_range){ begin + bad.begin, begin + bad.end },
			"valid escapes are \\\" \\\\ \\' \\n \\r \\t \\0 \\x41 \\u{1F600}",
			"`%.*s` is not a valid escape", SPAN_ARG(text));
		*ret = SPAN("");
	}
	parser_advance(p);
	return 0;
}

int parser_check_name(struct parser *p, struct span name, struct cedar_range range)
{
	if (!cedar_is_reserved(name) || (p->allow_cedar && span_eq_str(name, "__cedar")))
		return 0;
	return parser_error(p, "reserved_identifier", range, NULL,
			    "`%.*s` is reserved and cannot be used as a name", SPAN_ARG(name));
}

/* Joins the components, which blanks may separate in the source, with "::". */
static int append_component(struct parser *p, struct span *name, struct span part)
{
	char *joined;

	if (name->len == 0) {
		*name = part;
		return 0;
	}
	if (name->p + name->len + 2 == part.p && name->p[name->len] == ':') {
		name->len += 2 + part.len;
		return 0;
	}
	joined = arena_alloc(p->arena, name->len + 2 + part.len);
	if (!joined)
		return parser_out_of_memory(p);
	memcpy(joined, name->p, name->len);
	memcpy(joined + name->len, "::", 2);
	memcpy(joined + name->len + 2, part.p, part.len);
	*name = (struct span){ joined, name->len + 2 + part.len };
	return 0;
}

int parser_name(struct parser *p, struct span *ret, struct cedar_range *ret_range)
{
	size_t begin = p->token.range.begin;
	struct span name = { 0 };

	for (;;) {
		struct span part = parser_token_text(p);

		if (p->token.kind != TOKEN_IDENT)
			return parser_unexpected(p, "a name");
		if (span_eq_str(part, "if"))
			return parser_check_name(p, part, p->token.range);
		(void)parser_check_name(p, part, p->token.range);
		if (append_component(p, &name, part) < 0)
			return -ENOMEM;
		parser_advance(p);
		if (p->token.kind != TOKEN_PATH || parser_peek(p).kind != TOKEN_IDENT)
			break;
		parser_advance(p);
	}
	*ret = name;
	*ret_range = (struct cedar_range){ begin, p->last_end };
	return 0;
}

int parser_uid_after_name(struct parser *p, struct span name, struct cedar_entity_uid *ret)
{
	struct span id;
	int r;

	r = parser_expect(p, TOKEN_PATH, "`::` and the entity's id in quotes");
	if (r < 0)
		return r;
	if (p->token.kind == TOKEN_LBRACE)
		return parser_error(p, "invalid_entity", p->token.range,
				    "write an entity like Namespace::User::\"alice\"",
				    "an entity's id must be a string");
	r = parser_string(p, &id);
	if (r < 0)
		return r;
	*ret = (struct cedar_entity_uid){ .type = name, .id = id };
	return 0;
}
