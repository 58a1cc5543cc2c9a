/* Types in Cedar's schema syntax, and the names they are made of. */
#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cedar/diagnostics.h"
#include "cedar/schema-parse.h"

int schema_open(struct schema_parser *s)
{
	if (++s->p.nesting <= LIMIT_CEDAR_NESTING)
		return 0;
	if (!s->p.is_limited)
		(void)parser_error(&s->p, "too_deep", s->p.token.range,
				   "give the inner part a name of its own with `type`",
				   "the type is nested too deeply");
	s->p.is_limited = true;
	return -EMSGSIZE;
}

int schema_close(struct schema_parser *s, enum token_kind kind, const char *what)
{
	int r = parser_expect(&s->p, kind, what);

	if (r == 0)
		s->p.nesting--;
	return r;
}

int schema_parse_ident(struct schema_parser *s, const char *what, struct span *ret,
		       struct cedar_range *ret_range)
{
	if (s->p.token.kind != TOKEN_IDENT)
		return parser_unexpected(&s->p, what);
	*ret = parser_token_text(&s->p);
	*ret_range = s->p.token.range;
	(void)parser_check_name(&s->p, *ret, *ret_range);
	parser_advance(&s->p);
	return 0;
}

int schema_parse_ident_or_string(struct schema_parser *s, const char *what, struct span *ret,
				 struct cedar_range *ret_range)
{
	if (s->p.token.kind != TOKEN_STRING)
		return schema_parse_ident(s, what, ret, ret_range);
	*ret_range = s->p.token.range;
	return parser_string(&s->p, ret);
}

static bool has_inner(struct span name)
{
	while (name.len) {
		struct span prefix, last;

		schema_split_name(name, &prefix, &last);
		if (span_eq(last, SPAN("__cedar")))
			return true;
		name = prefix;
	}
	return false;
}

/* The namespace __cedar holds the built-in types and nothing else. */
static int check_inner(struct schema_parser *s, struct span name, struct cedar_range range)
{
	struct span prefix, last;

	schema_split_name(name, &prefix, &last);
	if (!has_inner(name) || (span_eq(prefix, SPAN("__cedar")) && !has_inner(last)))
		return 0;
	return parser_check_name(&s->p, SPAN("__cedar"), range);
}

int schema_parse_path(struct schema_parser *s, struct span *ret, struct cedar_range *ret_range)
{
	int r;

	s->p.allow_cedar = true;
	r = parser_name(&s->p, ret, ret_range);
	s->p.allow_cedar = false;
	if (r == 0)
		(void)check_inner(s, *ret, *ret_range);
	return r;
}

static int add_name(struct schema_parser *s, struct schema_names *names, size_t *cap)
{
	struct schema_name name;
	void *list = names->items;

	if (schema_parse_path(s, &name.text, &name.range) < 0)
		return -EINVAL;
	if (parser_list_grow(&s->p, &list, names->len, cap, sizeof(name)) < 0)
		return -ENOMEM;
	names->items = list;
	names->items[names->len++] = name;
	return 0;
}

int schema_parse_names(struct schema_parser *s, struct schema_names *ret)
{
	size_t cap = 0;

	*ret = (struct schema_names){ .index = s->tree->n_lists++ };
	if (!parser_accept(&s->p, TOKEN_LBRACKET))
		return add_name(s, ret, &cap);
	if (schema_open(s) < 0)
		return -EMSGSIZE;
	if (s->p.token.kind == TOKEN_RBRACKET)
		return schema_close(s, TOKEN_RBRACKET, "`]`");
	do {
		if (add_name(s, ret, &cap) < 0)
			return -EINVAL;
	} while (parser_accept(&s->p, TOKEN_COMMA));
	return schema_close(s, TOKEN_RBRACKET, "`,` or `]`");
}

/* "?" is no token of Cedar's: a slot needs a name behind it. */
static bool accept_question_mark(struct schema_parser *s)
{
	if (!span_eq(parser_token_text(&s->p), SPAN("?")))
		return false;
	parser_advance(&s->p);
	return true;
}

/* annotations (ident | STRING) ["?"] ":" type */
static int parse_attribute(struct schema_parser *s, struct schema_attribute *ret)
{
	*ret = (struct schema_attribute){ 0 };
	if (schema_parse_annotations(s, &ret->annotations) < 0)
		return -EINVAL;
	/* As an attribute, and only there, the name __cedar is free. */
	s->p.allow_cedar = true;
	if (schema_parse_ident_or_string(s, "the attribute's name or `}`", &ret->name,
					 &ret->range) < 0)
		return -EINVAL;
	s->p.allow_cedar = false;
	ret->is_required = !accept_question_mark(s);
	if (parser_expect(&s->p, TOKEN_COLON, ret->is_required ? "`:` or `?:`" : "`:`") < 0)
		return -EINVAL;
	ret->type = schema_parse_type(s);
	return ret->type ? 0 : -EINVAL;
}

static int parse_attributes(struct schema_parser *s, struct schema_type *record)
{
	size_t cap = 0;

	while (s->p.token.kind != TOKEN_RBRACE) {
		void *list = record->attributes;

		if (parser_list_grow(&s->p, &list, record->n_attributes, &cap,
				     sizeof(*record->attributes)) < 0)
			return -ENOMEM;
		record->attributes = list;
		if (parse_attribute(s, &record->attributes[record->n_attributes]) < 0)
			return -EINVAL;
		record->n_attributes++;
		if (!parser_accept(&s->p, TOKEN_COMMA))
			break;
	}
	return 0;
}

struct schema_type *schema_parse_record(struct schema_parser *s)
{
	struct schema_type *record =
		schema_type_new(s->tree, SCHEMA_TYPE_RECORD, s->p.token.range.begin);

	if (!record) {
		(void)parser_out_of_memory(&s->p);
		return NULL;
	}
	if (parser_expect(&s->p, TOKEN_LBRACE, "`{`") < 0 || schema_open(s) < 0)
		return NULL;
	if (parse_attributes(s, record) < 0 || schema_close(s, TOKEN_RBRACE, "`,` or `}`") < 0)
		return NULL;
	record->range.end = s->p.last_end;
	schema_type_sort_attributes(record, s->p.diags);
	return record;
}

/* At "Set" "<". */
static struct schema_type *parse_set(struct schema_parser *s, struct schema_type *set)
{
	set->kind = SCHEMA_TYPE_SET;
	parser_advance(&s->p);
	parser_advance(&s->p);
	if (schema_open(s) < 0)
		return NULL;
	set->element = schema_parse_type(s);
	if (!set->element || schema_close(s, TOKEN_GT, "`>`") < 0)
		return NULL;
	set->range.end = s->p.last_end;
	return set;
}

struct schema_type *schema_parse_type(struct schema_parser *s)
{
	struct schema_type *type;

	if (s->p.token.kind == TOKEN_LBRACE)
		return schema_parse_record(s);
	if (s->p.token.kind != TOKEN_IDENT) {
		(void)parser_unexpected(&s->p, "a type: a name, `Set<...>` or `{...}`");
		return NULL;
	}
	type = schema_type_new(s->tree, SCHEMA_TYPE_NAME, s->p.token.range.begin);
	if (!type) {
		(void)parser_out_of_memory(&s->p);
		return NULL;
	}
	if (parser_at_word(&s->p, "Set") && parser_peek(&s->p).kind == TOKEN_LT)
		return parse_set(s, type);
	return schema_parse_path(s, &type->name, &type->range) < 0 ? NULL : type;
}
